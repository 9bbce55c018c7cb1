//! From values and index maps to dense tensors, sorted coordinates and compressed rows.

use crate::structure::{Coordinate, Structure};
use iverson_spec::call::{Dense, Value, Values, entries, extent_value};
use iverson_spec::ir::{Atom, Index, VarId};
use thiserror::Error;

/// A result of the split program is missing or not what its structure says.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error(
    "`{name}` is not among the values as {wanted}; give the results of the program that `split` gave"
)]
pub struct Missing {
    /// The result.
    pub name: String,
    /// What it should be.
    pub wanted: &'static str,
}

/// Entries by position, in lexicographic order, each position once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Coo<T> {
    /// The shape.
    pub shape: Vec<usize>,
    /// The positions.
    pub positions: Vec<Vec<usize>>,
    /// The entry at each of them.
    pub values: Vec<T>,
}

/// Entries by row: those of row `r` are `starts[r]..starts[r + 1]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Csr<T> {
    /// The number of columns; that of rows is one less than that of starts.
    pub width: usize,
    /// Where each row begins, and the end.
    pub starts: Vec<usize>,
    /// The column of each entry, ascending within a row.
    pub columns: Vec<usize>,
    /// The entries.
    pub values: Vec<T>,
}

impl Structure {
    /// The entries in the order of the parts: positions may repeat.
    ///
    /// * **Shapes**: `sizes` are those of the call, by id; `values` the results of the
    ///   split program.
    /// * **Cost**: linear in the values.
    ///
    /// # Errors
    /// [`Missing`], if the values are those of another program.
    pub fn entries<T: Clone>(
        &self,
        sizes: &[i64],
        values: &Values<T>,
    ) -> Result<Vec<(Vec<usize>, T)>, Missing> {
        let shape = self.extents(sizes)?;
        let mut found = Vec::new();
        for part in &self.parts {
            let own = real(values, &part.values)?;
            if own.shape.len() != part.axes.len() {
                return Err(missing(&part.values, "a tensor with an axis for each variable"));
            }
            for (place, value) in own.data.iter().enumerate() {
                let at = own.position(place);
                let env = Env { sizes, vars: &part.axes, at: &at };
                let mut position = Vec::with_capacity(shape.len());
                for (coordinate, extent) in part.map.iter().zip(&shape) {
                    let c = env.coordinate(coordinate, values)?;
                    position.extend(usize::try_from(c).ok().filter(|c| c < extent));
                }
                if position.len() == shape.len() {
                    found.push((position, value.clone()));
                }
            }
        }
        Ok(found)
    }

    /// The dense result.
    ///
    /// # Errors
    /// As for [`Structure::entries`].
    pub fn dense<T: Clone>(
        &self,
        sizes: &[i64],
        values: &Values<T>,
        zero: &T,
        add: impl Fn(&T, &T) -> T,
    ) -> Result<Dense<T>, Missing> {
        let shape = self.extents(sizes)?;
        let count = entries(&shape).ok_or_else(|| missing(&self.result, "a shape in memory"))?;
        let mut dense = Dense { shape, data: vec![zero.clone(); count] };
        for (position, value) in self.entries(sizes, values)? {
            let place = flat(&dense.shape, &position);
            dense.data[place] = add(&dense.data[place], &value);
        }
        Ok(dense)
    }

    /// Sorted coordinates; entries at one position are added.
    ///
    /// # Errors
    /// As for [`Structure::entries`].
    pub fn coo<T: Clone>(
        &self,
        sizes: &[i64],
        values: &Values<T>,
        add: impl Fn(&T, &T) -> T,
    ) -> Result<Coo<T>, Missing> {
        let mut all = self.entries(sizes, values)?;
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut coo =
            Coo { shape: self.extents(sizes)?, positions: Vec::new(), values: Vec::new() };
        for (position, value) in all {
            match coo.values.last_mut() {
                Some(last) if coo.positions.last() == Some(&position) => *last = add(last, &value),
                _ => {
                    coo.positions.push(position);
                    coo.values.push(value);
                }
            }
        }
        Ok(coo)
    }

