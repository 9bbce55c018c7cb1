//! Reverse mode: each use of a tensor sends back a sum guarded by the indicator
//! that names the entry used.

use crate::AdError;
use crate::fold::{Prepared, Weighted, prepare};
use crate::forward::axes;
use crate::program::{
    active, companion, contributions, copy_var, derived_terms, inputs, useful,
};
use iverson_spec::ast::{Cmp, Direction};
use iverson_spec::ir::{
    Block, Element, Expr, Guard, Index, Param, Rec, Symbols, TensorId, VarId,
};
use iverson_spec::ssa::{Rhs, Stmt, TensorSsa, Term};
use rustc_hash::{FxHashMap, FxHashSet};

/// `Jᵀ·ȳ`: the program with a parameter `y_ct`, the cotangent, after the others
/// for each real result `y`, and a result `x_bar` after the others for each input
/// `x` named.
///
/// * **Shapes**: a cotangent has the shape of its primal.
/// * **Cost**: with the program at most 4 times its sparse work if its statements
///   are sums of at most two accesses a term (spec chapter 5).
///
/// The adjoint of a `rec` block is a `rec` block that runs the other way.
///
/// # Errors
/// [`AdError`], if a name is no real parameter or a function has no derivative.
pub fn vjp(program: &TensorSsa, wrt: &[&str]) -> Result<TensorSsa, AdError> {
    let wrt = inputs(program, wrt)?;
    let mut live = active(program, &wrt);
    let useful = useful(program);
    live.retain(|tensor| useful.contains(tensor));
    let Prepared { program: prepared, linear } = prepare(program, &live);
    let symbols = prepared.symbols.clone();
    let mut pass = Reverse { symbols, live, linear, bars: FxHashMap::default() };
    let mut params = prepared.params.clone();
    for input in wrt.iter().filter(|input| pass.live.contains(*input)).copied().collect::<Vec<_>>() {
        pass.bar(input, &[]);
    }
    let mut fresh = Vec::new();
    pass.name_bars(&prepared.body, &[], &mut fresh);
    for result in &prepared.results {
        if prepared.symbols.tensor(*result).element == Element::Real {
            params.push(Param::Tensor(pass.seed(*result)));
        }
    }
    pass.collect(&prepared.body)?;
    let mut body = prepared.body.clone();
    let mut fresh = fresh.into_iter().rev();
    body.extend(pass.adjoint(&prepared.body, &mut fresh));
    let mut results = prepared.results.clone();
    for input in wrt {
        let stmt = pass.input_stmt(input);
        results.push(stmt.tensor);
        body.push(Block::Stmt(stmt));
    }
    let name = format!("{}_vjp", program.name);
    Ok(TensorSsa { name, symbols: pass.symbols, params, body, results })
}

/// The cotangent of a tensor: a statement whose terms are found use by use.
struct Bar {
    tensor: TensorId,
    axes: Vec<VarId>,
    terms: Vec<Term>,
}

struct Reverse {
    symbols: Symbols,
    /// The tensors that depend on an input and on which a result depends.
    live: FxHashSet<TensorId>,
    linear: FxHashMap<TensorId, Vec<Weighted>>,
    bars: FxHashMap<TensorId, Bar>,
}

impl Reverse {
    /// Makes the cotangent of a tensor, whose leading axes are recurrence variables.
    fn bar(&mut self, tensor: TensorId, carried: &[VarId]) {
        let bar = companion(&mut self.symbols, tensor, "_bar");
        let own = axes(&mut self.symbols, tensor).split_off(carried.len());
        let axes = carried.iter().copied().chain(own).collect();
        self.bars.insert(tensor, Bar { tensor: bar, axes, terms: Vec::new() });
    }

    /// Makes the cotangents of all live definitions, and the variables of the
    /// adjoint recurrences, in the order of the text.
    fn name_bars(&mut self, blocks: &[Block<Stmt>], carried: &[VarId], fresh: &mut Vec<Vec<VarId>>) {
        for block in blocks {
            match block {
                Block::Stmt(stmt) if self.live.contains(&stmt.tensor) => self.bar(stmt.tensor, carried),
                Block::Rec(rec) => {
                    let own: Vec<VarId> =
                        rec.vars.iter().map(|(v, _)| copy_var(&mut self.symbols, *v)).collect();
                    let inside = [carried, &own].concat();
                    self.name_bars(&rec.body, &inside, fresh);
                    fresh.push(own);
                }
                Block::Stmt(_) | Block::Requires(_) => {}
            }
        }
    }

