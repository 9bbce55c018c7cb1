//! What a run is given: borrowed arguments, and memory for the results.

use iverson_spec::call::{Relation, Value, Values};

/// An argument, borrowed.
#[derive(Clone, Copy, Debug)]
pub enum Argument<'a, S> {
    /// A size.
    Size(u64),
    /// A real tensor: its shape and entries, row-major.
    Real(&'a [usize], &'a [S]),
    /// An index tensor.
    Index(&'a [usize], &'a [i64]),
    /// A relation.
    Relation(&'a Relation),
}

/// Arguments by name.
#[derive(Clone, Debug)]
pub struct Inputs<'a, S>(pub Vec<(&'a str, Argument<'a, S>)>);

impl<'a, S> Inputs<'a, S> {
    /// The argument of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Argument<'a, S>> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, argument)| argument)
    }
}

impl<'a, S> From<&'a Values<S>> for Inputs<'a, S> {
    fn from(values: &'a Values<S>) -> Self {
        let argument = |(name, value): (&'a String, &'a Value<S>)| {
            let argument = match value {
                Value::Size(n) => Argument::Size(*n),
                Value::Real(x) => Argument::Real(&x.shape, &x.data),
                Value::Index(p) => Argument::Index(&p.shape, &p.data),
                Value::Relation(r) => Argument::Relation(r),
            };
            (name.as_str(), argument)
        };
        Self(values.iter().map(argument).collect())
    }
}

/// Memory for a result.
#[derive(Debug)]
pub enum Output<'a, S> {
    /// For the entries of a real tensor.
    Real(&'a mut [S]),
    /// For the entries of an index tensor.
    Index(&'a mut [i64]),
}

/// Memory for the results, by name.
#[derive(Debug)]
pub struct Outputs<'a, S>(pub Vec<(&'a str, Output<'a, S>)>);

impl<'a, S> Outputs<'a, S> {
    /// The memory for the result of a name.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Output<'a, S>> {
        self.0.iter_mut().find(|(known, _)| *known == name).map(|(_, output)| output)
    }
}
