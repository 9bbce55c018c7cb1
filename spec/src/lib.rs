//! The language iverson: its text, its meaning's types, and its checks.
//!
//! Chapters 1 to 7 beside this folder (`spec/*.md`) say what the modules do.
//!
//! | word | meaning | in code |
//! | --- | --- | --- |
//! | size | a natural number given at the call | [`ir::SizeId`] |
//! | extent, shape, rank | length of an axis, the list of them, their number | [`ir::Extent`] |
//! | index expression | integer expression of index variables, sizes and data | [`ir::Index`] |
//! | guard, indicator | a proposition `p`; its bracket `[p]`, 0 or 1 | [`ir::Guard`] |
//! | access | one entry of a tensor, `A[i, j + 1]` | [`ir::Expr::Access`] |
//! | reduction | `sum`, `max`, .. over the points where a guard holds | [`ir::Reduce`] |
//! | relation | a finite set of index tuples, given at the call | [`ir::RelId`] |
//! | recurrence | definitions that read their own earlier entries | [`ir::Rec`] |
//! | term | binders, a guard and a body: what a statement sums | [`ssa::Term`] |
//! | primal | the program differentiated, or a value of it | chapter 5 |
//! | tangent, cotangent | a direction of an input, a linear functional on a result | chapter 5 |
//! | seed | the tangent or cotangent that a derivative is taken along | the crate `iverson` |
//! | kink | a point at which a derivative jumps: a tie of a comparison, `abs` at 0 | chapter 5 |
//! | fibre | the points an index map sends to one position | chapter 6 |
//! | work | counted points, tests and accesses | chapter 3 |

pub mod ast;
pub mod bounds;
pub mod call;
pub mod callees;
pub mod check;
pub mod diagnostic;
pub mod function;
pub mod ir;
mod lexer;
pub mod normalize;
pub mod number;
pub mod parser;
pub mod print;
mod relation;
pub mod render;
pub mod searches;
pub mod ssa;
pub mod traverse;
pub mod unelaborate;
pub mod verify;
pub mod work;

pub use check::{Checked, check};
pub use diagnostic::Diagnostic;
pub use ir::Typed;
pub use normalize::normalize;
pub use parser::parse;
pub use ssa::TensorSsa;
pub use verify::verify;