    /// The parameter for the cotangent of a result; what it adds to the total.
    fn seed(&mut self, result: TensorId) -> TensorId {
        let seed = companion(&mut self.symbols, result, "_ct");
        if let Some(bar) = self.bars.get_mut(&result) {
            let indices = bar.axes.iter().map(|v| Index::var(*v)).collect();
            let body = Expr::Access(seed, indices);
            bar.terms.push(Term { binders: Vec::new(), guard: Guard::truth(), body });
        }
        seed
    }

    /// Adds what every use of a live tensor sends back to it.
    fn collect(&mut self, blocks: &[Block<Stmt>]) -> Result<(), AdError> {
        for block in blocks {
            match block {
                Block::Stmt(stmt) if self.live.contains(&stmt.tensor) => self.send_back(stmt)?,
                Block::Rec(rec) => self.collect(&rec.body)?,
                Block::Stmt(_) | Block::Requires(_) => {}
            }
        }
        Ok(())
    }

    /// `ā[k] += Σ_{i,j} [P(i, j)] [k = α(i, j)] · ∂e/∂a[α] · ȳ[i]`
    fn send_back(&mut self, stmt: &Stmt) -> Result<(), AdError> {
        let above = Expr::Access(
            self.bars[&stmt.tensor].tensor,
            stmt.axes.iter().map(|v| Index::var(*v)).collect(),
        );
        for found in contributions(&mut self.symbols, stmt, &self.linear, &self.live)? {
            let binders = [stmt.axes.as_slice(), &found.term.binders].concat();
            let Some(bar) = self.bars.get_mut(&found.used.tensor) else { continue };
            let entry = bar.axes.iter().zip(&found.used.indices);
            let names = entry.map(|(k, at)| Guard::Compare(Cmp::Eq, Index::var(*k), at.clone()));
            let guard = Guard::all(names.collect());
            bar.terms.extend(derived_terms(&found, &binders, &guard, &above));
        }
        Ok(())
    }

    /// The cotangents of blocks, last block first; recurrences run the other way.
    fn adjoint(
        &mut self,
        blocks: &[Block<Stmt>],
        fresh: &mut impl Iterator<Item = Vec<VarId>>,
    ) -> Vec<Block<Stmt>> {
        let mut out = Vec::new();
        for block in blocks.iter().rev() {
            match block {
                Block::Stmt(stmt) => {
                    if let Some(bar) = self.bars.remove(&stmt.tensor) {
                        out.push(Block::Stmt(bar.stmt()));
                    }
                }
                Block::Rec(rec) => {
                    let own = fresh.next().unwrap_or_default();
                    let body = self.adjoint(&rec.body, fresh);
                    let directions = rec.vars.iter().map(|(_, direction)| opposite(*direction));
                    let vars = own.into_iter().zip(directions).collect();
                    if !body.is_empty() {
                        out.push(Block::Rec(Rec { vars, body }));
                    }
                }
                Block::Requires(_) => {}
            }
        }
        out
    }

    /// The cotangent of an input; nothing sent back is 0.
    fn input_stmt(&mut self, input: TensorId) -> Stmt {
        if !self.bars.contains_key(&input) {
            self.bar(input, &[]);
        }
        match self.bars.remove(&input) {
            Some(bar) => bar.stmt(),
            None => unreachable!("the cotangent of an input was made above"),
        }
    }
}

impl Bar {
    fn stmt(self) -> Stmt {
        Stmt { tensor: self.tensor, axes: self.axes, rhs: Rhs::Sum(self.terms) }
    }
}

fn opposite(direction: Direction) -> Direction {
    match direction {
        Direction::Ascending => Direction::Descending,
        Direction::Descending => Direction::Ascending,
    }
}
