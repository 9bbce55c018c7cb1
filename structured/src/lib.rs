//! Results that are zero but on an image of a smaller domain: values and an index map.
//!
//! The gradient of a trace has n entries on a diagonal, the Jacobian of a stencil is a few
//! bands, the gradient of an embedding is some rows. The equalities in the guards say so:
//!
//! ```text
//! A_bar[i, j] = [i = j] * q_ct          values[i] = q_ct          at (i, i)
//! E_bar[v, d] = sum(t: m where p[t] = v) y_bar[t, d]
//!                                       values[t, d] = y_bar[t, d] at (p[t], d)
//! ```
//!
//! [`split`] finds such results of a program and gives the program that computes the
//! values, with a [`Structure`] for each result that says where they stand. Sums of
//! structured tensors, and products with one, stay structured on the way. A structure
//! leads back to a dense tensor, to sorted coordinates ([`Coo`]) and to compressed rows
//! ([`Csr`]); the dense one is the result of the program that was split, exactly over
//! the rationals. (Over floats sums may be in another order, and an entry that is zero
//! by structure is 0 whatever it was multiplied with.)
//!
//! Read `structure.rs` for the types, `split.rs` for the pass over a program,
//! `solve.rs` for one term, `convert.rs` for the way back.

mod convert;
mod dead;
mod pieces;
mod solve;
mod split;
mod structure;

pub use convert::{Coo, Csr, Missing};
pub use split::split;
pub use structure::{Coordinate, Kind, Part, Structure};
