//! The calling convention: the values a program is called with (spec chapter 3).
//!
//! Every engine binds its inputs by the same rules: sizes are given or inferred
//! from shapes, shapes must be as declared and not negative, entries of index
//! tensors and coordinates of relations must be in range. [`bind`] checks all of
//! it before anything is computed; what `requires` demands of the data is left to
//! the engine, which evaluates it.

use crate::ir::{Atom, Block, Element, Extent, Param, Program, RelId, SizeId, Symbols, TensorId};
pub use crate::relation::Relation;
use indexmap::IndexMap;
use thiserror::Error;

/// A dense tensor, row-major.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dense<T> {
    /// The extents of its axes.
    pub shape: Vec<usize>,
    /// The entries, last axis fastest; as many as the product of `shape`.
    pub data: Vec<T>,
}

/// A value given for a parameter or returned as a result; `S` is the scalar type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value<S> {
    /// A size.
    Size(u64),
    /// A real tensor.
    Real(Dense<S>),
    /// An index tensor.
    Index(Dense<i64>),
    /// A relation.
    Relation(Relation),
}

/// Values by name: the arguments of a call, or its results.
pub type Values<S> = IndexMap<String, Value<S>>;

/// What a call may use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// The most bytes that all parameters and definitions together may have, at 8 bytes an entry.
    pub bytes: u64,
}

impl Default for Limits {
    /// 4 GiB.
    fn default() -> Self {
        Self { bytes: 1 << 32 }
    }
}

/// What a call fixes: every size, and the shape of every parameter and definition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bound {
    /// By [`SizeId`].
    pub sizes: Vec<i64>,
    /// By [`TensorId`]: the shape; `None` for tensors that are neither a
    /// parameter nor defined by a block of the program (those of a `let`).
    pub shapes: Vec<Option<Vec<usize>>>,
}

/// Why a program cannot be called with the given values.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum CallError {
    /// A value without a parameter.
    #[error("there is no parameter `{name}`; the parameters are {wanted}")]
    UnknownName {
        /// The name given.
        name: String,
        /// The names of the parameters.
        wanted: String,
    },
    /// A parameter without a value.
    #[error("argument `{name}` is missing: wanted {wanted}")]
    Missing {
        /// The parameter.
        name: String,
        /// Its sort.
        wanted: String,
    },
    /// A size that is not given and that no shape determines.
    #[error("size `{name}` is not given, and no argument's shape determines it")]
    Undetermined {
        /// The size.
        name: String,
    },
    /// A value of another sort.
    #[error("argument `{name}` is {found}, wanted {wanted}")]
    WrongSort {
        /// The parameter.
        name: String,
        /// The sort of the value.
        found: String,
        /// The sort of the parameter.
        wanted: String,
    },
    /// A size beyond the range of an index.
    #[error("size `{name}` is {found}, wanted at most {}", i64::MAX)]
    HugeSize {
        /// The size.
        name: String,
        /// Its value.
        found: u64,
    },
    /// A tensor with more or fewer axes than declared.
    #[error("argument `{name}` has {found} axes, wanted {wanted}")]
    WrongRank {
        /// The parameter.
        name: String,
        /// The number of axes of the value.
        found: usize,
        /// The number of axes declared.
        wanted: usize,
    },
    /// A tensor whose data do not fill its shape.
    #[error("argument `{name}` has {found} entries, wanted {wanted} for its shape {shape:?}")]
    WrongLength {
        /// The parameter.
        name: String,
        /// The number of entries of the value.
        found: usize,
        /// The shape of the value.
        shape: Vec<usize>,
        /// The product of the shape, or `more than memory holds`.
        wanted: String,
    },
    /// An extent other than declared.
    #[error("axis {axis} of argument `{name}` has extent {found}, wanted {wanted}")]
    WrongExtent {
        /// The parameter.
        name: String,
        /// The axis, from 0.
        axis: usize,
        /// The extent of the value.
        found: usize,
        /// The declared extent as text, with its value.
        wanted: String,
    },
    /// An extent that no natural number for the size gives.
    #[error("axis {axis} of argument `{name}` has extent {found}: no `{size}` makes it {extent}")]
    NoSuchSize {
        /// The parameter.
        name: String,
        /// The axis, from 0.
        axis: usize,
        /// The extent of the value.
        found: usize,
        /// The size to be inferred.
        size: String,
        /// The declared extent as text.
        extent: String,
    },
    /// A parameter or definition with a negative extent.
    #[error("axis {axis} of `{name}` has extent {extent} = {value}, wanted at least 0")]
    NegativeExtent {
        /// The tensor or relation.
        name: String,
        /// The axis, from 0.
        axis: usize,
        /// The declared extent as text.
        extent: String,
        /// Its value.
        value: i64,
    },
    /// An extent or bound beyond the range of an index.
    #[error("the extent {extent} of `{name}` is beyond the range of 64-bit integers")]
    ExtentOverflow {
        /// The tensor or relation.
        name: String,
        /// The declared extent as text.
        extent: String,
    },
    /// More memory than the caller allows.
    #[error(
        "`{name}` has shape {shape:?}: with it the tensors take {found} bytes, wanted at most {limit}"
    )]
    TooLarge {
        /// The tensor that passes the limit.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
        /// The bytes of it and of the tensors before it, or `more than 2^64`.
        found: String,
        /// The limit.
        limit: u64,
    },
    /// An entry of an index tensor that is out of range.
    #[error("entry `{name}{position:?}` is {found}, wanted an index in 0..{bound}")]
    IndexOutOfRange {
        /// The parameter.
        name: String,
        /// The first position with such an entry.
        position: Vec<usize>,
        /// The entry.
        found: i64,
        /// The declared bound.
        bound: i64,
    },
    /// Tuples of another length.
    #[error("relation `{name}` has tuples of {found} places, wanted {wanted}")]
    WrongArity {
        /// The relation.
        name: String,
        /// The number of their places.
        found: usize,
        /// The declared number.
        wanted: usize,
    },
    /// A coordinate of a relation that is out of range.
    #[error(
        "tuple {tuple} of relation `{name}` has {found} in place {place}, wanted an index in 0..{bound}"
    )]
    CoordinateOutOfRange {
        /// The relation.
        name: String,
        /// The place of the tuple, from 0.
        tuple: usize,
        /// The place in the tuple, from 0.
        place: usize,
        /// The coordinate.
        found: i64,
        /// The declared bound.
        bound: i64,
    },
}

