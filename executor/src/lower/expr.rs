//! Expressions of the language as expressions of loops.

use super::Lower;
use crate::loops::{Cond, Int, Real};
use iverson_spec::function::Fun;
use iverson_spec::ir::{Atom, Block, Def, Expr, Guard, Index, TensorId, Value, VarId};
use rustc_hash::FxHashMap;

/// What variables, and the parameters of users' functions, stand for.
#[derive(Clone, Default)]
pub(super) struct Env {
    /// By variable.
    pub(super) ints: FxHashMap<VarId, Int>,
    /// By rank-0 tensor that is no buffer.
    pub(super) reals: FxHashMap<TensorId, Real>,
}

impl Lower<'_> {
    /// An index expression.
    pub(super) fn int(&self, env: &Env, index: &Index) -> Int {
        let terms = index.terms().iter().map(|(atom, c)| (*c, self.atom(env, atom)));
        Int::linear(terms, index.constant_part())
    }

    /// An atom of an index expression.
    pub(super) fn atom(&self, env: &Env, atom: &Atom) -> Int {
        match atom {
            Atom::Size(size) => Int::Size(*size),
            Atom::Var(var) => env.ints.get(var).cloned().unwrap_or_else(|| {
                unreachable!(
                    "every variable has a value where it occurs (invariant 5 of Tensor SSA)"
                )
            }),
            Atom::Read(tensor, indices) => Int::Load(self.buffer(*tensor), self.ints(env, indices)),
            Atom::Div(e, k) => self.int(env, e).divided(*k),
            Atom::Mod(e, k) => self.int(env, e).remainder(*k),
            Atom::Floor(e) => Int::Floor(Box::new(self.real(env, e))),
            Atom::If(parts) => Int::Select(Box::new((
                self.cond(env, &parts.0),
                self.int(env, &parts.1),
                self.int(env, &parts.2),
            ))),
            Atom::Arg(_) => unreachable!("indices hold no `argmax` (invariant 9 of Tensor SSA)"),
        }
    }

    pub(super) fn ints(&self, env: &Env, indices: &[Index]) -> Vec<Int> {
        indices.iter().map(|index| self.int(env, index)).collect()
    }

    /// A real expression.
    pub(super) fn real(&self, env: &Env, expr: &Expr) -> Real {
        match expr {
            Expr::Const(number) => Real::Const(number.nearest()),
            Expr::Pi => Real::Const(std::f64::consts::PI),
            Expr::Real(index) => Real::Int(self.int(env, index)),
            Expr::Access(tensor, indices) => match env.reals.get(tensor) {
                Some(value) => value.clone(),
                None => Real::Load(self.buffer(*tensor), self.ints(env, indices)),
            },
            Expr::Apply(Fun::User(function), args) => {
                let function = self.symbols.function(*function);
                let args = args.iter().map(|arg| self.real(env, arg));
                let mut inner = env.clone();
                inner.reals.extend(function.params.iter().copied().zip(args.collect::<Vec<_>>()));
                self.real(&inner, &function.value)
            }
            Expr::Apply(fun, args) => {
                Real::Apply(*fun, args.iter().map(|arg| self.real(env, arg)).collect())
            }
            Expr::Guarded(guard, body) => Real::Select(Box::new((
                self.cond(env, guard),
                self.real(env, body),
                Real::Const(0.0),
            ))),
            Expr::If(guard, sides) => Real::Select(Box::new((
                self.cond(env, guard),
                self.real(env, &sides.0),
                self.real(env, &sides.1),
            ))),
            Expr::Let(blocks, body) => {
                let mut inner = env.clone();
                for block in blocks {
                    let Some((tensor, value)) = scalar(block) else {
                        unreachable!("users' functions that are more than formulas were lifted")
                    };
                    let value = self.real(&inner, value);
                    inner.reals.insert(tensor, value);
                }
                self.real(&inner, body)
            }
            Expr::Reduce(_) => {
                unreachable!("bodies hold no reductions (invariant 9 of Tensor SSA)")
            }
        }
    }

    /// A proposition.
    pub(super) fn cond(&self, env: &Env, guard: &Guard) -> Cond {
        let all = |parts: &[Guard]| parts.iter().map(|part| self.cond(env, part)).collect();
        match guard {
            Guard::Compare(cmp, a, b) => {
                Cond::Int((*cmp).into(), self.int(env, a), self.int(env, b))
            }
            Guard::Real(cmp, sides) => Cond::Real(
                (*cmp).into(),
                Box::new((self.real(env, &sides.0), self.real(env, &sides.1))),
            ),
            Guard::Member(relation, indices) => Cond::Member(*relation, self.ints(env, indices)),
            Guard::Not(inner) => Cond::Not(Box::new(self.cond(env, inner))),
            Guard::All(parts) => Cond::All(all(parts)),
            Guard::Any(parts) => Cond::Any(all(parts)),
        }
    }
}

/// The definition of a real scalar.
fn scalar(block: &Block<Def>) -> Option<(TensorId, &Expr)> {
    match block {
        Block::Stmt(Def { tensor, axes, value: Value::Real(value) }) if axes.is_empty() => {
            Some((*tensor, value))
        }
        Block::Stmt(_) | Block::Rec(_) | Block::Requires(_) => None,
    }
}

/// Whether an expression is one formula: no reductions, and no `let` but of real scalars.
pub(super) fn is_formula(expr: &Expr) -> bool {
    match expr {
        Expr::Const(_) | Expr::Pi | Expr::Real(_) | Expr::Access(..) => true,
        Expr::Apply(_, args) => args.iter().all(is_formula),
        Expr::Guarded(_, body) => is_formula(body),
        Expr::If(_, sides) => is_formula(&sides.0) && is_formula(&sides.1),
        Expr::Reduce(_) => false,
        Expr::Let(blocks, body) => {
            let formulas = blocks.iter().all(|b| scalar(b).is_some_and(|(_, e)| is_formula(e)));
            formulas && is_formula(body)
        }
    }
}
