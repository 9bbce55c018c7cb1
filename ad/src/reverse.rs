//! Reverse mode: each use of a tensor sends back a sum guarded by the indicator
//! that names the entry used.

use crate::AdError;
use crate::fold::{After, Linear, Mode, prepare};
use crate::program::{
    Dependence, LinearMap, access, axes, companion, copy_var, inputs, name_added, real_results,
};
use crate::uses::uses;
use iverson_spec::ast::{Cmp, Direction};
use iverson_spec::ir::{Block, Guard, Index, Param, Rec, Symbols, TensorId, VarId};
use iverson_spec::ssa::{Rhs, Stmt, TensorSsa, Term};
use rustc_hash::{FxHashMap, FxHashSet};

/// `Jᵀ·ȳ`: the program with a parameter `y_ct`, the cotangent, after the others
/// for each real result `y`, and a result `x_bar` after the others for each input
/// `x` named.
///
/// * **Shapes**: a cotangent has the shape of its primal.
/// * **Cost**: with the program at most 4 times its sparse work, under the
///   conditions of spec chapter 5.
///
/// The adjoint of a `rec` block is a `rec` block that runs the other way.
///
/// # Errors
/// [`AdError`], if a name is no real parameter or a function has no derivative.
pub fn vjp(program: &TensorSsa, wrt: &[&str]) -> Result<TensorSsa, AdError> {
    let wrt = inputs(program, wrt)?;
    let LinearMap { program: mut derivative, seeds, images } =
        pull(program, &wrt, &real_results(program))?;
    derivative.params.extend(seeds.into_iter().map(Param::Tensor));
    derivative.results.extend(images);
    derivative.name = format!("{}_vjp", program.name);
    name_added(&mut derivative, program);
    Ok(derivative)
}

/// The program with the cotangents of `wrt` as linear functions of the cotangents
/// of `of`, which are tensors of the program.
pub(crate) fn pull(
    program: &TensorSsa,
    wrt: &[TensorId],
    of: &[TensorId],
) -> Result<LinearMap, AdError> {
    let dependence = Dependence::new(program);
    let mut live = dependence.dependents(wrt);
    let useful = dependence.sources(of);
    live.retain(|tensor| useful.contains(tensor));
    let mut read = dependence.accessed(&live);
    read.extend(wrt);
    let (prepared, linear) = prepare(program, &mut live, Mode::Reverse);
    let mut symbols = prepared.symbols;
    let seed = |result: &TensorId| companion(&mut symbols, *result, "_ct");
    let seeds: Vec<TensorId> = of.iter().map(seed).collect();

    let mut pass = Reverse {
        symbols,
        live,
        linear,
        seeds: of.iter().copied().zip(seeds.iter().copied()).collect(),
        read,
        cotangents: FxHashMap::default(),
        bars: FxHashMap::default(),
        steps: FxHashMap::default(),
        carried: Vec::new(),
    };
    wrt.iter().for_each(|input| pass.open(*input, &[]));
    pass.open_all(&prepared.body, &[]);
    pass.send_back_all(&prepared.body)?;
    let mut body = prepared.body;
    let adjoint = pass.adjoint(&body);
    body.extend(adjoint);
    body.extend(wrt.iter().filter_map(|input| pass.close(*input)));
    let images = wrt.iter().map(|input| pass.cotangents[input]).collect();
    let program = TensorSsa { symbols: pass.symbols, body, ..program.clone() };
    Ok(LinearMap { program, seeds, images })
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
    linear: Linear,
    /// The parameters for the cotangents of results.
    seeds: FxHashMap<TensorId, TensorId>,
    /// The tensors to which something is sent back.
    read: FxHashSet<TensorId>,
    /// What the cotangent of each tensor is called.
    cotangents: FxHashMap<TensorId, TensorId>,
    bars: FxHashMap<TensorId, Bar>,
    /// The variable of the adjoint recurrence for each recurrence variable.
    steps: FxHashMap<VarId, VarId>,
    /// The recurrence variables in force.
    carried: Vec<VarId>,
}

impl Reverse {
    /// Makes the cotangents of all live definitions, in the order of the text.
    fn open_all(&mut self, blocks: &[Block<Stmt>], carried: &[VarId]) {
        for block in blocks {
            match block {
                Block::Stmt(stmt) if self.live.contains(&stmt.tensor) => {
                    self.open(stmt.tensor, carried);
                }
                Block::Rec(rec) => {
                    let mut inside = carried.to_vec();
                    for (var, _) in &rec.vars {
                        let step = copy_var(&mut self.symbols, *var);
                        self.steps.insert(*var, step);
                        inside.push(step);
                    }
                    self.open_all(&rec.body, &inside);
                }
                Block::Stmt(_) | Block::Requires(_) => {}
            }
        }
    }

