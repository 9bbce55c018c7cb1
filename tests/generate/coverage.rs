//! Which constructs the programs of a run have.

use std::collections::BTreeMap;

/// Every construct that the generator knows.
pub(crate) const CONSTRUCTS: &[&str] = &[
    "abs",
    "argmax",
    "argmax or argmin with a guard",
    "argmin",
    "call",
    "call in a recurrence",
    "call of a function with a recurrence",
    "call with a relation",
    "call with a row",
    "call with an index",
    "call with an index result",
    "call with several results",
    "chained comparison",
    "condition on data",
    "conditional index",
    "conditional real",
    "conjunction",
    "conjunction that protects",
    "constant index",
    "constant index where a variable has a value",
    "constant of the file",
    "data-dependent earlier read",
    "data-dependent index",
    "descending recurrence",
    "diagonal",
    "disjunction",
    "disjunction that protects",
    "floor",
    "function with a derivative",
    "gather by a call",
    "generator",
    "generator as an argument",
    "guard in a product",
    "guarded access",
    "guarded index",
    "halved index",
    "index as a real",
    "index comparison",
    "index definition",
    "index recurrence",
    "index variable",
    "index with its inferred bound",
    "indicator as a number",
    "last index",
    "let",
    "let of a tensor",
    "max",
    "max or min of two",
    "min",
    "negated real",
    "negation",
    "nested data-dependent index",
    "nested recurrence",
    "offset data-dependent index",
    "parameter returned",
    "power",
    "prod",
    "product",
    "quotient",
    "quotient by data that are not 0",
    "range that may be negative",
    "read of the same step",
    "real comparison",
    "recurrence",
    "recurrence in a let",
    "recurrence of several tensors",
    "recurrence of two variables",
    "reduction of a set that may be empty",
    "relation",
    "remainder index",
    "result of a call bound whole",
    "reversed index",
    "row",
    "several results",
    "shape that is a difference",
    "shifted index",
    "shifted index under a guard",
    "size 0",
    "size 1",
    "state two steps before",
    "strided index",
    "sum",
    "sum of indices",
    "sum of two",
    "unused definition",
    "where",
    "where that protects",
];

/// What programs of arrays have besides.
pub(crate) const IDIOMS: &[&str] = &[
    "best path",
    "bodies in steps",
    "both sides of pairs",
    "cell",
    "cell of two states",
    "chain of sums over pairs",
    "channels",
    "contraction",
    "diagonal of a matrix",
    "differences along edges",
    "entry by entry",
    "entry that was searched",
    "greatest at places",
    "kernel of points",
    "last steps",
    "normalized rows",
    "pairs of different points",
    "places by computation",
    "product of all but one",
    "product of all but some",
    "recurrence after a recurrence",
    "residues",
    "rows at places",
    "scan",
    "scan in phases",
    "segments",
    "shares at places",
    "size above 32",
    "steps of a stencil",
    "substitution",
    "sum along an axis",
    "sum at places",
    "sum between two variables",
    "sum of squares",
    "sum over a relation",
    "sweep",
    "table",
    "tree",
    "triangular factor",
    "triples",
    "window",
    "window of two axes",
];

/// The functions that rationals do not have.
pub(crate) const FUNCTIONS: &[&str] = &[
    "acos",
    "asin",
    "atan",
    "atan2",
    "cos",
    "cosh",
    "erf",
    "exp",
    "expm1",
    "log",
    "log1p",
    "power with a real exponent",
    "sigmoid",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
];

/// How many programs had each construct.
#[derive(Default, Debug)]
pub(crate) struct Coverage {
    counts: BTreeMap<&'static str, usize>,
    programs: usize,
}

impl Coverage {
    pub(crate) fn add<'a>(&mut self, constructs: impl IntoIterator<Item = &'a &'static str>) {
        self.programs += 1;
        for construct in constructs {
            *self.counts.entry(construct).or_default() += 1;
        }
    }

    pub(crate) fn programs(&self) -> usize {
        self.programs
    }

    /// Those of `constructs` met in less than one of `rarity` programs, with their counts.
    pub(crate) fn rare(
        &self,
        constructs: &[&'static str],
        rarity: usize,
    ) -> Vec<(&'static str, usize)> {
        let count = |construct: &&'static str| {
            (*construct, self.counts.get(construct).copied().unwrap_or(0))
        };
        constructs.iter().map(count).filter(|(_, n)| n * rarity < self.programs).collect()
    }
}
