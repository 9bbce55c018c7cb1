//! Small counterexamples: sizes first, then entries, as long as the answer stays
//! wrong. The same question gives the same counterexample.

use super::report::Counterexample;
use super::{Answer, Oracle, Point};
use iverson_spec::call::{Dense, Relation, Value, Values, extent_value, shape};
use iverson_spec::ir::{Element, Param, Symbols, TensorId};

/// A search for a smaller point at which the answer is wrong.
pub(super) struct Search<'a> {
    oracle: &'a Oracle,
    answer: Answer<'a>,
    /// Whether the point that was asked about is at a tie: then others may be too.
    tied: bool,
    /// Whether seeds may be changed: those of the caller, not the cotangent 1 that is
    /// understood.
    along: bool,
    /// How many points may still be tried.
    left: usize,
    found: Counterexample,
}

impl<'a> Search<'a> {
    /// From `start`, at which the answer is wrong; its sizes and seeds are complete.
    pub(super) fn new(
        oracle: &'a Oracle,
        answer: Answer<'a>,
        start: Counterexample,
        tied: bool,
        along: bool,
    ) -> Self {
        Self { oracle, answer, tied, along, left: oracle.trials, found: start }
    }

    /// The smallest point found; `None` if none is smaller than the first.
    pub(super) fn run(mut self) -> Option<Counterexample> {
        let start = self.found.clone();
        while self.sizes() | self.relations() | self.tensors() | self.entries() {}
        (self.found != start).then_some(self.found)
    }

    /// Takes `point` if the answer is wrong there too.
    fn attempt(&mut self, point: Point) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        let wrong = self.oracle.wrong_at(&point, self.answer, self.tied);
        wrong.map(|found| self.found = found).is_some()
    }

    // Sizes.

    fn sizes(&mut self) -> bool {
        let names = self.oracle.primal.symbols.sizes.clone();
        names.iter().fold(false, |any, name| self.size(name) | any)
    }

    /// Makes one size as small as can be.
    fn size(&mut self, name: &str) -> bool {
        let mut any = false;
        while let Some(Value::Size(n)) = self.found.point.inputs.get(name).cloned() {
            let mut smaller = vec![0, 1, n / 2, n.saturating_sub(1)];
            smaller.retain(|m| *m < n);
            smaller.dedup();
            let resized = |m: &u64| resize(self.oracle, &self.found.point, name, *m);
            let points: Vec<Point> = smaller.iter().filter_map(resized).collect();
            if !points.into_iter().any(|point| self.attempt(point)) {
                break;
            }
            any = true;
        }
        any
    }

    // Relations and entries.

    /// Takes tuples out of relations.
    fn relations(&mut self) -> bool {
        let mut any = false;
        for name in names(&self.found.point.inputs) {
            let mut place = 0;
            while let Some(Value::Relation(relation)) = self.found.point.inputs.get(&name) {
                if place >= relation.len() {
                    break;
                }
                let mut tuples: Vec<Vec<i64>> = relation.tuples().collect();
                tuples.remove(place);
                let relation = Relation::new(relation.arity(), tuples);
                let mut point = self.found.point.clone();
                point.inputs.insert(name.clone(), Value::Relation(relation));
                match self.attempt(point) {
                    true => any = true,
                    false => place += 1,
                }
            }
        }
        any
    }

    /// Sets whole tensors to 0, or to 1.
    fn tensors(&mut self) -> bool {
        let mut any = false;
        for (part, name) in self.places() {
            for target in [0, 1] {
                let mut point = self.found.point.clone();
                let changed = match part.of(&mut point).get_mut(&name) {
                    Some(Value::Real(dense)) => fill(&mut dense.data, target as f64),
                    Some(Value::Index(dense)) if target == 0 => fill(&mut dense.data, 0),
                    _ => false,
                };
                any |= changed && self.attempt(point);
            }
        }
        any
    }

    /// Makes entries simpler one by one.
    fn entries(&mut self) -> bool {
        let mut any = false;
        for (part, name) in self.places() {
            let count = match part.of(&mut self.found.point).get(&name) {
                Some(Value::Real(dense)) => dense.data.len(),
                Some(Value::Index(dense)) => dense.data.len(),
                Some(Value::Size(_) | Value::Relation(_)) | None => 0,
            };
            for flat in 0..count {
                any |= self.entry(part, &name, flat);
            }
        }
        any
    }

    /// The tensors that may be changed.
    fn places(&self) -> Vec<(Part, String)> {
        let point = &self.found.point;
        let inputs = names(&point.inputs).into_iter().map(|name| (Part::Inputs, name));
        let seeds = if self.along { names(&point.seeds) } else { Vec::new() };
        inputs.chain(seeds.into_iter().map(|name| (Part::Seeds, name))).collect()
    }

    fn entry(&mut self, part: Part, name: &str, flat: usize) -> bool {
        let mut points = Vec::new();
        let mut point = self.found.point.clone();
        match part.of(&mut point).get(name).cloned() {
            Some(Value::Real(dense)) => {
                for x in simpler(dense.data[flat]) {
                    let mut dense = dense.clone();
                    dense.data[flat] = x;
                    part.of(&mut point).insert(name.to_owned(), Value::Real(dense));
                    points.push(point.clone());
                }
            }
            Some(Value::Index(dense)) => {
                for i in [0, dense.data[flat] / 2] {
                    let mut dense = dense.clone();
                    if i < std::mem::replace(&mut dense.data[flat], i) {
                        part.of(&mut point).insert(name.to_owned(), Value::Index(dense));
                        points.push(point.clone());
                    }
                }
            }
            Some(Value::Size(_) | Value::Relation(_)) | None => {}
        }
        points.into_iter().any(|point| self.attempt(point))
    }
}

