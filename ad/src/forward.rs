//! Forward mode: statement by statement, by the product and chain rules.

use crate::AdError;
use crate::fold::{Linear, prepare};
use crate::program::{Dependence, axes, companion, inputs, name_added, real_results};
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
    let mut active = Dependence::new(program).dependents(&wrt);
    let (prepared, linear) = prepare(program, &mut active);
    let symbols = prepared.symbols;
    let mut pass = Forward { symbols, active, linear, dots: FxHashMap::default() };
    let added = wrt.iter().map(|input| Param::Tensor(pass.dot(*input)));
    let params = program.params.iter().copied().chain(added).collect();
    let mut body = pass.blocks(&prepared.body)?;
    let mut results = program.results.clone();
    for result in real_results(program) {
        if !pass.active.contains(&result) {
            body.push(Block::Stmt(pass.zero(result)));
        }
        results.push(pass.dot(result));
    }
    let name = format!("{}_jvp", program.name);
    let mut derivative = TensorSsa { name, symbols: pass.symbols, params, body, results };
    name_added(&mut derivative, program);
    Ok(derivative)
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
