//! The points that an enumeration visits, counted by trying every point of the box.
//!
//! A second implementation of what chapter 3 calls *visited*, from its words.

use iverson::interpreter::Rational;
use iverson::spec::ast::Cmp;
use iverson::spec::call::{Value, Values, extent_value};
use iverson::spec::ir::{Atom, Expr, Guard, Index, TensorId, VarId};
use iverson::spec::ssa::{Rhs, Stmt, TensorSsa, Term};
use iverson::spec::traverse::FreeVars;

/// A program with the values of its sizes, parameters and definitions by name.
pub(crate) struct Points<'p> {
    program: &'p TensorSsa,
    values: &'p Values<Rational>,
    sizes: Vec<i64>,
    vars: Vec<i64>,
}

impl<'p> Points<'p> {
    pub(crate) fn new(program: &'p TensorSsa, values: &'p Values<Rational>) -> Self {
        let size = |name: &String| match &values[name] {
            Value::Size(n) => i64::try_from(*n).unwrap_or(i64::MAX),
            Value::Real(_) | Value::Index(_) | Value::Relation(_) => 0,
        };
        let sizes = program.symbols.sizes.iter().map(size).collect();
        Self { program, values, sizes, vars: vec![0; program.symbols.vars.len()] }
    }

    /// The points that the terms of a statement visit.
    pub(crate) fn visited(&mut self, stmt: &Stmt) -> u64 {
        match &stmt.rhs {
            Rhs::Sum(terms) => terms.iter().map(|t| self.term(&stmt.axes, t)).sum(),
            Rhs::Fold(_, term) | Rhs::Arg(_, term) => self.term(&stmt.axes, term),
            Rhs::Index(_) => self.count(&stmt.axes, &[]),
        }
    }

    fn term(&mut self, axes: &[VarId], term: &Term) -> u64 {
        let conjuncts: Vec<Guard> = term.guard.clone().conjuncts();
        let enumerable: Vec<Guard> =
            conjuncts.into_iter().filter(|g| is_enumerable(g, true)).collect();
        self.count(&[axes, &term.binders].concat(), &enumerable)
    }

    fn count(&mut self, vars: &[VarId], guards: &[Guard]) -> u64 {
        let Some((var, rest)) = vars.split_first() else {
            return u64::from(guards.iter().all(|g| self.guard(g) == Some(true)));
        };
        let range = extent_value(&self.program.symbols.var(*var).range, &self.sizes).unwrap_or(0);
        let mut visited = 0;
        for at in 0..range {
            self.vars[var.index()] = at;
            visited += self.count(rest, guards);
        }
        visited
    }

    /// `None` where it cannot be evaluated.
    fn guard(&self, guard: &Guard) -> Option<bool> {
        match guard {
            Guard::Compare(cmp, a, b) => Some(cmp.test(self.index(a)?.cmp(&self.index(b)?))),
            Guard::Member(relation, indices) => {
                let name = &self.program.symbols.relation(*relation).name;
                let tuple = indices.iter().map(|i| self.index(i)).collect::<Option<Vec<i64>>>()?;
                match &self.values[name] {
                    Value::Relation(relation) => Some(relation.contains(&tuple)),
                    Value::Size(_) | Value::Real(_) | Value::Index(_) => None,
                }
            }
            Guard::Not(p) => Some(!self.guard(p)?),
            Guard::All(ps) => {
                for p in ps {
                    if !self.guard(p)? {
                        return Some(false);
                    }
                }
                Some(true)
            }
            Guard::Any(ps) => {
                for p in ps {
                    if self.guard(p)? {
                        return Some(true);
                    }
                }
                Some(false)
            }
            Guard::Real(..) => None,
        }
    }

    fn index(&self, index: &Index) -> Option<i64> {
        let terms = index.terms().iter().map(|(atom, c)| Some(c * self.atom(atom)?));
        Some(terms.sum::<Option<i64>>()? + index.constant_part())
    }

    fn atom(&self, atom: &Atom) -> Option<i64> {
        match atom {
            Atom::Size(size) => Some(self.sizes[size.index()]),
            Atom::Var(var) => Some(self.vars[var.index()]),
            Atom::Div(e, k) => Some(self.index(e)?.div_euclid(*k)),
            Atom::Mod(e, k) => Some(self.index(e)?.rem_euclid(*k)),
            Atom::Read(tensor, indices) => match self.entry(*tensor, indices)? {
                (Value::Index(p), place) => p.data.get(place).copied(),
                _ => None,
            },
            Atom::Floor(e) => {
                if let Expr::Const(n) = &**e {
                    return i64::try_from(n.exact().floor()).ok();
                }
                let Expr::Access(tensor, indices) = &**e else { return None };
                let (Value::Real(x), place) = self.entry(*tensor, indices)? else { return None };
                i64::try_from(x.data.get(place)?.0.floor()).ok()
            }
            Atom::If(_) | Atom::Arg(_) => None,
        }
    }

    /// The tensor and the place of an entry within its bounds.
    fn entry(&self, tensor: TensorId, indices: &[Index]) -> Option<(&Value<Rational>, usize)> {
        let value = self.values.get(&self.program.symbols.tensor(tensor).name)?;
        let shape = match value {
            Value::Real(x) => &x.shape,
            Value::Index(p) => &p.shape,
            Value::Size(_) | Value::Relation(_) => return None,
        };
        let mut place = 0;
        for (index, extent) in indices.iter().zip(shape) {
            let at = usize::try_from(self.index(index)?).ok().filter(|at| at < extent)?;
            place = place * extent + at;
        }
        Some((value, place))
    }
}

/// Whether all atoms of a guard, negated if not `positive`, can be enumerated.
fn is_enumerable(guard: &Guard, positive: bool) -> bool {
    match guard {
        Guard::Compare(cmp, a, b) => {
            let cmp = if positive { *cmp } else { cmp.negate() };
            match (has_data(a), has_data(b)) {
                (Some(false), Some(false)) => true,
                (Some(_), Some(_)) => cmp == Cmp::Eq || cmp != Cmp::Ne && has_segment(a, b),
                _ => false,
            }
        }
        Guard::Real(..) => false,
        Guard::Member(_, indices) => positive && indices.iter().all(|i| has_data(i).is_some()),
        Guard::Not(p) => is_enumerable(p, !positive),
        Guard::All(ps) | Guard::Any(ps) => ps.iter().all(|p| is_enumerable(p, positive)),
    }
}

/// Whether data occur; nothing if something occurs that is neither affine nor data.
fn has_data(index: &Index) -> Option<bool> {
    index.terms().iter().try_fold(false, |data, (atom, _)| match atom {
        Atom::Size(_) | Atom::Var(_) => Some(data),
        Atom::Div(e, _) | Atom::Mod(e, _) => Some(data | has_data(e)?),
        Atom::Read(_, indices) => indices.iter().all(|i| has_data(i).is_some()).then_some(true),
        Atom::Floor(_) => Some(true),
        Atom::If(_) | Atom::Arg(_) => None,
    })
}

/// Whether an inequality bounds a variable that nothing else in it depends on.
fn has_segment(a: &Index, b: &Index) -> bool {
    let Some(difference) = a.sub(b) else { return false };
    let terms = difference.terms();
    terms.iter().any(|(atom, c)| {
        let Atom::Var(var) = atom else { return false };
        let others = terms.iter().filter(|(other, _)| other != atom);
        let free = |(other, _): &(Atom, i64)| {
            !FreeVars::of_index(&Index::atom(other.clone())).contains(var)
        };
        c.abs() == 1 && others.into_iter().all(free)
    })
}
