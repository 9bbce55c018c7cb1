//! Families of programs whose naive derivatives are asymptotically slow.
//!
//! A [`Family`] is a text in the language with one or more [`Member`]s: functions with a
//! derivative to be taken, inputs for every size (seeded, so that they are the same
//! everywhere), a reference derivative written by hand that shares nothing with the
//! compiler, and the growth that each way of differentiating must show. Where it comes
//! from is said by its [`Source`]s.
//!
//! [`FAMILIES`] has them in order. `tests/families.rs` of the workspace compares each
//! member with its reference, `tests/slowdown.rs` its exact work with its growth, and
//! `cargo bench` its time and memory.

mod families;
mod growth;
mod point;
pub mod random;

pub use families::FAMILIES;
pub use growth::Growth;
pub use point::Point;
use random::Rng;

/// A theme, its text and its members.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// The name of its file, without `.iv`.
    pub name: &'static str,
    /// What it shows, in a few words.
    pub title: &'static str,
    /// The programs.
    pub text: &'static str,
    /// Where the pattern was met.
    pub sources: &'static [Source],
    /// The functions that are differentiated.
    pub members: &'static [Member],
}

/// A public thread, a paper or a prototype.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Source {
    /// As it is cited.
    pub title: &'static str,
    /// Where it is.
    pub url: &'static str,
}

/// A function with a derivative.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// The function's name in the text.
    pub function: &'static str,
    /// The inputs it is differentiated in.
    pub wrt: &'static [&'static str],
    /// What is taken of it.
    pub derivative: Derivative,
    /// The inputs: the first case is the one that is measured, the others vary what matters.
    pub cases: &'static [Case],
    /// The derivative by hand.
    pub reference: Reference,
    /// How the exact work grows with the knob.
    pub work: Growth,
    /// How the peak memory grows with the knob, the arguments included; of a reverse mode
    /// that makes several passes, the memory of one.
    pub memory: Growth,
    /// The least size that is measured; others are this times a power of 2.
    pub start: usize,
}

/// What is taken of a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Derivative {
    /// `Jᵀ·ȳ`, as `x_bar` for each input.
    Gradient,
    /// `J·ẋ`, as `y_dot` for each result.
    Directional,
    /// `Jᵀ·J·ẋ`, as `x_jtjv` for each input.
    GaussNewton,
    /// `J` of the one result in the one input: the axes of the result, then those of the input.
    Jacobian,
    /// The second derivative of the one result, a number, in the one input.
    Hessian,
}

/// Inputs for a size.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// What is particular about them.
    pub name: &'static str,
    /// The inputs for the knob `n`. A case that has no such size takes the nearest that it has.
    pub point: fn(n: usize, rng: &mut Rng) -> Point,
}

/// The derivative at a point: its entries, row-major, for each input in `wrt` (of a
/// directional derivative: for each result).
pub type Reference = fn(&Point) -> Vec<Vec<f64>>;

impl Family {
    /// The number in the table, from 1.
    #[must_use]
    pub fn number(&self) -> usize {
        1 + FAMILIES.iter().take_while(|family| family.name != self.name).count()
    }
}

impl Member {
    /// The inputs that are measured.
    #[must_use]
    pub fn point(&self, n: usize, seed: u64) -> Point {
        (self.cases[0].point)(n, &mut Rng::new(seed))
    }
}