    fn extents(&self, sizes: &[i64]) -> Result<Vec<usize>, Missing> {
        let extent = |e| extent_value(e, sizes).and_then(|n| usize::try_from(n).ok());
        let shape = self.shape.iter().map(extent).collect::<Option<_>>();
        shape.ok_or_else(|| missing(&self.result, "a tensor of these sizes"))
    }
}

impl<T: Clone> Coo<T> {
    /// Compressed rows: the leading `axes` axes are flattened to rows, the others to columns.
    #[must_use]
    pub fn csr(&self, axes: usize) -> Csr<T> {
        let (rows, columns) = self.shape.split_at(axes.min(self.shape.len()));
        let height: usize = rows.iter().product();
        let mut starts = vec![0; height + 1];
        for position in &self.positions {
            starts[flat(rows, &position[..rows.len()]) + 1] += 1;
        }
        (0..height).for_each(|row| starts[row + 1] += starts[row]);
        Csr {
            width: columns.iter().product(),
            starts,
            columns: self.positions.iter().map(|p| flat(columns, &p[rows.len()..])).collect(),
            values: self.values.clone(),
        }
    }
}

/// The place of a position, row-major.
fn flat(shape: &[usize], position: &[usize]) -> usize {
    shape.iter().zip(position).fold(0, |place, (extent, at)| place * extent + at)
}

fn missing(name: &str, wanted: &'static str) -> Missing {
    Missing { name: name.to_owned(), wanted }
}

fn real<'v, T>(values: &'v Values<T>, name: &str) -> Result<&'v Dense<T>, Missing> {
    match values.get(name) {
        Some(Value::Real(dense)) => Ok(dense),
        Some(Value::Size(_) | Value::Index(_) | Value::Relation(_)) | None => {
            Err(missing(name, "a real tensor"))
        }
    }
}

fn index<'v, T>(values: &'v Values<T>, name: &str) -> Result<&'v Dense<i64>, Missing> {
    match values.get(name) {
        Some(Value::Index(dense)) => Ok(dense),
        Some(Value::Size(_) | Value::Real(_) | Value::Relation(_)) | None => {
            Err(missing(name, "an index tensor"))
        }
    }
}

/// The variables of a part at one of its values.
struct Env<'a> {
    sizes: &'a [i64],
    vars: &'a [VarId],
    at: &'a [usize],
}

impl Env<'_> {
    fn coordinate<T>(&self, of: &Coordinate, values: &Values<T>) -> Result<i64, Missing> {
        match of {
            Coordinate::Affine(form) => Ok(self.value(form)),
            Coordinate::Data { tensor, axes } => {
                let data = index(values, tensor)?;
                let at: Vec<usize> = axes.iter().map(|axis| self.at[*axis]).collect();
                let entry = data.data.get(flat(&data.shape, &at)).copied();
                entry.ok_or_else(|| missing(tensor, "an index tensor of these sizes"))
            }
        }
    }

    /// The value of an affine index. Sizes and variables are those of a call that was
    /// computed, so nothing overflows.
    fn value(&self, form: &Index) -> i64 {
        let atom = |atom: &Atom| match atom {
            Atom::Size(size) => self.sizes[size.index()],
            Atom::Var(var) => {
                let place = self.vars.iter().position(|v| v == var);
                place.map_or_else(|| not_affine(), |place| self.at[place] as i64)
            }
            Atom::Div(e, k) => self.value(e).div_euclid(*k),
            Atom::Mod(e, k) => self.value(e).rem_euclid(*k),
            Atom::Read(..) | Atom::Floor(_) | Atom::If(_) | Atom::Arg(_) => not_affine(),
        };
        form.terms().iter().fold(form.constant_part(), |sum, (a, c)| sum + c * atom(a))
    }
}

fn not_affine() -> ! {
    unreachable!("structured: an affine coordinate has variables of its part and sizes alone")
}
