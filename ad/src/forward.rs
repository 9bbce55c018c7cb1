//! Forward mode: statement by statement, by the product and chain rules.

use crate::AdError;
use crate::fold::{Prepared, Weighted, prepare};
use crate::program::{active, companion, contributions, derived_terms, inputs};
use iverson_spec::ir::{
    Block, Element, Expr, Guard, Index, Param, Rec, Symbols, TensorId, VarId,
};
use iverson_spec::ssa::{Rhs, Stmt, TensorSsa, Term};
use rustc_hash::{FxHashMap, FxHashSet};

/// `J·ẋ`: the program with a parameter `x_dot` after the others for each input
/// `x` named, and a result `y_dot` after the others for each real result `y`.
///
/// * **Shapes**: a tangent has the shape of its primal.
/// * **Cost**: at most 4 times the sparse work of the program if its statements
///   are sums of at most two accesses a term (spec chapter 5).
///
/// # Errors
/// [`AdError`], if a name is no real parameter or a function has no derivative.
pub fn jvp(program: &TensorSsa, wrt: &[&str]) -> Result<TensorSsa, AdError> {
    let wrt = inputs(program, wrt)?;
    let active = active(program, &wrt);
    let Prepared { program: prepared, linear } = prepare(program, &active);
    let symbols = prepared.symbols.clone();
    let mut pass = Forward { symbols, active, linear, dots: FxHashMap::default() };
    let mut params = prepared.params.clone();
    params.extend(wrt.iter().map(|tensor| Param::Tensor(pass.dot(*tensor))));
    let mut body = pass.blocks(&prepared.body)?;
    let mut results = prepared.results.clone();
    for result in &prepared.results {
        if prepared.symbols.tensor(*result).element == Element::Real {
            results.push(pass.result(*result, &wrt, &mut body));
        }
    }
    let name = format!("{}_jvp", program.name);
    Ok(TensorSsa { name, symbols: pass.symbols, params, body, results })
}

struct Forward {
    symbols: Symbols,
    active: FxHashSet<TensorId>,
    linear: FxHashMap<TensorId, Vec<Weighted>>,
    /// The tangent of each active tensor.
    dots: FxHashMap<TensorId, TensorId>,
}

impl Forward {
    fn dot(&mut self, tensor: TensorId) -> TensorId {
        if let Some(dot) = self.dots.get(&tensor) {
            return *dot;
        }
        let dot = companion(&mut self.symbols, tensor, "_dot");
        self.dots.insert(tensor, dot);
        dot
    }

    /// The tangent of a result. That of an input, or of a result that depends on
    /// none, is a statement of its own.
    fn result(
        &mut self,
        result: TensorId,
        wrt: &[TensorId],
        body: &mut Vec<Block<Stmt>>,
    ) -> TensorId {
        let is_input = wrt.contains(&result);
        if self.active.contains(&result) && !is_input {
            return self.dot(result);
        }
        let tensor = companion(&mut self.symbols, result, "_out_dot");
        let axes = axes(&mut self.symbols, result);
        let indices = axes.iter().map(|v| Index::var(*v)).collect();
        let mut terms = Vec::new();
        if is_input {
            let body = Expr::Access(self.dot(result), indices);
            terms.push(Term { binders: Vec::new(), guard: Guard::truth(), body });
        }
        body.push(Block::Stmt(Stmt { tensor, axes, rhs: Rhs::Sum(terms) }));
        tensor
    }

    fn blocks(&mut self, blocks: &[Block<Stmt>]) -> Result<Vec<Block<Stmt>>, AdError> {
        let mut out = Vec::with_capacity(2 * blocks.len());
        for block in blocks {
            match block {
                Block::Stmt(stmt) => {
                    out.push(Block::Stmt(stmt.clone()));
                    if self.active.contains(&stmt.tensor) {
                        out.push(Block::Stmt(self.tangent(stmt)?));
                    }
                }
                Block::Rec(rec) => {
                    let body = self.blocks(&rec.body)?;
                    out.push(Block::Rec(Rec { vars: rec.vars.clone(), body }));
                }
                Block::Requires(requires) => out.push(Block::Requires(requires.clone())),
            }
        }
        Ok(out)
    }

    /// `ẏ[i] = Σ_j [P] Σ_a ∂e/∂a · ȧ`
    fn tangent(&mut self, stmt: &Stmt) -> Result<Stmt, AdError> {
        let mut terms = Vec::new();
        for found in contributions(&mut self.symbols, stmt, &self.linear, &self.active)? {
            let tangent = Expr::Access(self.dot(found.used.tensor), found.used.indices.clone());
            let binders = found.term.binders.clone();
            terms.extend(derived_terms(&found, &binders, &Guard::truth(), &tangent));
        }
        let tensor = self.dot(stmt.tensor);
        Ok(Stmt { tensor, axes: stmt.axes.clone(), rhs: Rhs::Sum(terms) })
    }
}

/// Fresh variables for the axes of a tensor.
pub(crate) fn axes(symbols: &mut Symbols, tensor: TensorId) -> Vec<VarId> {
    let shape = symbols.tensor(tensor).shape.clone();
    let names = ["i", "j", "k", "l"].into_iter().cycle();
    shape.into_iter().zip(names).map(|(extent, name)| symbols.add_var(name, extent)).collect()
}
