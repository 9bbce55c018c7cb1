//! Forward mode: statement by statement, by the product and chain rules.

use crate::AdError;
use crate::fold::{Linear, Mode, prepare};
use crate::program::{Dependence, LinearMap, axes, companion, inputs, name_added, real_results};
use crate::uses::uses;
use iverson_spec::ir::{Block, Expr, Guard, Param, Rec, Symbols, TensorId};
use iverson_spec::ssa::{Rhs, Stmt, TensorSsa};
use rustc_hash::{FxHashMap, FxHashSet};

/// `J·ẋ`: the program with a parameter `x_dot` after the others for each input
/// `x` named, and a result `y_dot` after the others for each real result `y`.
///
/// * **Shapes**: a tangent has the shape of its primal. The tangent of a result
///   that is an input named is the parameter itself.
/// * **Cost**: at most 4 times the sparse work of the program, under the
///   conditions of spec chapter 5.
///
/// # Errors
/// [`AdError`], if a name is no real parameter or a function has no derivative.
pub fn jvp(program: &TensorSsa, wrt: &[&str]) -> Result<TensorSsa, AdError> {
    let wrt = inputs(program, wrt)?;
    let LinearMap { program: mut derivative, seeds, images } =
        push(program, &wrt, &real_results(program))?;
    derivative.params.extend(seeds.into_iter().map(Param::Tensor));
    derivative.results.extend(images);
    derivative.name = format!("{}_jvp", program.name);
    name_added(&mut derivative, program);
    Ok(derivative)
}

/// The program with the tangents of `of`, which are tensors of the program, as
/// linear functions of the tangents of `wrt`.
pub(crate) fn push(
    program: &TensorSsa,
    wrt: &[TensorId],
    of: &[TensorId],
) -> Result<LinearMap, AdError> {
    let dependence = Dependence::new(program);
    let mut active = dependence.dependents(wrt);
    let useful = dependence.sources(of);
    active.retain(|tensor| useful.contains(tensor));
    let (prepared, linear) = prepare(program, &mut active, Mode::Forward);
    let symbols = prepared.symbols;
    let mut pass = Forward { symbols, active, linear, dots: FxHashMap::default() };
    let seeds: Vec<TensorId> = wrt.iter().map(|input| pass.dot(*input)).collect();
    let mut body = pass.blocks(&prepared.body)?;
    let mut images = Vec::with_capacity(of.len());
    for result in of {
        if !pass.active.contains(result) {
            body.push(Block::Stmt(pass.zero(*result)));
        }
        images.push(pass.dot(*result));
    }
    let program = TensorSsa { symbols: pass.symbols, body, ..program.clone() };
    Ok(LinearMap { program, seeds, images })
}

struct Forward {
    symbols: Symbols,
    /// The tensors that depend on an input.
    active: FxHashSet<TensorId>,
    linear: Linear,
    /// The tangents made so far.
    dots: FxHashMap<TensorId, TensorId>,
}

impl Forward {
    /// The tangent of a tensor.
    fn dot(&mut self, tensor: TensorId) -> TensorId {
        let symbols = &mut self.symbols;
        *self.dots.entry(tensor).or_insert_with(|| companion(symbols, tensor, "_dot"))
    }

    /// The tangent of a result that depends on no input.
    fn zero(&mut self, result: TensorId) -> Stmt {
        let axes = axes(&mut self.symbols, result);
        Stmt { tensor: self.dot(result), axes, rhs: Rhs::Sum(Vec::new()) }
    }

    fn blocks(&mut self, blocks: &[Block<Stmt>]) -> Result<Vec<Block<Stmt>>, AdError> {
        let mut out = Vec::with_capacity(2 * blocks.len());
        for block in blocks {
            match block {
                Block::Stmt(stmt) => {
                    out.push(block.clone());
                    if self.active.contains(&stmt.tensor) {
                        out.push(Block::Stmt(self.tangent(stmt)?));
                    }
                }
                Block::Rec(rec) => {
                    let body = self.blocks(&rec.body)?;
                    out.push(Block::Rec(Rec { vars: rec.vars.clone(), body }));
                }
                Block::Requires(_) => out.push(block.clone()),
            }
        }
        Ok(out)
    }

    /// `ẏ[i] = Σ_j [P] Σ_a ∂e/∂a · ȧ`
    fn tangent(&mut self, stmt: &Stmt) -> Result<Stmt, AdError> {
        let mut terms = Vec::new();
        for used in uses(&self.symbols, stmt, &self.linear, &self.active)? {
            let tangent = Expr::Access(self.dot(used.tensor), used.indices.clone());
            terms.extend(used.terms(&used.binders, &Guard::truth(), &tangent));
        }
        let tensor = self.dot(stmt.tensor);
        Ok(Stmt { tensor, axes: stmt.axes.clone(), rhs: Rhs::Sum(terms) })
    }
}
