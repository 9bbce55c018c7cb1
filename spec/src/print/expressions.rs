//! Expressions: parentheses by the rows of the precedence table.

use super::Printer;
use crate::ast::{ChainOp, Expr, ExprKind, LogicOp, Sign, Stmt, UnaryOp};

/// The rows of the precedence table, loosest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Row {
    /// `for`, `if`, `let`: these extend as far to the right as possible
    Open,
    Or,
    And,
    Not,
    Compare,
    Sum,
    Minus,
    Chain,
    Power,
    Operand,
}

fn row(expr: &Expr) -> Row {
    match &expr.kind {
        ExprKind::For(..) | ExprKind::If(..) | ExprKind::Let(..) => Row::Open,
        ExprKind::Logic(LogicOp::Or, _) => Row::Or,
        ExprKind::Logic(LogicOp::And, _) => Row::And,
        ExprKind::Unary(UnaryOp::Not, _) => Row::Not,
        ExprKind::Compare(..) => Row::Compare,
        ExprKind::Sum(_) => Row::Sum,
        ExprKind::Unary(UnaryOp::Neg, _) => Row::Minus,
        ExprKind::Chain(_) | ExprKind::Reduce { .. } => Row::Chain,
        ExprKind::Power(..) => Row::Power,
        ExprKind::Number(_)
        | ExprKind::Name(_)
        | ExprKind::Access(..)
        | ExprKind::Call(..)
        | ExprKind::Bracket(_) => Row::Operand,
    }
}

/// Expressions, each in a place that takes rows of the table from some row on.
impl Printer {
    /// Between brackets, commas, keywords or line ends: no parentheses.
    pub(super) fn delimited(&mut self, expr: &Expr) {
        self.operand(Row::Open, expr);
    }

    /// In a place that takes `least` and what binds tighter.
    fn operand(&mut self, least: Row, expr: &Expr) {
        if row(expr) < least {
            self.parenthesised(expr);
        } else {
            self.bare(expr);
        }
    }

    fn parenthesised(&mut self, expr: &Expr) {
        self.text.push('(');
        self.bare(expr);
        self.text.push(')');
    }

    fn bare(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Number(text) | ExprKind::Name(text) => self.text.push_str(text),
            ExprKind::Access(name, indices) => {
                self.text.push_str(&name.text);
                self.brackets(indices);
            }
            ExprKind::Call(name, arguments) => {
                self.put(&[&name.text, "("]);
                self.list(arguments, Self::delimited);
                self.text.push(')');
            }
            ExprKind::Unary(UnaryOp::Neg, operand) => {
                self.text.push('-');
                self.operand(Row::Minus, operand);
            }
            ExprKind::Unary(UnaryOp::Not, operand) => {
                self.text.push_str("not ");
                self.operand(Row::Not, operand);
            }
            ExprKind::Sum(summands) => {
                for (place, (sign, summand)) in summands.iter().enumerate() {
                    self.summand(place, *sign, summand);
                }
            }
            ExprKind::Chain(factors) => self.chain(factors),
            ExprKind::Power(base, exponent) => {
                self.operand(Row::Operand, base);
                self.text.push('^');
                self.exponent(exponent);
            }
            ExprKind::Compare(first, rest) => {
                self.operand(Row::Sum, first);
                for (cmp, operand) in rest {
                    self.put(&[" ", cmp.symbol(), " "]);
                    self.operand(Row::Sum, operand);
                }
            }
            ExprKind::Logic(op, operands) => self.logic(*op, operands),
            ExprKind::Bracket(predicate) => {
                self.text.push('[');
                self.delimited(predicate);
                self.text.push(']');
            }
            ExprKind::Reduce { .. } | ExprKind::For(..) | ExprKind::If(..) | ExprKind::Let(..) => {
                self.form(expr);
            }
        }
    }

    fn form(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Reduce { op, binders, guard, body } => {
                self.put(&[op.name(), "("]);
                self.list(binders, Self::binder);
                if let Some(guard) = guard {
                    self.text.push_str(" where ");
                    self.delimited(guard);
                }
                self.text.push_str(") ");
                self.operand(Row::Minus, body);
            }
            ExprKind::For(binders, body) => {
                self.text.push_str("for(");
                self.list(binders, Self::binder);
                self.text.push_str(") ");
                self.delimited(body);
            }
            ExprKind::If(condition, yes, no) => {
                self.text.push_str("if ");
                self.delimited(condition);
                self.text.push_str(" then ");
                self.delimited(yes);
                self.text.push_str(" else ");
                self.delimited(no);
            }
            ExprKind::Let(statements, body) => {
                self.binding(statements);
                self.delimited(body);
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
            | ExprKind::Bracket(_) => unreachable!("`bare` prints the expressions without a head"),
        }
    }

    /// `let x = e in `, or a block of statements
    fn binding(&mut self, statements: &[Stmt]) {
        match statements {
            [Stmt::Def { targets, value }] => {
                self.text.push_str("let ");
                self.targets(targets);
                self.text.push_str(" = ");
                self.delimited(value);
            }
            several => {
                self.text.push_str("let {");
                self.block(several);
            }
        }
        self.text.push_str(" in ");
    }

    /// ` + e`; the first summand stands without a plus
    pub(super) fn summand(&mut self, place: usize, sign: Sign, summand: &Expr) {
        self.text.push_str(match (sign, place) {
            (Sign::Plus, 0) => "",
            (Sign::Minus, 0) => "-",
            (Sign::Plus, _) => " + ",
            (Sign::Minus, _) => " - ",
        });
        self.operand(Row::Minus, summand);
    }

    fn chain(&mut self, factors: &[(ChainOp, Expr)]) {
        for (place, (op, factor)) in factors.iter().enumerate() {
            self.text.push_str(match (op, place) {
                (ChainOp::Times, 0) => "",
                (ChainOp::Over, 0) => "1 / ",
                (ChainOp::Modulo, 0) => "1 % ",
                (ChainOp::Times, _) => " * ",
                (ChainOp::Over, _) => " / ",
                (ChainOp::Modulo, _) => " % ",
            });
            let last = place + 1 == factors.len();
            self.factor(factor, place > 0, last);
        }
    }

    /// A factor: after the first one a minus needs no parentheses, and the last
    /// one may be a reduction, which takes the rest of the chain.
    fn factor(&mut self, factor: &Expr, later: bool, last: bool) {
        if let ExprKind::Unary(UnaryOp::Neg, operand) = &factor.kind
            && later
        {
            self.text.push('-');
            self.factor(operand, later, last);
        } else if last && matches!(factor.kind, ExprKind::Reduce { .. }) {
            self.bare(factor);
        } else {
            self.operand(Row::Power, factor);
        }
    }

    fn exponent(&mut self, exponent: &Expr) {
        if let ExprKind::Unary(UnaryOp::Neg, operand) = &exponent.kind {
            self.text.push('-');
            self.exponent(operand);
        } else {
            self.operand(Row::Power, exponent);
        }
    }

    fn logic(&mut self, op: LogicOp, operands: &[Expr]) {
        let (word, least) = match op {
            LogicOp::And => (" and ", Row::Not),
            LogicOp::Or => (" or ", Row::And),
        };
        for (place, operand) in operands.iter().enumerate() {
            if place > 0 {
                self.text.push_str(word);
            }
            self.operand(least, operand);
        }
    }
}
