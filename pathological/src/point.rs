//! What a program is differentiated at: its inputs, and the cotangents or tangents.

use iverson_spec::call::{Dense, Relation, Value, Values};

/// Inputs by name, and what seeds the derivative.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Point {
    /// The arguments of the program.
    pub inputs: Values<f64>,
    /// What the derivative takes besides: `y_ct` for a result `y` of a gradient, `x_dot`
    /// for an input `x` of a directional derivative.
    pub seeds: Values<f64>,
}

impl Point {
    /// No inputs.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With a size.
    #[must_use]
    pub fn size(mut self, name: &str, n: usize) -> Self {
        self.inputs.insert(name.to_owned(), Value::Size(n as u64));
        self
    }

    /// With a real tensor.
    #[must_use]
    pub fn real(mut self, name: &str, shape: &[usize], data: Vec<f64>) -> Self {
        self.inputs.insert(name.to_owned(), tensor(shape, data));
        self
    }

    /// With a real number.
    #[must_use]
    pub fn scalar(self, name: &str, x: f64) -> Self {
        self.real(name, &[], vec![x])
    }

    /// With an index tensor of one axis.
    #[must_use]
    pub fn index(mut self, name: &str, data: Vec<i64>) -> Self {
        self.inputs.insert(name.to_owned(), Value::indices(data));
        self
    }

    /// With a relation.
    #[must_use]
    pub fn relation(mut self, name: &str, arity: usize, tuples: Vec<Vec<i64>>) -> Self {
        self.inputs.insert(name.to_owned(), Value::Relation(Relation::new(arity, tuples)));
        self
    }

    /// With the cotangent of a result.
    #[must_use]
    pub fn cotangent(mut self, result: &str, shape: &[usize], data: Vec<f64>) -> Self {
        self.seeds.insert(format!("{result}_ct"), tensor(shape, data));
        self
    }

    /// With the cotangent 1 of a result that is a number.
    #[must_use]
    pub fn loss(self, result: &str) -> Self {
        self.cotangent(result, &[], vec![1.0])
    }

    /// With the tangent of an input.
    #[must_use]
    pub fn tangent(mut self, input: &str, shape: &[usize], data: Vec<f64>) -> Self {
        self.seeds.insert(format!("{input}_dot"), tensor(shape, data));
        self
    }

    /// The value of a size.
    ///
    /// # Panics
    /// A family that asks for what it did not give is a mistake of the family.
    #[must_use]
    pub fn n(&self, name: &str) -> usize {
        match self.inputs.get(name) {
            Some(Value::Size(n)) => *n as usize,
            other => panic!("`{name}` is {other:?}, wanted a size"),
        }
    }

    /// The entries of a real tensor: an input, a cotangent `y_ct` or a tangent `x_dot`.
    ///
    /// # Panics
    /// As [`Point::n`].
    #[must_use]
    pub fn reals(&self, name: &str) -> &[f64] {
        match self.inputs.get(name).or_else(|| self.seeds.get(name)) {
            Some(Value::Real(dense)) => &dense.data,
            other => panic!("`{name}` is {other:?}, wanted a real tensor"),
        }
    }

    /// The entry of a real tensor without axes.
    ///
    /// # Panics
    /// As [`Point::n`].
    #[must_use]
    pub fn number(&self, name: &str) -> f64 {
        self.reals(name)[0]
    }

    /// The entries of an index tensor, as places.
    ///
    /// # Panics
    /// As [`Point::n`].
    #[must_use]
    pub fn places(&self, name: &str) -> Vec<usize> {
        match self.inputs.get(name) {
            Some(Value::Index(dense)) => dense.data.iter().map(|&i| i as usize).collect(),
            other => panic!("`{name}` is {other:?}, wanted an index tensor"),
        }
    }

    /// Whether a tuple is in a relation.
    ///
    /// # Panics
    /// As [`Point::n`].
    #[must_use]
    pub fn holds(&self, name: &str, tuple: &[usize]) -> bool {
        let tuple: Vec<i64> = tuple.iter().map(|&i| i as i64).collect();
        match self.inputs.get(name) {
            Some(Value::Relation(relation)) => relation.contains(&tuple),
            other => panic!("`{name}` is {other:?}, wanted a relation"),
        }
    }
}

fn tensor(shape: &[usize], data: Vec<f64>) -> Value<f64> {
    let found = data.len();
    match Dense::new(shape.to_vec(), data) {
        Some(dense) => Value::Real(dense),
        None => panic!("{found} entries do not fill the shape {shape:?}"),
    }
}
