//! What both modes need of a program: the inputs named, the tensors that matter,
//! and names for what is added.

use crate::AdError;
use iverson_spec::ir::{Element, Expr, Index, Param, Symbols, Tensor, TensorId, VarId};
use iverson_spec::ssa::{Rhs, Stmt, TensorSsa, Term};
use iverson_spec::verify::stmts;
use rustc_hash::{FxHashMap, FxHashSet};

/// A program with a linear map beside what it computes: the images are linear
/// functions of the seeds. Its statements read the seeds and do not define them:
/// they become parameters, or statements in front.
pub(crate) struct LinearMap {
    pub(crate) program: TensorSsa,
    pub(crate) seeds: Vec<TensorId>,
    pub(crate) images: Vec<TensorId>,
}

/// The parameters named: real ones, each once.
pub(crate) fn inputs(program: &TensorSsa, names: &[&str]) -> Result<Vec<TensorId>, AdError> {
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        let tensor = input(program, name)?;
        if found.contains(&tensor) {
            return Err(AdError::NamedTwice { name: (*name).to_owned() });
        }
        found.push(tensor);
    }
    Ok(found)
}

/// The inputs among those named on which no real result depends: every derivative in
/// them is zero. A program says that with a definition `x_bar[i: n] = 0`; who asked for
/// the derivative should be told.
///
/// # Errors
/// [`AdError`], if a name is no real parameter or named twice.
pub fn inactive<'n>(program: &TensorSsa, names: &[&'n str]) -> Result<Vec<&'n str>, AdError> {
    let wrt = inputs(program, names)?;
    let useful = Dependence::new(program).sources(&real_results(program));
    let named = names.iter().zip(wrt).filter(|(_, input)| !useful.contains(input));
    Ok(named.map(|(name, _)| *name).collect())
}

fn input(program: &TensorSsa, name: &str) -> Result<TensorId, AdError> {
    let symbols = &program.symbols;
    let not = |reason| AdError::NotAnInput { name: name.to_owned(), reason };
    for param in &program.params {
        match *param {
            Param::Tensor(t) if symbols.tensor(t).name == name => {
                return match symbols.tensor(t).element {
                    Element::Real => Ok(t),
                    Element::Index(_) => Err(not("is an index tensor, and indices are constant")),
                };
            }
            Param::Size(s) if symbols.sizes[s.index()] == name => {
                return Err(not("is a size, and sizes are constant"));
            }
            Param::Relation(r) if symbols.relation(r).name == name => {
                return Err(not("is a relation, and relations are constant"));
            }
            Param::Size(_) | Param::Tensor(_) | Param::Relation(_) => {}
        }
    }
    Err(not("is not a parameter"))
}

/// Which definition accesses which tensor in a body. Guards and indices do not
/// count: they are constant.
pub(crate) struct Dependence {
    /// The pairs (what is defined, what it accesses).
    pairs: Vec<(TensorId, TensorId)>,
}

impl Dependence {
    pub(crate) fn new(program: &TensorSsa) -> Self {
        let mut pairs = Vec::new();
        for stmt in stmts(&program.body) {
            let mut add = |accessed| pairs.push((stmt.tensor, accessed));
            bodies(stmt).into_iter().for_each(|term| accesses(&term.body, &mut add));
        }
        Self { pairs }
    }

    /// The tensors that depend on one of `from`, and those themselves.
    pub(crate) fn dependents(&self, from: &[TensorId]) -> FxHashSet<TensorId> {
        reach(from, self.pairs.iter().map(|(defined, accessed)| (*accessed, *defined)))
    }

    /// The tensors on which one of `from` depends, and those themselves.
    pub(crate) fn sources(&self, from: &[TensorId]) -> FxHashSet<TensorId> {
        reach(from, self.pairs.iter().copied())
    }

    /// The tensors that some definition among `by` accesses.
    pub(crate) fn accessed(&self, by: &FxHashSet<TensorId>) -> FxHashSet<TensorId> {
        let pairs = self.pairs.iter().filter(|(defined, _)| by.contains(defined));
        pairs.map(|(_, accessed)| *accessed).collect()
    }
}