impl<T> Dense<T> {
    /// The tensor of this shape with these entries, row-major; `None` if their number is not its size.
    #[must_use]
    pub fn new(shape: Vec<usize>, data: Vec<T>) -> Option<Self> {
        (entries(&shape) == Some(data.len())).then_some(Self { shape, data })
    }

    /// The tensor of rank 0 with this entry.
    #[must_use]
    pub fn scalar(entry: T) -> Self {
        Self { shape: Vec::new(), data: vec![entry] }
    }

    /// The tensor of rank 1 with these entries.
    #[must_use]
    pub fn vector(data: Vec<T>) -> Self {
        Self { shape: vec![data.len()], data }
    }

    /// The position of an entry, given its place in the data.
    #[must_use]
    pub fn position(&self, mut place: usize) -> Vec<usize> {
        let mut position: Vec<usize> = self
            .shape
            .iter()
            .rev()
            .map(|&extent| {
                let at = place % extent.max(1);
                place /= extent.max(1);
                at
            })
            .collect();
        position.reverse();
        position
    }
}

impl<S> Value<S> {
    /// A rank-0 real.
    #[must_use]
    pub fn scalar(entry: S) -> Self {
        Self::Real(Dense::scalar(entry))
    }

    /// A rank-1 real tensor.
    #[must_use]
    pub fn vector(data: Vec<S>) -> Self {
        Self::Real(Dense::vector(data))
    }

    /// A rank-1 index tensor.
    #[must_use]
    pub fn indices(data: Vec<i64>) -> Self {
        Self::Index(Dense::vector(data))
    }

    fn sort(&self) -> String {
        match self {
            Self::Size(_) => "a size".into(),
            Self::Real(_) => "a real tensor".into(),
            Self::Index(_) => "an index tensor".into(),
            Self::Relation(_) => "a relation".into(),
        }
    }
}

