//! Programs with one guard left out.

use iverson::spec::ast::{Expr, ExprKind, Item, LogicOp, Module, Stmt};

/// How many guards there are to leave out.
pub(crate) fn guards(module: &Module) -> usize {
    let mut drop = Drop { left: usize::MAX };
    drop.module(&mut module.clone());
    usize::MAX - drop.left
}

/// The program without the guard at this place, of `0..guards(module)`.
pub(crate) fn without(module: &Module, place: usize) -> Module {
    let mut module = module.clone();
    Drop { left: place }.module(&mut module);
    module
}

/// Leaves out the guard that it comes to when `left` is 0.
struct Drop {
    left: usize,
}

impl Drop {
    /// Whether this is the one.
    fn here(&mut self) -> bool {
        let here = self.left == 0;
        self.left = self.left.wrapping_sub(1);
        here
    }

    fn module(&mut self, module: &mut Module) {
        for item in &mut module.items {
            if let Item::Fn(function) = item {
                self.stmts(&mut function.body);
            }
        }
    }

    fn stmts(&mut self, stmts: &mut [Stmt]) {
        for stmt in stmts {
            match stmt {
                Stmt::Def { value, .. } => self.expr(value),
                Stmt::Rec { body, .. } => self.stmts(body),
                Stmt::Requires { .. } => {}
            }
        }
    }

    fn exprs<'e>(&mut self, exprs: impl IntoIterator<Item = &'e mut Expr>) {
        exprs.into_iter().for_each(|e| self.expr(e));
    }

    fn expr(&mut self, e: &mut Expr) {
        self.inside(&mut e.kind);
        if let Some(kind) = self.guarded(&mut e.kind) {
            e.kind = kind;
        }
    }

    /// Leaves out a guard of this very expression; gives what takes its place.
    fn guarded(&mut self, kind: &mut ExprKind) -> Option<ExprKind> {
        match kind {
            ExprKind::Chain(items) if items.len() > 1 => {
                let bracket = |(_, e): &(_, Expr)| matches!(e.kind, ExprKind::Bracket(_));
                let place = (0..items.len()).find(|at| bracket(&items[*at]) && self.here())?;
                items.remove(place);
                if items.len() == 1 { items.pop().map(|(_, e)| e.kind) } else { None }
            }
            ExprKind::Reduce { guard, .. } if guard.is_some() && self.here() => {
                *guard = None;
                None
            }
            ExprKind::If(_, then, _) if self.here() => Some(then.kind.clone()),
            ExprKind::Logic(LogicOp::And, parts) => {
                let place = (0..parts.len()).find(|_| self.here())?;
                parts.remove(place);
                if parts.len() == 1 { parts.pop().map(|e| e.kind) } else { None }
            }
            ExprKind::Number(_)
            | ExprKind::Name(_)
            | ExprKind::Access(..)
            | ExprKind::Call(..)
            | ExprKind::Unary(..)
            | ExprKind::Sum(_)
            | ExprKind::Chain(_)
            | ExprKind::Power(..)
            | ExprKind::Compare(..)
            | ExprKind::Logic(..)
            | ExprKind::Bracket(_)
            | ExprKind::Reduce { .. }
            | ExprKind::For(..)
            | ExprKind::If(..)
            | ExprKind::Let(..) => None,
        }
    }

    fn inside(&mut self, kind: &mut ExprKind) {
        match kind {
            ExprKind::Number(_) | ExprKind::Name(_) => {}
            ExprKind::Access(_, args) | ExprKind::Call(_, args) | ExprKind::Logic(_, args) => {
                self.exprs(args);
            }
            ExprKind::Unary(_, e) | ExprKind::Bracket(e) | ExprKind::For(_, e) => self.expr(e),
            ExprKind::Sum(items) => self.exprs(items.iter_mut().map(|(_, e)| e)),
            ExprKind::Chain(items) => self.exprs(items.iter_mut().map(|(_, e)| e)),
            ExprKind::Power(a, b) => self.exprs([&mut **a, &mut **b]),
            ExprKind::Compare(first, rest) => {
                self.expr(first);
                self.exprs(rest.iter_mut().map(|(_, e)| e));
            }
            ExprKind::Reduce { guard, body, .. } => {
                self.exprs(guard.as_deref_mut());
                self.expr(body);
            }
            ExprKind::If(p, a, b) => self.exprs([&mut **p, &mut **a, &mut **b]),
            ExprKind::Let(stmts, body) => {
                self.stmts(stmts);
                self.expr(body);
            }
        }
    }
}