    /// Makes the cotangent of a tensor whose leading axes are recurrence variables.
    /// That of a result which nothing else uses is the parameter itself.
    fn open(&mut self, tensor: TensorId, carried: &[VarId]) {
        let seed = self.seeds.get(&tensor).copied();
        if let Some(seed) = seed
            && !self.read.contains(&tensor)
        {
            self.cotangents.insert(tensor, seed);
            return;
        }
        let own = axes(&mut self.symbols, tensor).split_off(carried.len());
        let axes = [carried, &own].concat();
        let given =
            |seed| Term { binders: Vec::new(), guard: Guard::truth(), body: access(seed, &axes) };
        let terms = seed.map(given).into_iter().collect();
        let bar = companion(&mut self.symbols, tensor, "_bar");
        self.cotangents.insert(tensor, bar);
        self.bars.insert(tensor, Bar { tensor: bar, axes, terms });
    }

    /// Adds what every use of a live tensor sends back to it.
    fn send_back_all(&mut self, blocks: &[Block<Stmt>]) -> Result<(), AdError> {
        for block in blocks {
            match block {
                Block::Stmt(stmt) if self.live.contains(&stmt.tensor) => self.send_back(stmt)?,
                Block::Rec(rec) => {
                    self.carried.extend(rec.vars.iter().map(|(v, _)| *v));
                    self.send_back_all(&rec.body)?;
                    self.carried.truncate(self.carried.len() - rec.vars.len());
                }
                Block::Stmt(_) | Block::Requires(_) => {}
            }
        }
        Ok(())
    }

    /// `ā[k] += Σ_{i,j} [P(i, j)] [k = α(i, j)] · ∂e/∂a[α] · ȳ[i]`
    fn send_back(&mut self, stmt: &Stmt) -> Result<(), AdError> {
        let above = match self.after(stmt) {
            Some(after) => after.entry(stmt, self.carried.len()),
            None => access(self.cotangents[&stmt.tensor], &stmt.axes),
        };
        for used in uses(&self.symbols, stmt, &self.linear, &self.live)? {
            let Some(bar) = self.bars.get_mut(&used.tensor) else { continue };
            let binders = [stmt.axes.as_slice(), &used.binders].concat();
            let entry = bar.axes.iter().zip(&used.indices);
            let equal = entry.map(|(k, at)| Guard::Compare(Cmp::Eq, Index::var(*k), at.clone()));
            bar.terms.extend(used.terms(&binders, &Guard::all(equal.collect()), &above));
        }
        Ok(())
    }

    /// What takes the place of the cotangent, if the statement is a product.
    fn after(&self, stmt: &Stmt) -> Option<&After> {
        self.linear.folds.get(&stmt.tensor)?.after.as_ref()
    }

    /// The cotangents of blocks, last block first; recurrences run the other way.
    fn adjoint(&mut self, blocks: &[Block<Stmt>]) -> Vec<Block<Stmt>> {
        let mut out = Vec::new();
        for block in blocks.iter().rev() {
            match block {
                Block::Stmt(stmt) => {
                    out.extend(self.close(stmt.tensor));
                    if let Some(after) = self.after(stmt) {
                        let steps: Vec<VarId> =
                            self.carried.iter().map(|var| self.steps[var]).collect();
                        let above = self.cotangents[&stmt.tensor];
                        out.push(after.block(&self.symbols, stmt, &steps, above));
                    }
                }
                Block::Rec(rec) => {
                    self.carried.extend(rec.vars.iter().map(|(v, _)| *v));
                    let body = self.adjoint(&rec.body);
                    self.carried.truncate(self.carried.len() - rec.vars.len());
                    let step = |(var, direction): &(VarId, Direction)| {
                        (self.steps[var], opposite(*direction))
                    };
                    if !body.is_empty() {
                        out.push(Block::Rec(Rec {
                            vars: rec.vars.iter().map(step).collect(),
                            body,
                        }));
                    }
                }
                Block::Requires(_) => {}
            }
        }
        out
    }

    /// The statement of a cotangent, if it has one.
    fn close(&mut self, tensor: TensorId) -> Option<Block<Stmt>> {
        let Bar { tensor, axes, terms } = self.bars.remove(&tensor)?;
        Some(Block::Stmt(Stmt { tensor, axes, rhs: Rhs::Sum(terms) }))
    }
}

fn opposite(direction: Direction) -> Direction {
    match direction {
        Direction::Ascending => Direction::Descending,
        Direction::Descending => Direction::Ascending,
    }
}
