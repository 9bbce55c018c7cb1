//! The algebra of Iverson brackets: Tensor SSA to Tensor SSA (spec chapter 6).
//!
//! A derivative is full of indicators: every use of an entry sends back a sum
//! guarded by `[k = α(i)]`. Here indicators are *solved*, not evaluated. The
//! laws are data, the table [`RULES`]; [`simplify`] applies them until none
//! fires, and [`simplify_traced`] says which fired where.
//!
//! * **Meaning** is kept exactly over the rationals. A row of the table says
//!   whether its law is also exact over floats.
//! * **Sparse work** (chapter 3) never rises.
//! * **Termination**: see [`driver`]. The result is a fixed point, so simplifying
//!   twice gives the same program; nothing depends on hash order or addresses.
//!
//! Read `rules.rs` for the table, then the laws by subject: `guards`, `solve`,
//! `quotients`, `ranges`, `bodies`, `sums` for one term or one sum of terms; `inline`, `support`,
//! `axis`, `hoist`, `share`, `reuse`, `once`, `dead` for whole programs.

mod axis;
mod bodies;
mod context;
mod dead;
pub mod driver;
mod guards;
mod hoist;
mod inline;
mod once;
mod quotients;
mod ranges;
mod reuse;
mod rules;
mod share;
mod solve;
mod state;
mod sums;
mod support;
mod trace;

pub use driver::{simplify, simplify_traced};
pub use rules::{Exact, RULES, Rule};
pub use trace::{Firing, Trace};
