//! The pass: structured tensors of a program, from its inputs to its results.

use crate::dead::{drop_dead, needed};
use crate::pieces::{Piece, linear_access, merge, piece};
use crate::solve::{Known, Placed, reads_data};
use crate::structure::{Coordinate, Kind, Part, Structure, plain_read};
use iverson_spec::ast::Cmp;
use iverson_spec::ir::{
    Atom, Block, Element, Extent, Guard, Index, Param, Symbols, Tensor, TensorId, VarId,
};
use iverson_spec::ssa::{Rhs, Stmt, TensorSsa, Term};
use iverson_spec::traverse::{FreeVars, Visit, walk_atom};
use rustc_hash::{FxHashMap, FxHashSet};

/// A tensor with more parts than this is taken as dense.
const MAX_PARTS: usize = 64;
/// A term is followed through structured tensors to at most this many terms.
const MAX_TERMS: usize = 256;

/// Takes the `results` named, real ones of the program, apart: the program that
/// computes their values, and where these stand.
///
/// * **Shapes**: in the place of each of the results the new program has the values of
///   its parts, and the index tensors that their maps read, as results. A result without
///   structure stays as it is, a single part.
/// * **Cost**: a point of a statement becomes at most one point for each part of what it
///   reads; no part is larger than its result in the number of its axes.
/// * **Arithmetic**: exact; over floats sums may be in another order.
#[must_use]
pub fn split(program: &TensorSsa, results: &[TensorId]) -> (TensorSsa, Vec<Structure>) {
    let kept = program.results.iter().filter(|t| !results.contains(t));
    let stay = program.params.iter().filter_map(tensor_param).chain(kept.copied());
    let extents = stay.flat_map(|t| program.symbols.tensor(t).shape.clone()).collect();
    let requires = program.body.iter().filter_map(|block| match block {
        Block::Requires(clause) => Some(clause.clone()),
        Block::Stmt(_) | Block::Rec(_) => None,
    });
    let mut pass = Split {
        symbols: program.symbols.clone(),
        known: Known { requires: requires.collect(), extents },
        wanted: needed(program, results),
        pieces: FxHashMap::default(),
        out: Vec::new(),
    };
    for block in &program.body {
        match block {
            Block::Stmt(Stmt { tensor, axes, rhs: Rhs::Sum(terms) })
                if pass.wanted.contains(tensor) =>
            {
                pass.sum(*tensor, axes, terms);
            }
            Block::Stmt(_) | Block::Rec(_) | Block::Requires(_) => pass.out.push(block.clone()),
        }
    }
    pass.finish(program, results)
}

fn tensor_param(param: &Param) -> Option<TensorId> {
    match param {
        Param::Tensor(tensor) => Some(*tensor),
        Param::Size(_) | Param::Relation(_) => None,
    }
}

struct Split {
    symbols: Symbols,
    known: Known,
    /// The tensors on which the results to take apart depend.
    wanted: FxHashSet<TensorId>,
    /// The structured ones among them.
    pieces: FxHashMap<TensorId, Vec<Piece>>,
    out: Vec<Block<Stmt>>,
}

