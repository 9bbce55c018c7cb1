//! Integer literals, which are read as indices where nothing says that they are reals.

use crate::ast::{Expr, ExprKind, UnaryOp};

/// Whether only integer literals occur, so that it could be read as an index.
pub(super) fn is_integer(e: &Expr) -> bool {
    match &e.kind {
        ExprKind::Number(text) => text.bytes().all(|b| b.is_ascii_digit()),
        ExprKind::Unary(UnaryOp::Neg, e) | ExprKind::Power(e, _) => is_integer(e),
        ExprKind::Sum(items) => items.iter().all(|(_, e)| is_integer(e)),
        ExprKind::Chain(items) => items.iter().all(|(_, e)| is_integer(e)),
        ExprKind::If(_, a, b) => is_integer(a) && is_integer(b),
        ExprKind::Unary(UnaryOp::Not, _)
        | ExprKind::Name(_)
        | ExprKind::Access(..)
        | ExprKind::Call(..)
        | ExprKind::Compare(..)
        | ExprKind::Logic(..)
        | ExprKind::Bracket(_)
        | ExprKind::Reduce { .. }
        | ExprKind::For(..)
        | ExprKind::Let(..) => false,
    }
}

/// Writes the first integer literal as `1.0`.
pub(super) fn say_real(e: &mut Expr) {
    match &mut e.kind {
        ExprKind::Number(text) => text.push_str(".0"),
        ExprKind::Unary(_, e) | ExprKind::Power(e, _) | ExprKind::If(_, e, _) => say_real(e),
        ExprKind::Sum(items) => items.iter_mut().take(1).for_each(|(_, e)| say_real(e)),
        ExprKind::Chain(items) => items.iter_mut().take(1).for_each(|(_, e)| say_real(e)),
        ExprKind::Name(_)
        | ExprKind::Access(..)
        | ExprKind::Call(..)
        | ExprKind::Compare(..)
        | ExprKind::Logic(..)
        | ExprKind::Bracket(_)
        | ExprKind::Reduce { .. }
        | ExprKind::For(..)
        | ExprKind::Let(..) => {}
    }
}
