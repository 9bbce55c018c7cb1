//! Laws of sums and indicators, applied until none applies (spec chapter 6).
//!
//! The derivative of a program names every entry with an equation:
//! `x̄[k] = sum(i: n where k = i + 1) ȳ[i]`. [`simplify`] solves the equations, so
//! that a loop runs over the fibre and nothing else: `x̄[k] = [k > 0] * ȳ[k - 1]`.
//!
//! [`RULES`] is the table of laws. Each is a function that gives the right side of
//! its law where the left one matches and the side condition, stated above the
//! function, holds.
//!
//! * [`simplify`] applies them; [`simplify_traced`] says which, and where.
//! * `driver.rs` chooses the order; `solve.rs` and `divide.rs` hold the method;
//!   the other modules hold laws by subject.
//!
//! Nothing here knows about derivatives, and no law raises the sparse work.

mod alike;
mod compare;
mod constants;
mod dead;
mod divide;
mod driver;
mod forward;
mod guards;
mod rule;
mod scope;
mod solve;
mod split;
mod walk;

pub use driver::{Firing, simplify, simplify_traced};
pub use rule::{RULES, Rule};
