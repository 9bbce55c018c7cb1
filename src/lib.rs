//! iverson: a tensor language with Iverson brackets, and its oracle.
//!
//! This crate gathers the others and adds the edges: [`pipeline`] leads from
//! text to a program, [`derivative`] names what a derivative is given and gives,
//! [`oracle`] judges somebody's values and derivatives, [`json`] and [`npz`] read
//! inputs and write results, [`random`] fills in missing inputs, [`polynomial`]
//! turns counts into formulas in the sizes, and [`slowdown`] differentiates the
//! pathological families in every way.

pub use iverson_ad as ad;
pub use iverson_affine as affine;
pub use iverson_executor as executor;
pub use iverson_interpreter as interpreter;
pub use iverson_pathological as pathological;
pub use iverson_reports as reports;
pub use iverson_simplify as simplify;
pub use iverson_spec as spec;
pub use iverson_strategies as strategies;
pub use iverson_structured as structured;

pub mod derivative;
pub mod entry;
pub mod input;
pub mod json;
pub mod npz;
pub mod oracle;
pub mod pipeline;
pub mod polynomial;
pub mod random;
mod sizes;
pub mod slowdown;
pub mod work;

/// The README's program, run as a documentation test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