impl Split {
    /// A statement: its structured terms as pieces, and the whole for those who read it
    /// in other ways.
    fn sum(&mut self, tensor: TensorId, axes: &[VarId], terms: &[Term]) {
        let mut pieces = Vec::new();
        let mut dense = Vec::new();
        let mut whole = Vec::new();
        for term in terms {
            let expanded = self.expanded(term);
            let is_changed = expanded.as_slice() != std::slice::from_ref(term);
            for term in expanded {
                let mut placed = Placed::new(&term, axes);
                placed.solve_binders(&self.known, &self.symbols);
                let left = Term {
                    binders: placed.binders.clone(),
                    guard: placed.guard(&self.known, &self.symbols),
                    body: placed.body.clone(),
                };
                whole.push(if is_changed { left.clone() } else { term });
                let found = piece(placed, &self.known, &mut self.symbols);
                let merged = found.and_then(|piece| merge(&mut pieces, piece, &self.symbols));
                if merged.is_none() {
                    dense.push(left);
                }
            }
        }
        let is_dense = pieces.is_empty() && !dense.is_empty();
        self.out.push(Block::Stmt(Stmt { tensor, axes: axes.to_vec(), rhs: Rhs::Sum(whole) }));
        if is_dense || pieces.len() > MAX_PARTS {
            return;
        }
        if !dense.is_empty() {
            let map = axes.iter().map(|v| Index::var(*v)).collect();
            pieces.push(Piece { axes: axes.to_vec(), map, terms: dense, is_defined: false });
        }
        let name = self.symbols.tensor(tensor).name.clone();
        let mut defined = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let (piece, stmt) = piece.defined(&name, &mut self.symbols);
            self.out.extend(stmt.map(Block::Stmt));
            defined.push(piece);
        }
        self.pieces.insert(tensor, defined);
    }

    /// The terms with pieces for the structured tensors that they are linear in.
    fn expanded(&mut self, term: &Term) -> Vec<Term> {
        let mut done = Vec::new();
        let mut open = vec![term.clone()];
        while let Some(term) = open.pop() {
            let pieces = &self.pieces;
            let access = linear_access(&term.body, &|t| pieces.contains_key(&t));
            let next = access.filter(|_| done.len() + open.len() < MAX_TERMS).and_then(|access| {
                let pieces = self.pieces[&access.0].clone();
                let symbols = &mut self.symbols;
                pieces
                    .iter()
                    .rev()
                    .map(|piece| piece.put_into(&term, &access, symbols))
                    .collect::<Option<Vec<_>>>()
            });
            match next {
                Some(terms) => open.extend(terms),
                None => done.push(term),
            }
        }
        done
    }

    fn finish(mut self, program: &TensorSsa, results: &[TensorId]) -> (TensorSsa, Vec<Structure>) {
        let mut names = Names::new(program);
        let mut all = Vec::new();
        let mut structures = Vec::new();
        for &result in &program.results {
            let is_real = self.symbols.tensor(result).element == Element::Real;
            if !results.contains(&result) || !is_real {
                all.push(result);
                continue;
            }
            let row = self.symbols.tensor(result).clone();
            let parts = match self.pieces.remove(&result) {
                Some(pieces) => {
                    let parts = pieces.into_iter();
                    parts.map(|piece| self.part(&row, piece, &mut names, &mut all)).collect()
                }
                None => vec![self.dense(result, &mut all)],
            };
            structures.push(Structure { result: row.name, shape: row.shape, parts });
        }
        let mut split =
            TensorSsa { symbols: self.symbols, body: self.out, results: all, ..program.clone() };
        drop_dead(&mut split);
        (split, structures)
    }

    /// The result itself.
    fn dense(&mut self, result: TensorId, all: &mut Vec<TensorId>) -> Part {
        let row = self.symbols.tensor(result).clone();
        let add = |extent: &Extent| self.symbols.add_var("u", extent.clone());
        let axes: Vec<VarId> = row.shape.iter().map(add).collect();
        let map = axes.iter().map(|v| Coordinate::Affine(Index::var(*v))).collect();
        if !all.contains(&result) {
            all.push(result);
        }
        Part { values: row.name, axes, map, kind: Kind::Dense }
    }

    fn part(
        &mut self,
        result: &Tensor,
        piece: Piece,
        names: &mut Names,
        all: &mut Vec<TensorId>,
    ) -> Part {
        let tensor = piece.values().unwrap_or_else(|| {
            let (tensor, stmt) = piece.statement(&result.name, &mut self.symbols);
            self.out.push(Block::Stmt(stmt));
            tensor
        });
        let values = names.fresh(&format!("{}_values", result.name));
        self.symbols.tensors[tensor.index()].name.clone_from(&values);
        all.push(tensor);
        let map = (0..piece.map.len()).map(|at| self.coordinate(result, &piece, at, names, all));
        let map = map.collect();
        Part { values, map, kind: Kind::of(&piece.map), axes: piece.axes }
    }

    /// A coordinate; data become an index tensor, whose entry is the extent of the axis
    /// where there is no such entry.
    fn coordinate(
        &mut self,
        result: &Tensor,
        piece: &Piece,
        at: usize,
        names: &mut Names,
        all: &mut Vec<TensorId>,
    ) -> Coordinate {
        let index = &piece.map[at];
        if !reads_data(index) {
            return Coordinate::Affine(index.clone());
        }
        let (tensor, vars) = match plain_read(index) {
            Some((tensor, vars)) if names.interface.contains(&tensor) => (tensor, vars),
            _ => self.computed(result, index, at, names),
        };
        if !all.contains(&tensor) {
            all.push(tensor);
        }
        let place = |v: &VarId| piece.axes.iter().position(|axis| axis == v);
        let axes = vars.iter().filter_map(place).collect();
        Coordinate::Data { tensor: self.symbols.tensor(tensor).name.clone(), axes }
    }

    /// `at[u] = if 0 <= index < bound then index else bound`, as an index tensor. What the
    /// index reads is read in bounds alone: elsewhere the part has no entry.
    fn computed(
        &mut self,
        result: &Tensor,
        index: &Index,
        at: usize,
        names: &mut Names,
    ) -> (TensorId, Vec<VarId>) {
        let used = FreeVars::of_index(index);
        let shape: Vec<Extent> = used.iter().map(|v| self.symbols.var(*v).range.clone()).collect();
        let bound = result.shape[at].clone();
        let mut within = Within { symbols: &self.symbols, guards: Vec::new() };
        within.index(index);
        within.demand(index, &bound);
        let within = Guard::all(within.guards);
        let value = Index::atom(Atom::If(Box::new((within, index.clone(), bound.clone()))));
        let bound = bound.add(&Index::constant(1)).unwrap_or(bound);
        let name = names.fresh(&format!("{}_at", result.name));
        let tensor = Tensor { name, element: Element::Index(bound), shape };
        let tensor = self.symbols.add_tensor(tensor);
        let rhs = Rhs::Index(value);
        self.out.push(Block::Stmt(Stmt { tensor, axes: used.clone(), rhs }));
        (tensor, used)
    }
}