/// Fixes the sizes and shapes of a call and checks the arguments against them.
///
/// Sizes come from `Value::Size` arguments and from the shapes of tensors, by
/// solving extents that are affine in one unknown size until nothing changes.
///
/// * **Cost**: linear in the entries of index tensors and relations.
///
/// # Errors
/// [`CallError`]: the first thing that is not as declared, in the order names,
/// sorts, sizes, shapes, memory, entries.
pub fn bind<T: Defines, S>(
    program: &Program<T>,
    inputs: &Values<S>,
    limits: Limits,
) -> Result<Bound, CallError> {
    let call = Call { symbols: &program.symbols, params: &program.params, inputs };
    call.check_names_and_sorts()?;
    let sizes = call.infer_sizes()?;
    let mut shapes = vec![None; program.symbols.tensors.len()];
    let mut bytes = 0_u64;
    let mut defined = Vec::new();
    definitions(&program.body, &mut defined);
    let params = program.params.iter().filter_map(|param| match param {
        Param::Tensor(tensor) => Some(*tensor),
        Param::Size(_) | Param::Relation(_) => None,
    });
    for tensor in params.chain(defined) {
        let shape = shape(&program.symbols, tensor, &sizes)?;
        let size = entries(&shape).and_then(|n| (n as u64).checked_mul(8));
        let sum = size.and_then(|size| bytes.checked_add(size));
        bytes = within(&program.symbols.tensor(tensor).name, &shape, sum, limits.bytes)?;
        shapes[tensor.index()] = Some(shape);
    }
    call.check_entries(&sizes)?;
    Ok(Bound { sizes, shapes })
}

/// The bytes that tensors take with the last of them, which has this name and shape; `None` stands for 2^64 or more.
///
/// # Errors
/// [`CallError::TooLarge`], if these are more than `limit`.
pub fn within(
    name: &str,
    shape: &[usize],
    bytes: Option<u64>,
    limit: u64,
) -> Result<u64, CallError> {
    bytes.filter(|bytes| *bytes <= limit).ok_or_else(|| CallError::TooLarge {
        name: name.to_owned(),
        shape: shape.to_vec(),
        found: bytes.map_or("more than 2^64".to_owned(), |bytes| bytes.to_string()),
        limit,
    })
}

/// The shape of a tensor under the given sizes.
///
/// # Errors
/// [`CallError::NegativeExtent`] and [`CallError::ExtentOverflow`].
pub fn shape(symbols: &Symbols, tensor: TensorId, sizes: &[i64]) -> Result<Vec<usize>, CallError> {
    let tensor = symbols.tensor(tensor);
    let extents = extents(symbols, &tensor.name, &tensor.shape, sizes)?;
    Ok(extents.into_iter().map(|extent| extent as usize).collect())
}

/// The value of an index expression in sizes alone; `None` if it leaves the
/// 64-bit integers or contains anything but sizes.
#[must_use]
pub fn extent_value(extent: &Extent, sizes: &[i64]) -> Option<i64> {
    value_where(extent, &|size| Some(sizes[size.index()]))
}

/// The number of entries of a shape; `None` on overflow.
#[must_use]
pub fn entries(shape: &[usize]) -> Option<usize> {
    if shape.contains(&0) {
        return Some(0);
    }
    shape.iter().try_fold(1usize, |product, extent| product.checked_mul(*extent))
}

/// A statement: it defines a tensor.
pub trait Defines {
    /// The tensor it defines.
    fn defines(&self) -> TensorId;
}

impl Defines for crate::ir::Def {
    fn defines(&self) -> TensorId {
        self.tensor
    }
}

impl Defines for crate::ssa::Stmt {
    fn defines(&self) -> TensorId {
        self.tensor
    }
}

/// Appends the tensors that the blocks define, in order.
pub fn definitions<T: Defines>(blocks: &[Block<T>], defined: &mut Vec<TensorId>) {
    for block in blocks {
        match block {
            Block::Stmt(stmt) => defined.push(stmt.defines()),
            Block::Rec(rec) => definitions(&rec.body, defined),
            Block::Requires(_) => {}
        }
    }
}

