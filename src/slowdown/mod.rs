//! The pathological families, differentiated in every way: what `tests/slowdown.rs` counts
//! and `cargo bench` times.
//!
//! A [`Subject`] is a member of a family with its derivative as it is derived and
//! simplified. [`work`] counts what a [`Way`] of differentiating costs at a point;
//! [`Run`] is such a derivative bound to a point, to be run many times.
//!
//! Reverse modes that run a program backwards have one cotangent at a time. A Jacobian
//! takes them one pass for each row, and a Hessian is the Jacobian of the gradient.

mod run;

pub use run::{Engine, Run, RunError, Spent};

use iverson_ad::{jvp, vjp};
use iverson_pathological::{Derivative, Family, Growth, Member, Point};
use iverson_spec::call::{Dense, Limits, Value, Values, bind};
use iverson_spec::ir::{Param, TensorId};
use iverson_spec::{TensorSsa, normalize, render};
use iverson_strategies::Strategy;
use iverson_structured::{Coordinate, Kind, Structure, split};
use std::fmt;

/// A way to get a derivative, or the program alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// The program, for comparison.
    Primal,
    /// [`Strategy::Dense`]
    Dense,
    /// [`Strategy::Scatter`]
    Scatter,
    /// [`Strategy::Indicator`]: derived, simplified, and run as the program is; of a result
    /// that is zero by structure its values alone.
    Indicator,
    /// The derivative of `Indicator` as it is derived, with its guards tried at every
    /// point: what the method costs if indicators are not solved.
    DenseIndicator,
}

impl Way {
    /// All of them, in the order of tables.
    pub const ALL: [Self; 5] =
        [Self::Primal, Self::Dense, Self::Scatter, Self::Indicator, Self::DenseIndicator];