/// The conditions under which everything that an index reads is in bounds, inner reads first.
struct Within<'a> {
    symbols: &'a Symbols,
    guards: Vec<Guard>,
}

impl Within<'_> {
    /// `0 <= index < bound`
    fn demand(&mut self, index: &Index, bound: &Extent) {
        self.guards.push(Guard::Compare(Cmp::Ge, index.clone(), Index::constant(0)));
        self.guards.push(Guard::Compare(Cmp::Lt, index.clone(), bound.clone()));
    }
}

impl Visit for Within<'_> {
    fn atom(&mut self, atom: &Atom) {
        walk_atom(self, atom);
        if let Atom::Read(tensor, indices) = atom {
            let symbols = self.symbols;
            for (index, extent) in indices.iter().zip(&symbols.tensor(*tensor).shape) {
                let whole = index.as_var().is_some_and(|v| symbols.var(v).range == *extent);
                if !whole {
                    self.demand(index, extent);
                }
            }
        }
    }
}

/// The names of parameters and results: a call knows them by name.
struct Names {
    interface: FxHashSet<TensorId>,
    taken: FxHashSet<String>,
}

impl Names {
    fn new(program: &TensorSsa) -> Self {
        let symbols = &program.symbols;
        let params = program.params.iter().filter_map(tensor_param);
        let interface: FxHashSet<TensorId> =
            params.chain(program.results.iter().copied()).collect();
        let mut taken: FxHashSet<String> = symbols.sizes.iter().cloned().collect();
        taken.extend(symbols.relations.iter().map(|r| r.name.clone()));
        taken.extend(interface.iter().map(|t| symbols.tensor(*t).name.clone()));
        Self { interface, taken }
    }

    fn fresh(&mut self, base: &str) -> String {
        let mut name = base.to_owned();
        let mut number = 1_u32;
        while !self.taken.insert(name.clone()) {
            name = format!("{base}_{number}");
            number += 1;
        }
        name
    }
}