/// An extent as text, such as `n - k + 1`.
#[must_use]
pub fn extent_text(extent: &Extent, symbols: &Symbols) -> String {
    let mut text = String::new();
    let mut summand = |negative: bool, magnitude: String| {
        let sign = match (text.is_empty(), negative) {
            (true, false) => "",
            (true, true) => "-",
            (false, false) => " + ",
            (false, true) => " - ",
        };
        text.push_str(sign);
        text.push_str(&magnitude);
    };
    for (atom, coefficient) in extent.terms() {
        let atom = match atom {
            Atom::Size(size) => symbols.sizes[size.index()].clone(),
            Atom::Div(inner, by) => format!("({}) / {by}", extent_text(inner, symbols)),
            Atom::Mod(inner, by) => format!("({}) % {by}", extent_text(inner, symbols)),
            Atom::Var(_) | Atom::Read(..) | Atom::Floor(_) | Atom::If(_) | Atom::Arg(_) => {
                "an index".into()
            }
        };
        let factor = coefficient.unsigned_abs();
        let magnitude = if factor == 1 { atom } else { format!("{factor} * {atom}") };
        summand(*coefficient < 0, magnitude);
    }
    let constant = extent.constant_part();
    if constant != 0 || extent.terms().is_empty() {
        summand(constant < 0, constant.unsigned_abs().to_string());
    }
    text
}

/// The values of extents, none negative.
fn extents(
    symbols: &Symbols,
    name: &str,
    extents: &[Extent],
    sizes: &[i64],
) -> Result<Vec<i64>, CallError> {
    let value = |(axis, extent): (usize, &Extent)| {
        let text = extent_text(extent, symbols);
        match extent_value(extent, sizes) {
            None => Err(CallError::ExtentOverflow { name: name.into(), extent: text }),
            Some(value) if value < 0 => {
                Err(CallError::NegativeExtent { name: name.into(), axis, extent: text, value })
            }
            Some(value) => Ok(value),
        }
    };
    extents.iter().enumerate().map(value).collect()
}

/// As [`extent_value`], where `None` stands for a size that is not known.
fn value_where(extent: &Extent, size: &impl Fn(SizeId) -> Option<i64>) -> Option<i64> {
    let mut sum = i128::from(extent.constant_part());
    for (atom, coefficient) in extent.terms() {
        let value = match atom {
            Atom::Size(id) => size(*id)?,
            Atom::Div(inner, by) => value_where(inner, size)?.div_euclid(*by),
            Atom::Mod(inner, by) => value_where(inner, size)?.rem_euclid(*by),
            Atom::Var(_) | Atom::Read(..) | Atom::Floor(_) | Atom::If(_) | Atom::Arg(_) => {
                return None;
            }
        };
        sum = sum.checked_add(i128::from(value) * i128::from(*coefficient))?;
    }
    i64::try_from(sum).ok()
}

/// The one unknown size that `extent` is affine in, and its value where the extent is `found`.
fn solve(extent: &Extent, found: usize, sizes: &[Option<i64>]) -> Option<(SizeId, Option<i64>)> {
    let unknown = |atom: &Atom| matches!(atom, Atom::Size(s) if sizes[s.index()].is_none());
    let mut unknowns = extent.terms().iter().filter(|(atom, _)| unknown(atom));
    let (Some((Atom::Size(size), coefficient)), None) = (unknowns.next(), unknowns.next()) else {
        return None;
    };
    let known = extent.terms().iter().filter(|(atom, _)| !unknown(atom)).cloned();
    let rest = Extent::collect(known, extent.constant_part())?;
    let rest = value_where(&rest, &|size| sizes[size.index()])?;
    let rest = found as i128 - i128::from(rest);
    let coefficient = i128::from(*coefficient);
    let value = (rest % coefficient == 0).then_some(rest / coefficient);
    Some((*size, value.filter(|value| *value >= 0).and_then(|value| i64::try_from(value).ok())))
}

struct Call<'a, S> {
    symbols: &'a Symbols,
    params: &'a [Param],
    inputs: &'a Values<S>,
}

