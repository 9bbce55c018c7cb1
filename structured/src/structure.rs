//! Where the values of a result stand.

use iverson_spec::ir::{Atom, Extent, Index, TensorId, VarId};

/// A result as a sum of parts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Structure {
    /// The name of the result in the program that was split.
    pub result: String,
    /// Its shape, in sizes.
    pub shape: Vec<Extent>,
    /// What is added up; none is 0.
    pub parts: Vec<Part>,
}

/// `result[map(u)] += values[u]` for all u.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// The result of the split program that has the values.
    pub values: String,
    /// A variable for each axis of the values.
    pub axes: Vec<VarId>,
    /// Where the value at those variables stands. A value that is mapped outside of the
    /// shape is no entry (and 0).
    pub map: Vec<Coordinate>,
    /// The form of the map.
    pub kind: Kind,
}

/// One coordinate of an index map.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Coordinate {
    /// An index expression of the variables and sizes.
    Affine(Index),
    /// An entry of an index tensor, a result of the split program, at the variables given.
    Data {
        /// The index tensor, by name.
        tensor: String,
        /// The places among the axes of the values of the variables that it is read at.
        axes: Vec<usize>,
    },
}

/// The form of an index map. A coordinate is a *dense axis* if it is a variable that
/// stands nowhere else in the map.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Dense axes alone: nothing is left out.
    Dense,
    /// The coordinates repeat variables, as in `(u, u)`.
    Diagonal,
    /// The same with constants added; each offset is that of a coordinate from the first
    /// one with its variable, as in `(u, u + 1)` for 1.
    Band(Vec<i64>),
    /// Dense axes, and one coordinate that other variables determine: some rows.
    RowSparse,
    /// Dense axes in blocks whose place two or more coordinates give, or constants.
    Block,
    /// Anything else.
    Coordinates,
}

impl Kind {
    /// The word for it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Dense => "dense",
            Self::Diagonal => "diagonal",
            Self::Band(_) => "band",
            Self::RowSparse => "row-sparse",
            Self::Block => "block",
            Self::Coordinates => "coordinates",
        }
    }

    /// The form of a map.
    pub(crate) fn of(map: &[Index]) -> Self {
        let dense = map.iter().filter(|at| is_dense_axis(at, map)).count();
        let others: Vec<&Index> = map.iter().filter(|at| !is_dense_axis(at, map)).collect();
        match (dense, others.as_slice()) {
            (_, []) => Self::Dense,
            (0, _) => offsets(map).unwrap_or(Self::Coordinates),
            (_, [only]) if !only.terms().is_empty() => Self::RowSparse,
            _ => Self::Block,
        }
    }
}

/// Diagonal or band, if every coordinate is a variable and a constant, and each variable
/// occurs twice or more.
fn offsets(map: &[Index]) -> Option<Kind> {
    let parts: Vec<(VarId, i64)> = map.iter().map(shifted_var).collect::<Option<_>>()?;
    let mut offsets = Vec::new();
    for (at, (var, constant)) in parts.iter().enumerate() {
        let first = parts.iter().position(|(v, _)| v == var)?;
        if first != at {
            offsets.push(constant - parts[first].1);
        } else if *constant != 0 || parts[at + 1..].iter().all(|(v, _)| v != var) {
            return None;
        }
    }
    let is_diagonal = offsets.iter().all(|offset| *offset == 0);
    Some(if is_diagonal { Kind::Diagonal } else { Kind::Band(offsets) })
}

/// `v + c`
fn shifted_var(at: &Index) -> Option<(VarId, i64)> {
    match at.terms() {
        [(Atom::Var(v), 1)] => Some((*v, at.constant_part())),
        _ => None,
    }
}

/// Whether the coordinate is a variable that stands nowhere else in the map.
pub(crate) fn is_dense_axis(at: &Index, map: &[Index]) -> bool {
    let Some(var) = at.as_var() else { return false };
    let mentions =
        |other: &&Index| iverson_spec::traverse::FreeVars::of_index(other).contains(&var);
    map.iter().filter(mentions).count() == 1
}

/// The tensor, if the coordinate is an entry of an index tensor at plain variables.
pub(crate) fn plain_read(at: &Index) -> Option<(TensorId, Vec<VarId>)> {
    match at.terms() {
        [(Atom::Read(tensor, indices), 1)] if at.constant_part() == 0 => {
            Some((*tensor, indices.iter().map(Index::as_var).collect::<Option<_>>()?))
        }
        _ => None,
    }
}
