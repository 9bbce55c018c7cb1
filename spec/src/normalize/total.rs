//! Which expressions have a value in every scalar, wherever they are in bounds.
//!
//! Such a part may be computed where the program as written does not reach it: no
//! error can come of it. Rationals have no infinities, few functions, and fail to
//! divide by zero; intervals cannot decide every comparison of reals.

use crate::ast::Reduction;
use crate::function::Fun;
use crate::ir::{Atom, Block, Def, Expr, Guard, Value};
use crate::traverse::{Visit, walk_atom, walk_expr, walk_guard};

/// Powers up to this one are products.
const MAX_POWER: i64 = 64;

/// Whether `e` has a value in every scalar where its accesses are in bounds.
pub(super) fn is_total(e: &Expr) -> bool {
    let mut look = Total(true);
    look.expr(e);
    look.0
}

struct Total(bool);

impl Total {
    fn apply(&mut self, fun: Fun, args: &[Expr]) {
        self.0 &= match fun {
            Fun::Add | Fun::Neg | Fun::Mul | Fun::Abs | Fun::Min | Fun::Max => true,
            Fun::Div => matches!(&args[1], Expr::Const(n) if n.as_integer() != Some(0)),
            Fun::Pow => matches!(&args[1], Expr::Const(n)
                if n.as_integer().is_some_and(|n| (0..=MAX_POWER).contains(&n))),
            Fun::Exp
            | Fun::Expm1
            | Fun::Log
            | Fun::Log1p
            | Fun::Sin
            | Fun::Cos
            | Fun::Tan
            | Fun::Asin
            | Fun::Acos
            | Fun::Atan
            | Fun::Atan2
            | Fun::Sinh
            | Fun::Cosh
            | Fun::Tanh
            | Fun::Sqrt
            | Fun::Sigmoid
            | Fun::Erf
            | Fun::Lgamma
            | Fun::Digamma
            | Fun::Trigamma
            | Fun::User(_) => false,
        };
    }

    fn blocks(&mut self, blocks: &[Block<Def>]) {
        for block in blocks {
            match block {
                Block::Stmt(def) => match &def.value {
                    Value::Real(e) => self.expr(e),
                    Value::Index(_) => self.0 = false,
                },
                Block::Rec(_) | Block::Requires(_) => self.0 = false,
            }
        }
    }
}

impl Visit for Total {
    fn expr(&mut self, e: &Expr) {
        match e {
            Expr::Pi => self.0 = false,
            Expr::Apply(fun, args) => {
                self.apply(*fun, args);
                walk_expr(self, e);
            }
            Expr::Reduce(reduce) => {
                self.0 &= matches!(reduce.op, Reduction::Sum | Reduction::Prod);
                walk_expr(self, e);
            }
            Expr::Let(blocks, body) => {
                self.blocks(blocks);
                self.expr(body);
            }
            Expr::Const(_)
            | Expr::Real(_)
            | Expr::Access(..)
            | Expr::Guarded(..)
            | Expr::If(..) => walk_expr(self, e),
        }
    }

    fn guard(&mut self, guard: &Guard) {
        self.0 &= !matches!(guard, Guard::Real(..));
        walk_guard(self, guard);
    }

    fn atom(&mut self, atom: &Atom) {
        self.0 &= !matches!(atom, Atom::Floor(_) | Atom::Arg(_));
        walk_atom(self, atom);
    }
}
