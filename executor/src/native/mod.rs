//! The native engine: loop programs as C, compiled by the system's compiler, loaded, and cached.
//!
//! Two kinds of text come from one printer. [`emit`] gives one function with a header, for users to
//! compile ([`Emitted`]). [`Native`] compiles a text of several functions, one for each piece of the program, so that
//! threads share the loops whose iterations are independent, at top level and in the steps of recurrences.
//!
//! The C is rounded as the plain runner rounds: the elementary functions of [`crate::math`], the order of
//! operations of the loop program. Two things differ, the same way for any number of threads: a sum that is kept
//! in a variable may be regrouped for vector registers, and in tiles a product that is added to one may be exact.
//!
//! | file | what |
//! | --- | --- |
//! | `names.rs` | words of C |
//! | `mentions.rs`, `scopes.rs` | what nodes read and write; where variables are declared |
//! | `expressions.rs`, `statements.rs`, `search.rs` | the printer |
//! | `tiles.rs`, `blocks.rs` | loops in tiles ([`crate::tile`]), and in blocks of tiles |
//! | `streams.rs`, `ahead.rs` | results that go past the cache; what is fetched ahead |
//! | `helpers.rs`, `text.rs` | what comes before the functions |
//! | `product.rs` | one function and its header |
//! | `pieces.rs`, `units.rs` | the pieces of a program; which variables live between calls |
//! | `stages.rs` | the functions of the engine |
//! | `compiler.rs` | finding and running the compiler; the cache |
//! | `engine.rs`, `schedule.rs` | loading; running the pieces, by several threads |
//! | `code.rs`, `worth.rs` | when code is made: whether a call pays for it |

mod ahead;
mod blocks;
mod code;
mod compiler;
mod engine;
mod expressions;
mod helpers;
mod lookups;
mod mentions;
mod names;
mod pieces;
mod product;
mod schedule;
mod scopes;
mod search;
mod stages;
mod statements;
mod streams;
mod text;
mod tiles;
mod units;
mod worth;

pub(crate) use code::Code;
pub use compiler::{Compiler, NativeError};
pub use engine::{Interrupted, Native};
pub(crate) use mentions::Mentions;
pub use product::emit;
pub(crate) use scopes::Variable;

/// The type of reals in C.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Precision {
    /// `double`
    F64,
    /// `float`
    F32,
}

impl Precision {
    /// The type in C.
    #[must_use]
    pub fn c(self) -> &'static str {
        match self {
            Self::F64 => "double",
            Self::F32 => "float",
        }
    }
}

/// A program as C.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Emitted {
    /// The function; the files are `name.c` and `name.h`.
    pub name: String,
    /// The text of `name.c`.
    pub source: String,
    /// The text of `name.h`.
    pub header: String,
}