impl<S> Call<'_, S> {
    fn name(&self, param: Param) -> &str {
        match param {
            Param::Size(size) => &self.symbols.sizes[size.index()],
            Param::Tensor(tensor) => &self.symbols.tensor(tensor).name,
            Param::Relation(relation) => &self.symbols.relation(relation).name,
        }
    }

    fn sort(&self, param: Param) -> String {
        let list = |extents: &[Extent]| {
            let texts = extents.iter().map(|extent| extent_text(extent, self.symbols));
            texts.collect::<Vec<_>>().join(", ")
        };
        match param {
            Param::Size(_) => "a size".into(),
            Param::Relation(relation) => {
                format!("a relation rel({})", list(&self.symbols.relation(relation).extents))
            }
            Param::Tensor(tensor) => {
                let tensor = self.symbols.tensor(tensor);
                let element = match &tensor.element {
                    Element::Real => "a real tensor real".to_owned(),
                    Element::Index(bound) => {
                        format!("an index tensor index({})", extent_text(bound, self.symbols))
                    }
                };
                format!("{element}[{}]", list(&tensor.shape))
            }
        }
    }

    fn check_names_and_sorts(&self) -> Result<(), CallError> {
        for name in self.inputs.keys() {
            if !self.params.iter().any(|param| self.name(*param) == name) {
                let names = self.params.iter().map(|param| format!("`{}`", self.name(*param)));
                let wanted = names.collect::<Vec<_>>().join(", ");
                return Err(CallError::UnknownName { name: name.clone(), wanted });
            }
        }
        for &param in self.params {
            let name = self.name(param).to_owned();
            let element = match param {
                Param::Tensor(tensor) => Some(&self.symbols.tensor(tensor).element),
                Param::Size(_) | Param::Relation(_) => None,
            };
            match (param, element, self.inputs.get(&name)) {
                (Param::Size(_), _, None | Some(Value::Size(_)))
                | (Param::Relation(_), _, Some(Value::Relation(_)))
                | (Param::Tensor(_), Some(Element::Real), Some(Value::Real(_)))
                | (Param::Tensor(_), Some(Element::Index(_)), Some(Value::Index(_))) => {}
                (_, _, None) => {
                    return Err(CallError::Missing { name, wanted: self.sort(param) });
                }
                (_, _, Some(value)) => {
                    let (found, wanted) = (value.sort(), self.sort(param));
                    return Err(CallError::WrongSort { name, found, wanted });
                }
            }
        }
        Ok(())
    }

    /// The name, the declared shape and the given shape of each tensor argument.
    fn tensors(&self) -> impl Iterator<Item = (&str, &[Extent], &[usize], usize)> {
        self.params.iter().filter_map(|param| {
            let Param::Tensor(tensor) = param else {
                return None;
            };
            let tensor = self.symbols.tensor(*tensor);
            let (shape, length) = match self.inputs.get(&tensor.name)? {
                Value::Real(dense) => (&dense.shape, dense.data.len()),
                Value::Index(dense) => (&dense.shape, dense.data.len()),
                Value::Size(_) | Value::Relation(_) => return None,
            };
            Some((tensor.name.as_str(), tensor.shape.as_slice(), shape.as_slice(), length))
        })
    }

    fn infer_sizes(&self) -> Result<Vec<i64>, CallError> {
        let mut sizes: Vec<Option<i64>> = vec![None; self.symbols.sizes.len()];
        for (size, name) in sizes.iter_mut().zip(&self.symbols.sizes) {
            if let Some(Value::Size(found)) = self.inputs.get(name) {
                let huge = |_| CallError::HugeSize { name: name.clone(), found: *found };
                *size = Some(i64::try_from(*found).map_err(huge)?);
            }
        }
        self.check_ranks()?;
        while self.infer_one(&mut sizes)? {}
        let missing = |(size, name): (&Option<i64>, &String)| {
            size.ok_or_else(|| CallError::Undetermined { name: name.clone() })
        };
        let sizes: Vec<i64> =
            sizes.iter().zip(&self.symbols.sizes).map(missing).collect::<Result<_, _>>()?;
        for (name, declared, shape, _) in self.tensors() {
            let values = extents(self.symbols, name, declared, &sizes)?;
            for (axis, (&value, &found)) in values.iter().zip(shape).enumerate() {
                if value != found as i64 {
                    let text = extent_text(&declared[axis], self.symbols);
                    let constant = declared[axis].as_constant().is_some();
                    let wanted = if constant { text } else { format!("{text} = {value}") };
                    return Err(CallError::WrongExtent { name: name.into(), axis, found, wanted });
                }
            }
        }
        Ok(sizes)
    }

    fn check_ranks(&self) -> Result<(), CallError> {
        for (name, declared, shape, length) in self.tensors() {
            let name = name.to_owned();
            if declared.len() != shape.len() {
                let (found, wanted) = (shape.len(), declared.len());
                return Err(CallError::WrongRank { name, found, wanted });
            }
            if entries(shape) != Some(length) {
                let wanted =
                    entries(shape).map_or("more than memory holds".into(), |n| n.to_string());
                let shape = shape.to_vec();
                return Err(CallError::WrongLength { name, found: length, shape, wanted });
            }
        }
        Ok(())
    }

    /// Solves the first extent that has one unknown size, bare sizes before
    /// others; whether there was one.
    fn infer_one(&self, sizes: &mut [Option<i64>]) -> Result<bool, CallError> {
        let bare = |extent: &Extent| matches!(extent.terms(), [(Atom::Size(_), 1)]);
        let axes = self.tensors().flat_map(|(name, declared, shape, _)| {
            let axes = declared.iter().zip(shape).enumerate();
            axes.map(move |(axis, (extent, &found))| (name, axis, extent, found))
        });
        let mut axes: Vec<_> = axes.collect();
        axes.sort_by_key(|(_, _, extent, _)| !(bare(extent) && extent.constant_part() == 0));
        for (name, axis, extent, found) in axes {
            match solve(extent, found, sizes) {
                None => {}
                Some((size, Some(value))) => {
                    sizes[size.index()] = Some(value);
                    return Ok(true);
                }
                Some((size, None)) => {
                    return Err(CallError::NoSuchSize {
                        name: name.into(),
                        axis,
                        found,
                        size: self.symbols.sizes[size.index()].clone(),
                        extent: extent_text(extent, self.symbols),
                    });
                }
            }
        }
        Ok(false)
    }

    fn check_entries(&self, sizes: &[i64]) -> Result<(), CallError> {
        for &param in self.params {
            match (param, self.inputs.get(self.name(param))) {
                (Param::Tensor(tensor), Some(Value::Index(dense))) => {
                    self.check_index(tensor, dense, sizes)?;
                }
                (Param::Relation(relation), Some(Value::Relation(value))) => {
                    self.check_relation(relation, value, sizes)?;
                }
                (Param::Size(_) | Param::Tensor(_) | Param::Relation(_), _) => {}
            }
        }
        Ok(())
    }

    fn check_index(
        &self,
        tensor: TensorId,
        dense: &Dense<i64>,
        sizes: &[i64],
    ) -> Result<(), CallError> {
        let tensor = self.symbols.tensor(tensor);
        let Element::Index(declared) = &tensor.element else {
            return Ok(());
        };
        let name = tensor.name.clone();
        let Some(bound) = extent_value(declared, sizes) else {
            return Err(CallError::ExtentOverflow {
                name,
                extent: extent_text(declared, self.symbols),
            });
        };
        match dense.data.iter().position(|entry| !(0..bound).contains(entry)) {
            None => Ok(()),
            Some(place) => {
                let (position, found) = (dense.position(place), dense.data[place]);
                Err(CallError::IndexOutOfRange { name, position, found, bound })
            }
        }
    }

    fn check_relation(
        &self,
        relation: RelId,
        value: &Relation,
        sizes: &[i64],
    ) -> Result<(), CallError> {
        let relation = self.symbols.relation(relation);
        let bounds = extents(self.symbols, &relation.name, &relation.extents, sizes)?;
        let name = relation.name.clone();
        if value.arity() != bounds.len() {
            return Err(CallError::WrongArity { name, found: value.arity(), wanted: bounds.len() });
        }
        let Some((tuple, place)) = value.outside(&bounds) else { return Ok(()) };
        let (found, bound) = (value.column(place)[tuple], bounds[place]);
        Err(CallError::CoordinateOutOfRange { name, tuple, place, found, bound })
    }
}