/// What can be reached by arrows, in time linear in their number.
fn reach(
    from: &[TensorId],
    arrows: impl Iterator<Item = (TensorId, TensorId)>,
) -> FxHashSet<TensorId> {
    let mut next: FxHashMap<TensorId, Vec<TensorId>> = FxHashMap::default();
    arrows.for_each(|(a, b)| next.entry(a).or_default().push(b));
    let mut found: FxHashSet<TensorId> = from.iter().copied().collect();
    let mut open = from.to_vec();
    while let Some(tensor) = open.pop() {
        let fresh = next.remove(&tensor).unwrap_or_default();
        open.extend(fresh.into_iter().filter(|t| found.insert(*t)));
    }
    found
}

fn accesses(e: &Expr, found: &mut impl FnMut(TensorId)) {
    match e {
        Expr::Access(tensor, _) => found(*tensor),
        Expr::Apply(_, args) => args.iter().for_each(|a| accesses(a, found)),
        Expr::Const(_) | Expr::Pi | Expr::Real(_) => {}
        Expr::Guarded(..) | Expr::If(..) | Expr::Reduce(_) | Expr::Let(..) => {
            unreachable!("a body of Tensor SSA holds no compound expression (invariant 9)")
        }
    }
}

/// The terms of a real statement.
fn bodies(stmt: &Stmt) -> Vec<&Term> {
    match &stmt.rhs {
        Rhs::Sum(terms) => terms.iter().collect(),
        Rhs::Fold(_, term) => vec![term],
        Rhs::Arg(..) | Rhs::Index(_) => Vec::new(),
    }
}

/// The real results.
pub(crate) fn real_results(program: &TensorSsa) -> Vec<TensorId> {
    let is_real = |t: &&TensorId| program.symbols.tensor(**t).element == Element::Real;
    program.results.iter().filter(is_real).copied().collect()
}

/// A fresh variable with the name and range of another.
pub(crate) fn copy_var(symbols: &mut Symbols, var: VarId) -> VarId {
    let row = symbols.var(var).clone();
    symbols.add_var(row.name, row.range)
}

/// Fresh variables for the axes of a tensor.
pub(crate) fn axes(symbols: &mut Symbols, tensor: TensorId) -> Vec<VarId> {
    let shape = symbols.tensor(tensor).shape.clone();
    let names = ["i", "j", "k", "l"].into_iter().cycle();
    shape.into_iter().zip(names).map(|(extent, name)| symbols.add_var(name, extent)).collect()
}

/// A real tensor shaped like `tensor`, named after it.
pub(crate) fn companion(symbols: &mut Symbols, tensor: TensorId, suffix: &str) -> TensorId {
    let row = symbols.tensor(tensor);
    let (name, shape) = (format!("{}{suffix}", row.name), row.shape.clone());
    symbols.add_tensor(Tensor { name, element: Element::Real, shape })
}

/// `tensor[vars]`
pub(crate) fn access(tensor: TensorId, vars: &[VarId]) -> Expr {
    Expr::Access(tensor, vars.iter().map(|v| Index::var(*v)).collect())
}

/// Gives the parameters and results that a derivative adds names of their own: a
/// call knows them by name.
pub(crate) fn name_added(derivative: &mut TensorSsa, program: &TensorSsa) {
    let symbols = &mut derivative.symbols;
    let mut taken: FxHashSet<String> = symbols.sizes.iter().cloned().collect();
    taken.extend(symbols.relations.iter().map(|r| r.name.clone()));
    let mut known = FxHashSet::default();
    for tensor in interface(program) {
        known.insert(tensor);
        taken.insert(symbols.tensor(tensor).name.clone());
    }
    let params = derivative.params.iter().filter_map(tensor_param);
    for tensor in params.chain(derivative.results.iter().copied()) {
        if known.insert(tensor) {
            let base = symbols.tensor(tensor).name.clone();
            let mut name = base.clone();
            let mut number = 1_u32;
            while !taken.insert(name.clone()) {
                name = format!("{base}_{number}");
                number += 1;
            }
            symbols.tensors[tensor.index()].name = name;
        }
    }
}

fn interface(program: &TensorSsa) -> impl Iterator<Item = TensorId> {
    program.params.iter().filter_map(tensor_param).chain(program.results.iter().copied())
}

fn tensor_param(param: &Param) -> Option<TensorId> {
    match param {
        Param::Tensor(tensor) => Some(*tensor),
        Param::Size(_) | Param::Relation(_) => None,
    }
}

/// Moving a variable leaves its coefficient as it is.
pub(crate) fn overflow() -> ! {
    unreachable!("ad: a coefficient of an index expression overflowed")
}