    /// The name in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Primal => "primal",
            Self::Dense => Strategy::Dense.name(),
            Self::Scatter => Strategy::Scatter.name(),
            Self::Indicator => Strategy::Indicator.name(),
            Self::DenseIndicator => "dense-indicator",
        }
    }

    /// The power stated for it; the control has none.
    #[must_use]
    pub fn power(self, growth: &Growth) -> Option<f64> {
        match self {
            Self::Primal => Some(growth.primal),
            Self::Dense => growth.dense,
            Self::Scatter => growth.scatter,
            Self::Indicator => Some(growth.indicator),
            Self::DenseIndicator => None,
        }
    }

    /// Whether the way exists for a member.
    #[must_use]
    pub fn applies(self, member: &Member) -> bool {
        self == Self::DenseIndicator || self.power(&member.work).is_some()
    }

    /// The strategy that runs the program backwards.
    fn strategy(self) -> Option<Strategy> {
        match self {
            Self::Dense => Some(Strategy::Dense),
            Self::Scatter => Some(Strategy::Scatter),
            Self::Primal | Self::Indicator | Self::DenseIndicator => None,
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A member of a family with its derivatives.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The family.
    pub family: &'static Family,
    /// The member.
    pub member: &'static Member,
    /// The program in normal form.
    pub program: TensorSsa,
    /// What is taken of it, as derived.
    pub derived: TensorSsa,
    /// The same simplified.
    pub simplified: TensorSsa,
    /// What the method runs: the same, but of results that are zero by structure the values
    /// alone, where index expressions say where they stand. (Where data say it, values
    /// for one entry would still have to be added.)
    pub compact: TensorSsa,
    /// Where the values of each result of the derivative stand in `compact`; none if they
    /// are all entries.
    pub structures: Vec<Structure>,
    /// What a reverse mode differentiates: the program, or its gradient.
    backwards: TensorSsa,
}

impl Subject {
    /// Differentiates a member.
    ///
    /// # Panics
    /// If the family's text is wrong: a mistake of the family, not of a user.
    #[must_use]
    pub fn new(family: &'static Family, member: &'static Member) -> Self {
        let program = program(family, member);
        let derived = match member.derivative {
            Derivative::Gradient => vjp(&program, member.wrt),
            Derivative::Directional => jvp(&program, member.wrt),
            Derivative::GaussNewton => iverson_ad::jtjv(&program, member.wrt),
            Derivative::Jacobian => iverson_ad::jacobian(&program, member.wrt),
            Derivative::Hessian => iverson_ad::hessian(&program, member.wrt),
        };
        let derived = derived.unwrap_or_else(|e| panic!("`{}`: {e}", member.function));
        let backwards = match member.derivative {
            Derivative::Gradient
            | Derivative::Directional
            | Derivative::GaussNewton
            | Derivative::Jacobian => program.clone(),
            // simplified, or the masks of its brackets would be held against the others
            Derivative::Hessian => iverson_simplify::simplify(&gradient_alone(&program, member)),
        };
        let simplified = iverson_simplify::simplify(&derived);
        let (compact, structures) = compact(&simplified, asked(&program, member));
        Self { family, member, program, derived, simplified, compact, structures, backwards }
    }

    /// All members of all families.
    pub fn all() -> impl Iterator<Item = (&'static Family, &'static Member)> {
        let families = iverson_pathological::FAMILIES.iter();
        families.flat_map(|family| family.members.iter().map(move |member| (family, member)))
    }

    /// The program that a way evaluates; for those that run backwards, what they differentiate.
    fn evaluated(&self, way: Way) -> &TensorSsa {
        match way {
            Way::Primal => &self.program,
            Way::Dense | Way::Scatter => &self.backwards,
            Way::Indicator => &self.compact,
            Way::DenseIndicator => &self.derived,
        }
    }

    /// The arguments of a way that makes one pass.
    ///
    /// # Panics
    /// If the way makes none or several, as a reverse mode does for a matrix.
    #[must_use]
    pub fn arguments(&self, way: Way, at: &Point) -> Values<f64> {
        match <[Values<f64>; 1]>::try_from(self.passes(way, at)) {
            Ok([only]) => only,
            Err(passes) => {
                panic!("{way} makes {} passes over `{}`", passes.len(), self.member.function)
            }
        }
    }

    /// The arguments of a way at a point: one list for each pass that it makes.
    fn passes(&self, way: Way, at: &Point) -> Vec<Values<f64>> {
        let mut all = at.inputs.clone();
        match (way, self.member.derivative) {
            (Way::Primal, _) => vec![all],
            (Way::Dense | Way::Scatter, Derivative::Jacobian | Derivative::Hessian) => {
                if self.member.derivative == Derivative::Hessian {
                    let seed = format!("{}_ct", result_name(&self.program, 0));
                    all.insert(seed, Value::scalar(1.0));
                }
                units(&self.backwards, &all)
            }
            (Way::Dense | Way::Scatter | Way::Indicator | Way::DenseIndicator, _) => {
                all.extend(seeds(self.evaluated(way), &self.program, at));
                vec![all]
            }
        }
    }

    /// The names of the results of the derivative, in the order of the reference.
    #[must_use]
    pub fn derivative_names(&self) -> Vec<String> {
        let count = self.derived.results.len();
        let asked = asked(&self.program, self.member);
        (count - asked..count).map(|k| result_name(&self.derived, k)).collect()
    }
}

/// What seeds a derivative, of all that the point has: what the program takes besides the
/// inputs. A strategy that runs a program backwards takes its cotangents.
fn seeds(evaluated: &TensorSsa, program: &TensorSsa, at: &Point) -> Values<f64> {
    let takes = |name: &str| {
        evaluated.params.iter().any(|param| match param {
            Param::Tensor(tensor) => evaluated.symbols.tensor(*tensor).name == name,
            Param::Size(_) | Param::Relation(_) => false,
        })
    };
    let results = program.results.iter().map(|t| &program.symbols.tensor(*t).name);
    let cotangents: Vec<String> = results.map(|name| format!("{name}_ct")).collect();
    let backwards = evaluated.params.len() == program.params.len();
    let wanted = |name: &String| if backwards { cotangents.contains(name) } else { takes(name) };
    let seeds = at.seeds.iter().filter(|(name, _)| wanted(name));
    seeds.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn program(family: &Family, member: &Member) -> TensorSsa {
    let loaded = crate::pipeline::load(family.text).unwrap_or_else(|found| {
        let file = format!("{}.iv", family.name);
        panic!("{}", render::render(&found, &file, family.text))
    });
    let function = loaded.function(Some(member.function));
    normalize(function.unwrap_or_else(|e| panic!("`{}`: {e}", family.name)))
}

/// The program whose one result is the gradient in the one input.
fn gradient_alone(program: &TensorSsa, member: &Member) -> TensorSsa {
    let mut gradient =
        vjp(program, member.wrt).unwrap_or_else(|e| panic!("`{}`: {e}", member.function));
    gradient.results.drain(..program.results.len());
    gradient
}

/// How many results of a derivative are asked for: the last ones.
fn asked(program: &TensorSsa, member: &Member) -> usize {
    match member.derivative {
        Derivative::Gradient | Derivative::GaussNewton => member.wrt.len(),
        Derivative::Directional => program.results.len(),
        Derivative::Jacobian | Derivative::Hessian => 1,
    }
}

/// The program of the values of the last results, if index expressions place them all and
/// leave something out.
fn compact(simplified: &TensorSsa, asked: usize) -> (TensorSsa, Vec<Structure>) {
    let answers = &simplified.results[simplified.results.len() - asked..];
    let (program, structures) = split(simplified, answers);
    let parts = || structures.iter().flat_map(|structure| &structure.parts);
    let is_affine = |c: &Coordinate| matches!(c, Coordinate::Affine(_));
    let placed = parts().all(|part| part.map.iter().all(is_affine));
    if placed && parts().any(|part| part.kind != Kind::Dense) {
        return (program, structures);
    }
    (simplified.clone(), Vec::new())
}

fn result_name(program: &TensorSsa, place: usize) -> String {
    program.symbols.tensor(program.results[place]).name.clone()
}

/// The arguments with the cotangent of the first result set to each unit in turn.
fn units(program: &TensorSsa, inputs: &Values<f64>) -> Vec<Values<f64>> {
    let seed = format!("{}_ct", result_name(program, 0));
    let shape = shape(program, inputs, program.results[0]);
    let count = shape.iter().product();
    let unit = |k| {
        let mut data = vec![0.0; count];
        data[k] = 1.0;
        let mut inputs = inputs.clone();
        inputs.insert(seed.clone(), Value::Real(Dense { shape: shape.clone(), data }));
        inputs
    };
    (0..count).map(unit).collect()
}

fn shape(program: &TensorSsa, inputs: &Values<f64>, tensor: TensorId) -> Vec<usize> {
    let bound = bind(program, inputs, Limits { bytes: u64::MAX });
    let bound = bound.unwrap_or_else(|e| panic!("`{}`: {e}", program.name));
    bound.shapes[tensor.index()].clone().unwrap_or_default()
}

/// The exact work of a way at a point.
///
/// Dense and scatter count what they do, cotangents filled and added whole included. The
/// program and the indicator derivative are counted in the sparse model (spec chapter 3):
/// what a compiler pays that enumerates. The control is counted in the dense model.
///
/// # Errors
/// [`RunError`]
pub fn work(subject: &Subject, way: Way, at: &Point) -> Result<u64, RunError> {
    match Run::new(subject, way, Engine::Own, at)?.run()?.work {
        Some(work) => Ok(work),
        None => unreachable!("the own engine of a way counts its work"),
    }
}
