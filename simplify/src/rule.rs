//! The laws as a table.

use crate::alike::{complementary_guards, like_terms};
use crate::constants::{fold_constants, join_quotients, one, zero, zero_term};
use crate::dead::drop_dead;
use crate::divide::{divide_by_constant, fold_quotient};
use crate::forward::{compose_gather, copy, share};
use crate::guards::{
    absorb_true, canonical_comparison, contradiction, merge_guards, redundant_guard, same_guard,
};
use crate::scope::Scope;
use crate::solve::{divisibility, sift, sift_read, solve_equality};
use crate::split::{drop_empty_sum, empty_binders, split_or};
use iverson_spec::ir::{Expr, Guard, Index, TensorId};
use iverson_spec::ssa::{Stmt, TensorSsa, Term};
use rustc_hash::FxHashSet;

/// A law that is applied from left to right.
pub struct Rule {
    /// Its name in the trace and in chapter 6.
    pub name: &'static str,
    /// The equation, as chapter 6 prints it.
    pub law: &'static str,
    /// Whether both sides are the same `f64`, wherever the left one is a number.
    pub exact: bool,
    pub(crate) apply: Apply,
}

/// What a rule looks at.
#[derive(Clone, Copy)]
pub(crate) enum Apply {
    /// An index expression, anywhere.
    Index(fn(&Scope<'_>, &Index) -> Option<Index>),
    /// The guard of a term; not of `argmax` and `argmin`, whose sort depends on it.
    Guard(fn(&Scope<'_>, &Guard) -> Option<Guard>),
    /// The body of a term.
    Body(fn(&Scope<'_>, &Expr) -> Option<Expr>),
    /// A term of a sum, which becomes some terms or none.
    Term(fn(&mut Scope<'_>, &Term) -> Option<Vec<Term>>),
    /// A statement.
    Stmt(fn(&mut Scope<'_>, &Stmt) -> Option<Stmt>),
    /// The program.
    Program(fn(&TensorSsa) -> Option<Change>),
}

/// What a rule on programs did.
pub(crate) struct Change {
    pub(crate) program: TensorSsa,
    /// The tensors that the rule is about.
    pub(crate) fired: Vec<TensorId>,
    /// The tensors whose statements are to be simplified again.
    pub(crate) touched: FxHashSet<TensorId>,
}

macro_rules! rules {
    ($($name:literal, $law:literal, $exact:literal, $kind:ident($f:ident);)*) => {
        /// Every law, in the order in which they are tried: those on programs first, then those on
        /// terms, then those on statements.
        pub const RULES: &[Rule] = &[
            $(Rule { name: $name, law: $law, exact: $exact, apply: Apply::$kind($f) },)*
        ];
    };
}

rules! {
    "drop-dead", "a statement that nothing reads may go", true, Program(drop_dead);
    "copy", "e(t[β]) = e(s[α(β)]) where t[i] = s[α(i)]", true, Program(copy);
    "compose-gather", "x[q[β]] = x[a(β)] where q[i] = a(i)", true, Program(compose_gather);
    "share", "equal right sides define equal tensors", false, Program(share);
    "fold-quotient", "(d a + b) / d = a + b / d, (d a + b) % d = b % d", true, Index(fold_quotient);
    "canonical-comparison", "a < b ⇔ 0 < b - a; [e = e] = 1", true, Guard(canonical_comparison);
    "absorb-true", "[true and p] = [p], [false or p] = [p]", true, Guard(absorb_true);
    "merge-guards", "[p] [q] = [p and q]", true, Guard(merge_guards);
    "same-guard", "[p] [p] = [p], [p] [not p or q] = [p] [q]", true, Guard(same_guard);
    "zero", "0 e = 0, 0 + e = e", false, Body(zero);
    "one", "1 e = e, e / 1 = e, e^1 = e, e^0 = 1", true, Body(one);
    "fold-constants", "c (d e) = (c d) e", false, Body(fold_constants);
    "join-quotients", "(a / b) c = (a c) / b", false, Body(join_quotients);
    "drop-zero-term", "0 + e = e", true, Term(zero_term);
    "drop-empty-sum", "sum(i: 0) e = 0", true, Term(drop_empty_sum);
    "sift", "sum(i: n) [i = a] e(i) = [0 <= a < n] e(a)", true, Term(sift);
    "solve-equality", "sum(i: n) [k = i + c] e(i) = [0 <= k - c < n] e(k - c)", true, Term(solve_equality);
    "sift-read", "sum(j: m) [j = p[i]] e(j) = e(p[i])", true, Term(sift_read);
    "divisibility", "sum(i: n) [k = a i] e(i) = [a divides k and 0 <= k < a n] e(k / a)", true, Term(divisibility);
    "divide-by-constant", "sum(i: n) [k = i / d] e(i) = sum(r: d) [d k + r < n] e(d k + r)", true, Term(divide_by_constant);
    "split-or", "[p or q] e = [p] e + [not p and q] e", false, Term(split_or);
    "contradiction", "[p] e = 0 when p is false", true, Term(contradiction);
    "redundant-guard", "[p] [q] = [q] when q implies p", true, Guard(redundant_guard);
    "empty-binders", "sum(i: n where p) e = [n > 0 and p] real(n) e", false, Term(empty_binders);
    "like-terms", "c e + d e = (c + d) e", false, Stmt(like_terms);
    "complementary-guards", "[p] e + [not p] e = e", false, Stmt(complementary_guards);
}
