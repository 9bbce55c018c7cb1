//! The laws, as a table.
//!
//! Each row has the law as it is written in spec chapter 6, its side condition,
//! whether it is exact over floats, and the lemma in `spec/proofs` that states it.

use crate::context::{Context, Place};
use crate::{bodies, guards, quotients, ranges, solve, state, sums};
use iverson_spec::ssa::Term;

/// Whether a law keeps every bit of an `f64` result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exact {
    /// It changes which points are visited or how they are found, and no arithmetic.
    Always,
    /// It adds or multiplies in another order, or fewer numbers: exact over the
    /// rationals, and up to rounding (and to NaN times 0) over floats.
    Rationals,
}

/// How a law is applied.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Apply {
    /// To one term of a sum: what stands for it, if the law fires.
    Term(fn(&mut Context, Place<'_>, &Term) -> Option<Vec<Term>>),
    /// To all terms of a sum together.
    Sum(fn(&mut Context, Place<'_>, &[Term]) -> Option<Vec<Term>>),
    /// To a program, by a pass of its own.
    Program,
}

/// One law.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its name, in traces and documents.
    pub name: &'static str,
    /// The law.
    pub law: &'static str,
    /// When it applies; empty if always.
    pub side: &'static str,
    /// Whether floats keep their bits.
    pub exact: Exact,
    /// The lemma that states it.
    pub lemma: &'static str,
    pub(crate) apply: Apply,
}

const fn rule(
    name: &'static str,
    law: &'static str,
    side: &'static str,
    exact: Exact,
    lemma: &'static str,
    apply: Apply,
) -> Rule {
    Rule { name, law, side, exact, lemma, apply }
}

use Apply::{Program, Sum, Term as OneTerm};
use Exact::{Always, Rationals};

/// Every law, in the order in which they are tried.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    rule("absorb-true", "[true] e = e", "p holds by its form", Always, "absorb_true", OneTerm(guards::absorb_true)),
    rule("merge-guards", "[q] [p] e = [p and q] e", "p has no data, and goes first", Always, "merge_guards", OneTerm(guards::merge_guards)),
    rule("same-guard", "[p] [p] = [p]", "", Always, "iverson_idem", OneTerm(guards::same_guard)),
    rule("fold-quotient", "(d q + r) / d = q + r / d, (d q + r) % d = r % d", "d > 0", Always, "fold_quotient", OneTerm(quotients::fold_quotient)),
    rule("drop-false-term", "[false] e + f = f", "the guard and the ranges contradict each other", Always, "contrib_false", OneTerm(guards::drop_false_term)),
    rule("drop-empty-sum", "sum(i: 0) e = 0", "the range is never positive", Always, "drop_empty_sum", OneTerm(ranges::drop_empty_sum)),
    rule("zero", "0 e = 0", "the coefficient is 0", Rationals, "zero_laws", OneTerm(bodies::zero)),
    rule("fold-constants", "f(a, b) = c", "a and b are constants, and so is c", Rationals, "fold_constants", OneTerm(bodies::fold_constants)),
    rule("one", "1 e = e, e / 1 = e, e^1 = e, 0 + e = e", "", Rationals, "one_laws", OneTerm(bodies::one)),
    rule("sift", "sum(i: n) [i = a] e(i) = [0 <= a and a < n] e(a)", "a does not mention i; what data say about its range is proved; no test comes of it", Always, "sift", OneTerm(solve::sift)),
    rule("solve-equality", "sum(i: n) [k = i + c] e(i) = [c <= k and k - c < n] e(k - c)", "the rest does not mention i, and is affine; no test comes of it", Always, "solve_equality", OneTerm(solve::solve_equality)),
    rule("solve-reflection", "sum(i: n) [k + i = c] e(i) = [k <= c and c - k < n] e(c - k)", "the rest does not mention i, and is affine; no test comes of it", Always, "solve_reflect", OneTerm(solve::solve_reflection)),
    rule("divisibility", "sum(i: n) [k = a i] e(i) = [a divides k and k / a < n] e(k / a)", "a > 1; the rest does not mention i, and is affine; no test comes of it", Always, "divisibility", OneTerm(solve::divisibility)),
    rule("divide-by-constant", "[i / d = q] = [d q <= i and i < d q + d]", "d > 0", Always, "solve_divmod", OneTerm(solve::divide_by_constant)),
    rule("substitute-equality", "[i = a] e(i) = [i = a] e(a)", "i is an axis, a has earlier axes and sizes alone; no test comes of it", Always, "iverson_subst", OneTerm(solve::substitute_equality)),
    rule("split-or", "[p or q] e = [p] e + [not p and q] e", "p can be enumerated and solves an equation or walks a relation", Rationals, "split_or", OneTerm(guards::split_or)),
    rule("implied-guard", "[p] [q] e = [p] e", "p and the ranges imply q", Always, "implied_guard", OneTerm(guards::implied_guard)),
    rule("tighten-range", "sum(i: n) [i < m] e = sum(i: m) e", "m <= n for all sizes", Always, "tighten_range", OneTerm(ranges::tighten_range)),
    rule("constant-sum", "sum(i: n) e = [n > 0] n e", "neither guard nor body mentions i", Rationals, "constant_sum", OneTerm(ranges::constant_sum)),
    rule("like-terms", "a [p] e + b [p] e = (a + b) [p] e", "a and b are constants", Rationals, "like_terms", Sum(sums::like_terms)),
    rule("complementary-guards", "[p] e + [not p] e = e", "", Rationals, "complementary", Sum(sums::complementary)),
    rule("constant-state", "t[s] = [s = a] e + [s < a] t[s + 1] = e", "all steps s are from a on, in either direction, and none is left out; e mentions no s, and loads one entry at most, of no tensor of the recurrence", Always, "constant_state", Sum(state::constant_state)),
    rule("replace-access", "t[a] = u[b(a)]", "t[i] = u[b(i)], or t[i] is a constant", Always, "replace_access", Program),
    rule("compose-gather", "p[q[a]] = p[b(a)]", "q[i] = b(i), affine or one read of the same range", Always, "compose_index", Program),
    rule("inline-terms", "[p] c t[a] e = sum of [p and q(a)] c b(a) e", "no test reads t[a]; t is a sum of terms [q] b of one access, on disjoint points, without sums, or tests there", Rationals, "inline_terms", Program),
    rule("restrict-support", "[p] t[a] e = sum of [p and q(a)] t[a] e", "t is 0 but where one of the q holds, which are disjoint equations of its axes, or where the one q does, orders of its axes, and a has all variables of ranges that grow", Rationals, "restrict_support", Program),
    rule("drop-axis", "[p] t[b, c] e = [p and q(b) and c = a(b)] u[b] e", "t[i, j] = [q(i) and j = a(i)] f(i, j), u[i] = f(i, a(i)) in its place; a reads data and is in range, or is what a search finds and f does not mention j; t is no result and does not read itself, and products alone read it; no test comes of it", Rationals, "drop_axis", Program),
    rule("hoist-invariant", "sum(j) a e(j) = a t, t = sum(j) e(j)", "outside recurrences; a mentions no j, e lacks an axis, and both ranges have 2 points for all sizes", Rationals, "hoist_invariant", Program),
    rule("share", "t = u", "their right sides are equal, and u stands first; of two results t reads u where it had points", Always, "share", Program),
    rule("reuse", "f(a(b)) = t[b]", "t[i] = f(a(i)) stands first, also at b; f is a function, a quotient, a power or two operations; no point loads more", Always, "reuse", Program),
    rule("reuse-quotient", "[p] c a(b) e / d(b) = [p] c t[b] e", "t[i] = a(i) / d(i) stands first, also at b; a is one factor, or 1; no point loads more", Rationals, "reuse_quotient", Program),
    rule("apply-once", "f(t[a]), f(t[b]) = u[a], u[b]", "u[i] = f(t[i]) in the place of t, a sum of terms at its axes that is read in f alone, by one term everywhere, and by another", Always, "apply_once", Program),
    rule("drop-dead", "a statement that nothing reads may go", "no result or condition needs it", Always, "drop_dead", Program),
];

/// The row called `name`.
pub(crate) fn named(name: &str) -> &'static str {
    match RULES.iter().find(|rule| rule.name == name) {
        Some(rule) => rule.name,
        None => unreachable!("simplify: no rule is called `{name}`"),
    }
}
