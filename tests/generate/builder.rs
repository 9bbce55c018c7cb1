//! What is known while a program is built: names in scope, and the lines so far.

use super::choices::Choices;
use super::extent::Extent;
use std::collections::BTreeSet;

/// Which scalars the programs are for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Flavour {
    /// Only operations that rationals have.
    Rational,
    /// Every function. Comparisons of reals, `floor`, `argmax` and `argmin` still
    /// see values that `f64` computes exactly, so that rounding decides nothing.
    Full,
    /// Every function, in programs of arrays: longer axes, more definitions one after the other, most of them
    /// idioms, most indices variables. Maxima, minima and `abs` see exact values too, so that derivatives are certain.
    Arrays,
    /// The same, with axes of a few entries.
    ShortArrays,
}

/// No rational is larger than about this many binary digits.
pub(crate) const LIMIT: u32 = 1500;
/// What `f64` holds exactly, with room for a few sums.
pub(crate) const EXACT: u32 = 44;
/// The most index variables around one place.
pub(crate) const MAX_VARIABLES: usize = 4;

/// A parameter or definition.
#[derive(Clone, Debug)]
pub(crate) struct Tensor {
    pub(crate) name: String,
    pub(crate) shape: Vec<Extent>,
    pub(crate) element: Element,
    /// What data of a parameter satisfy.
    pub(crate) promise: Promise,
    /// How many of the open recurrence variables are its leading axes.
    pub(crate) steps: usize,
    /// Whether its statement stands before the current one.
    pub(crate) done: bool,
}

/// What the entries of a tensor are.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Element {
    Real(Size),
    /// In `0..bound`.
    Index(Extent),
}

/// How large a real is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Size {
    /// About the binary digits of its numerator and denominator.
    pub(crate) bits: u32,
    /// Whether `f64` rounds it.
    pub(crate) rounded: bool,
}

/// What the data of a parameter satisfy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Promise {
    Nothing,
    /// No entry is 0.
    Nonzero,
    /// `p[v] < v` for every positive v.
    Earlier,
    /// Ascending.
    Sorted,
}

/// A relation parameter.
#[derive(Clone, Debug)]
pub(crate) struct Relation {
    pub(crate) name: String,
    pub(crate) extents: Vec<Extent>,
}

/// An index variable in scope.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) range: Extent,
}

/// An open recurrence variable.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) variable: Variable,
    pub(crate) descending: bool,
}

/// The state while a program is built.
pub(crate) struct Builder<'c> {
    pub(crate) choices: Choices<'c>,
    pub(crate) flavour: Flavour,
    pub(crate) sizes: usize,
    pub(crate) tensors: Vec<Tensor>,
    pub(crate) relations: Vec<Relation>,
    pub(crate) variables: Vec<Variable>,
    /// The open recurrence variables, outermost first.
    pub(crate) open: Vec<Step>,
    /// Whether values are wanted that `f64` computes exactly.
    pub(crate) exact: bool,
    pub(crate) constant: bool,
    pub(crate) constructs: BTreeSet<&'static str>,
    pub(crate) helpers: BTreeSet<usize>,
    pub(crate) lines: Vec<String>,
    /// The ranges of the variables that were in scope together.
    pub(crate) boxes: BTreeSet<Vec<Extent>>,
    names: usize,
}

impl<'c> Builder<'c> {
    pub(crate) fn new(flavour: Flavour, choices: Choices<'c>) -> Self {
        Self {
            choices,
            flavour,
            sizes: 1,
            tensors: Vec::new(),
            relations: Vec::new(),
            variables: Vec::new(),
            open: Vec::new(),
            exact: false,
            constant: false,
            constructs: BTreeSet::new(),
            helpers: BTreeSet::new(),
            lines: Vec::new(),
            boxes: BTreeSet::new(),
            names: 0,
        }
    }

    pub(crate) fn is_arrays(&self) -> bool {
        matches!(self.flavour, Flavour::Arrays | Flavour::ShortArrays)
    }

    /// A name that nothing else has.
    pub(crate) fn fresh(&mut self, base: &str) -> String {
        self.names += 1;
        format!("{base}{}", self.names)
    }

    /// Notes that the program has a construct.
    pub(crate) fn note(&mut self, construct: &'static str) {
        self.constructs.insert(construct);
    }

    /// Puts a line at the current depth of recurrences.
    pub(crate) fn line(&mut self, depth: usize, text: &str) {
        self.lines.push(format!("{}{text}", "    ".repeat(depth + 1)));
    }

    pub(crate) fn any_size(&mut self) -> Extent {
        Extent::size(self.choices.below(self.sizes))
    }

    /// An extent of an axis, never negative.
    pub(crate) fn shape_extent(&mut self) -> Extent {
        let size = self.any_size();
        let plain = if self.is_arrays() { 60 } else { 10 };
        match self.choices.weighted(&[(plain, 0), (3, 1), (2, 2), (2, 3), (1, 4)]) {
            0 => size,
            1 => size.shifted(1),
            2 => Extent::constant(self.choices.below(3) as i64 + 1),
            3 => size.plus(self.any_size()),
            _ => size.times(2).shifted(1),
        }
    }

    /// The range of a variable: often an extent that some tensor has.
    pub(crate) fn range(&mut self) -> Extent {
        let shapes = self.tensors.iter().flat_map(|t| t.shape.iter().copied());
        let known: Vec<Extent> = shapes.filter(|e| *e != Extent::constant(0)).collect();
        match self.choices.weighted(&[(6, 0), (4, 1), (1, 2)]) {
            0 if !known.is_empty() => self.choices.pick(&known),
            1 | 0 => self.shape_extent(),
            _ => {
                self.note("range that may be negative");
                self.any_size().shifted(-1)
            }
        }
    }

    /// Binds a variable.
    pub(crate) fn bind(&mut self, base: &str, range: Extent) -> String {
        let name = self.fresh(base);
        self.variables.push(Variable { name: name.clone(), range });
        self.boxes.insert(self.variables.iter().map(|v| v.range).collect());
        name
    }

    /// Runs `inner` where only exactly computed values may occur.
    pub(crate) fn exactly<T>(&mut self, inner: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.exact, true);
        let out = inner(self);
        self.exact = before;
        out
    }

    /// The same in programs of arrays, where derivatives are computed in `f64`.
    pub(crate) fn surely<T>(&mut self, inner: impl FnOnce(&mut Self) -> T) -> T {
        if self.is_arrays() { self.exactly(inner) } else { inner(self) }
    }

    /// Whether a real of this size may stand where at most `limit` binary digits are wanted.
    pub(crate) fn fits(&self, size: Size, limit: u32) -> bool {
        size.bits <= limit && !(self.exact && size.rounded)
    }
}
