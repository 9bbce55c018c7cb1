//! From a linear map to its matrix: the seed of a derivative as a unit tensor for
//! each of its entries.
//!
//! A derivative is linear in its seed `s`. Its matrix is the derivative at every
//! unit seed. So the seed gets one more axis for each of its axes,
//!
//! ```text
//! s[i.., k..] = [i = k and ..] 1
//! ```
//!
//! and so does every tensor that depends on it. Nothing else changes: a term of a
//! linear map reads one such tensor, at the same `k` as it defines.

use crate::partials::int;
use crate::program::{Dependence, LinearMap};
use iverson_spec::ast::Cmp;
use iverson_spec::ir::{Block, Expr, Extent, Guard, Index, Rec, TensorId, VarId};
use iverson_spec::ssa::{Rhs, Stmt, TensorSsa, Term};
use rustc_hash::FxHashMap;

/// Where the axes of the seed stand in a tensor that depends on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// Before its own, after those of enclosing recurrences.
    First,
    /// After its own.
    Last,
}

/// The program with the images at every unit value of its one seed.
pub(crate) fn units(linear: LinearMap, place: Place) -> TensorSsa {
    let LinearMap { mut program, seeds, images } = linear;
    let [seed] = seeds.as_slice() else {
        unreachable!("a matrix is taken of a map with one seed");
    };
    let extra = program.symbols.tensor(*seed).shape.clone();
    let mut places = FxHashMap::default();
    places.insert(*seed, if place == Place::First { 0 } else { extra.len() });
    let dependents = Dependence::new(&program).dependents(&seeds);
    find_places(&program, &program.body, 0, place, &mut |tensor, at| {
        if dependents.contains(&tensor) || images.contains(&tensor) {
            places.insert(tensor, at);
        }
    });
    for (tensor, at) in &places {
        let shape = &mut program.symbols.tensors[tensor.index()].shape;
        shape.splice(at..at, extra.iter().cloned());
    }
    let unit = unit(&mut program, *seed, extra.len());
    let blocks = std::mem::take(&mut program.body);
    let mut pass = Widen { program: &mut program, extra, places };
    let blocks = pass.blocks(blocks);
    program.body = std::iter::once(unit).chain(blocks).collect();
    program
}

/// The program with the images at the seed 1, a seed of rank 0.
pub(crate) fn one(linear: LinearMap) -> (TensorSsa, Vec<TensorId>) {
    let images = linear.images.clone();
    (units(linear, Place::Last), images)
}

/// Tells for each definition at which axis those of the seed are put in.
fn find_places(
    program: &TensorSsa,
    blocks: &[Block<Stmt>],
    depth: usize,
    place: Place,
    found: &mut impl FnMut(TensorId, usize),
) {
    for block in blocks {
        match block {
            Block::Stmt(stmt) => {
                let rank = program.symbols.tensor(stmt.tensor).shape.len();
                found(stmt.tensor, if place == Place::First { depth } else { rank });
            }
            Block::Rec(rec) => {
                find_places(program, &rec.body, depth + rec.vars.len(), place, found);
            }
            Block::Requires(_) => {}
        }
    }
}

/// `seed[i.., k..] = [i = k and ..] 1`
fn unit(program: &mut TensorSsa, seed: TensorId, rank: usize) -> Block<Stmt> {
    let shape = program.symbols.tensor(seed).shape.clone();
    let names = ["i", "j", "k", "l"].into_iter().cycle();
    let add = |(extent, name)| program.symbols.add_var(name, extent);
    let axes: Vec<VarId> = shape.into_iter().zip(names).map(add).collect();
    let (own, extra) = axes.split_at(rank);
    let equal = |(i, k): (&VarId, &VarId)| Guard::Compare(Cmp::Eq, Index::var(*i), Index::var(*k));
    let guard = Guard::all(own.iter().zip(extra).map(equal).collect());
    let term = Term { binders: Vec::new(), guard, body: int(1) };
    Block::Stmt(Stmt { tensor: seed, axes, rhs: Rhs::Sum(vec![term]) })
}

/// Puts the axes of the seed into definitions and accesses.
struct Widen<'a> {
    program: &'a mut TensorSsa,
    extra: Vec<Extent>,
    places: FxHashMap<TensorId, usize>,
}

impl Widen<'_> {
    fn blocks(&mut self, blocks: Vec<Block<Stmt>>) -> Vec<Block<Stmt>> {
        let block = |block| match block {
            Block::Stmt(stmt) => Block::Stmt(self.stmt(stmt)),
            Block::Rec(Rec { vars, body }) => Block::Rec(Rec { vars, body: self.blocks(body) }),
            Block::Requires(requires) => Block::Requires(requires),
        };
        blocks.into_iter().map(block).collect()
    }

    fn stmt(&mut self, mut stmt: Stmt) -> Stmt {
        let Some(&at) = self.places.get(&stmt.tensor) else { return stmt };
        let name = ["k", "l", "m", "o"].into_iter().cycle();
        let symbols = &mut self.program.symbols;
        let add = |(extent, name): (&Extent, _)| symbols.add_var(name, extent.clone());
        let extra: Vec<VarId> = self.extra.iter().zip(name).map(add).collect();
        let Rhs::Sum(terms) = &mut stmt.rhs else {
            unreachable!("a derivative is linear in its seed, so what depends on it is a sum");
        };
        terms.iter_mut().for_each(|term| term.body = self.body(&term.body, &extra));
        stmt.axes.splice(at..at, extra);
        stmt
    }

    fn body(&self, body: &Expr, extra: &[VarId]) -> Expr {
        map_accesses(body, &|tensor, indices| {
            let mut indices = indices.to_vec();
            if let Some(&at) = self.places.get(&tensor) {
                indices.splice(at..at, extra.iter().map(|v| Index::var(*v)));
            }
            Expr::Access(tensor, indices)
        })
    }
}

/// The body with other accesses.
pub(crate) fn map_accesses(body: &Expr, to: &impl Fn(TensorId, &[Index]) -> Expr) -> Expr {
    match body {
        Expr::Access(tensor, indices) => to(*tensor, indices),
        Expr::Apply(f, args) => {
            Expr::Apply(*f, args.iter().map(|arg| map_accesses(arg, to)).collect())
        }
        Expr::Const(_) | Expr::Pi | Expr::Real(_) => body.clone(),
        Expr::Guarded(..) | Expr::If(..) | Expr::Reduce(_) | Expr::Let(..) => {
            unreachable!("a body of Tensor SSA holds no compound expression (invariant 9)")
        }
    }
}

/// The program with other tensors in the place of its seeds.
pub(crate) fn given(linear: LinearMap, values: &[TensorId]) -> (TensorSsa, Vec<TensorId>) {
    let LinearMap { mut program, seeds, images } = linear;
    let value: FxHashMap<TensorId, TensorId> =
        seeds.into_iter().zip(values.iter().copied()).collect();
    substitute(&mut program.body, &value);
    (program, images)
}

fn substitute(blocks: &mut [Block<Stmt>], value: &FxHashMap<TensorId, TensorId>) {
    for block in blocks {
        match block {
            Block::Stmt(Stmt { rhs: Rhs::Sum(terms), .. }) => {
                for term in terms {
                    term.body = map_accesses(&term.body, &|tensor, indices| {
                        let tensor = value.get(&tensor).copied().unwrap_or(tensor);
                        Expr::Access(tensor, indices.to_vec())
                    });
                }
            }
            Block::Rec(rec) => substitute(&mut rec.body, value),
            Block::Stmt(_) | Block::Requires(_) => {}
        }
    }
}