/// The inputs or the seeds of a point.
#[derive(Clone, Copy)]
enum Part {
    Inputs,
    Seeds,
}

impl Part {
    fn of(self, point: &mut Point) -> &mut Values<f64> {
        match self {
            Self::Inputs => &mut point.inputs,
            Self::Seeds => &mut point.seeds,
        }
    }
}

fn names(values: &Values<f64>) -> Vec<String> {
    values.keys().cloned().collect()
}

/// Sets all entries to `target` unless each is that or zero already; whether it did.
fn fill<T: Copy + PartialEq + Default>(data: &mut [T], target: T) -> bool {
    let simple = data.iter().all(|x| *x == target || *x == T::default());
    let changed = !simple || target == T::default() && data.iter().any(|x| *x != target);
    if changed {
        data.fill(target);
    }
    changed
}

/// Simpler numbers than `x`, simplest first: fewer digits, nearer to 0.
fn simpler(x: f64) -> Vec<f64> {
    let mut simpler = match x {
        0.0 => Vec::new(),
        1.0 => vec![0.0],
        _ if x.fract() == 0.0 => vec![0.0, 1.0, (x / 2.0).trunc()],
        _ => vec![0.0, 1.0, x.trunc(), (2.0 * x).trunc() / 2.0, (10.0 * x).trunc() / 10.0],
    };
    simpler.retain(|y| *y != x);
    simpler
}

/// The point with another value for one size: tensors keep their leading entries.
/// `None` if there is no such point.
fn resize(oracle: &Oracle, point: &Point, size: &str, n: u64) -> Option<Point> {
    let symbols = &oracle.primal.symbols;
    let value = |name: &String| match point.inputs.get(name)? {
        Value::Size(_) if name == size => i64::try_from(n).ok(),
        Value::Size(m) => i64::try_from(*m).ok(),
        Value::Real(_) | Value::Index(_) | Value::Relation(_) => None,
    };
    let sizes: Vec<i64> = symbols.sizes.iter().map(value).collect::<Option<_>>()?;
    let mut inputs = point.inputs.clone();
    inputs.insert(size.to_owned(), Value::Size(n));
    for param in &oracle.primal.params {
        match *param {
            Param::Size(_) => {}
            Param::Tensor(tensor) => {
                let value = inputs.get_mut(&symbols.tensor(tensor).name)?;
                *value = resized(symbols, tensor, value, &sizes)?;
            }
            Param::Relation(relation) => {
                let row = symbols.relation(relation);
                let bounds: Option<Vec<i64>> =
                    row.extents.iter().map(|extent| extent_value(extent, &sizes)).collect();
                if let (Value::Relation(relation), Some(bounds)) =
                    (inputs.get_mut(&row.name)?, bounds)
                {
                    keep_inside(relation, &bounds);
                }
            }
        }
    }
    let mut seeds = point.seeds.clone();
    for tensor in oracle.seeded() {
        let value = seeds.get_mut(&symbols.tensor(tensor).name)?;
        *value = resized(symbols, tensor, value, &sizes)?;
    }
    Some(Point { inputs, seeds })
}

fn keep_inside(relation: &mut Relation, bounds: &[i64]) {
    let inside = |tuple: &Vec<i64>| tuple.iter().zip(bounds).all(|(at, bound)| at < bound);
    *relation = Relation::new(relation.arity(), relation.tuples().filter(inside).collect());
}

/// The value with the shape and in the range that the sizes give its tensor.
fn resized(
    symbols: &Symbols,
    tensor: TensorId,
    value: &Value<f64>,
    sizes: &[i64],
) -> Option<Value<f64>> {
    let shape = shape(symbols, tensor, sizes).ok()?;
    match (value, &symbols.tensor(tensor).element) {
        (Value::Real(dense), Element::Real) => Some(Value::Real(leading(dense, shape, 0.0))),
        (Value::Index(dense), Element::Index(bound)) => {
            let bound = extent_value(bound, sizes)?;
            let mut dense = leading(dense, shape, 0);
            dense.data.iter_mut().for_each(|i| *i = (*i).min(bound - 1));
            (bound > 0 || dense.data.is_empty()).then_some(Value::Index(dense))
        }
        _ => None,
    }
}

/// The entries at the positions that both shapes have, and `fill` elsewhere.
fn leading<T: Copy>(dense: &Dense<T>, shape: Vec<usize>, fill: T) -> Dense<T> {
    let count = iverson_spec::call::entries(&shape).unwrap_or(0);
    let mut new = Dense { data: vec![fill; count], shape };
    for flat in 0..count {
        let position = new.position(flat);
        let inside = position.iter().zip(&dense.shape).all(|(at, extent)| at < extent);
        if inside {
            let place =
                position.iter().zip(&dense.shape).fold(0, |p, (at, extent)| p * extent + at);
            new.data[flat] = dense.data[place];
        }
    }
    new
}
