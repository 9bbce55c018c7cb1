//! Exact affine arithmetic over the integers.
//!
//! A bounds checker asks whether a system of affine constraints implies
//! another constraint; an optimiser asks for the solutions of index equations.
//! Both questions are answered here for plain integer unknowns ([`Var`]),
//! with no knowledge of any language.
//!
//! # Map
//!
//! * [`Linear`] is `c + Σ aᵢ·xᵢ`, [`Constraint`] is `e = 0`, `e ≥ 0` or
//!   `k | e`, and [`System`] is a conjunction of constraints.
//! * [`feasible`] decides whether a system has an integer point.
//! * [`prove`] decides whether a system implies a constraint.
//! * [`project`] eliminates variables: `∃ x. system`.
//! * [`solve`] writes unknowns of equalities in terms of parameters.
//! * [`bounds`] reads off the bounds of one variable, and [`minimize`] drops
//!   constraints that the others imply.
//!
//! # Guarantees
//!
//! 1. Every number is a checked `i128`. An overflow never panics and never
//!    produces a wrong answer; it turns into `None` or `Unknown`.
//! 2. Every witness is checked against the question before it is returned.
//! 3. Work is bounded by a [`Budget`]; past it the answer is `Unknown`. There is no other
//!    reason for `Unknown` than an overflow (2^126 is far from the coefficients of
//!    programs, at most 2^40) or a spent budget: with a larger budget every question
//!    whose numbers stay small is decided. The default is spent by fewer than one in a
//!    hundred dense random questions in three unknowns.
//! 4. Answers are deterministic: the same question gets the same answer.
//!
//! # Example
//!
//! ```
//! use iverson_affine::{Budget, Constraint, Linear, System, Var, Verdict, prove};
//!
//! let (i, n) = (Linear::var(Var(0)), Linear::var(Var(1)));
//! let mut system = System::new();
//! system.push(Constraint::NonNegative(i.clone()));
//! system.push(Constraint::less(&i, &n).unwrap());
//! let goal = Constraint::at_least(&n, &Linear::constant(1)).unwrap();
//! assert_eq!(prove(&system, &goal, Budget::default()), Verdict::Proved);
//! ```

mod arith;
mod bounds;
mod budget;
mod constraint;
mod euclid;
mod feasible;
mod fourier;
mod linear;
mod minimize;
mod normal;
mod problem;
mod project;
mod prove;
mod search;
mod solve;
mod system;
mod witness;

pub use bounds::{Bounds, bounds};
pub use budget::Budget;
pub use constraint::Constraint;
pub use feasible::{Feasibility, feasible};
pub use linear::{Linear, Var};
pub use minimize::minimize;
pub use project::{Projection, project};
pub use prove::{Verdict, prove};
pub use solve::{Quotient, Solution, solve};
pub use system::System;
pub use witness::Witness;
