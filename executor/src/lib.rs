//! From Tensor SSA to loops, and from loops to results, fast (spec chapter 7).
//!
//! [`compile`] lowers a program to a [`LoopProgram`] once; an [`Executable`] runs it many
//! times, for any sizes, in the caller's memory.
//!
//! Read `loops/` for the representation and its text, `lower/` for how Tensor SSA becomes loops,
//! `runner.rs` for what loops mean.

mod arguments;
mod block;
pub mod error;
mod executable;
pub mod frame;
mod fuse;
mod indices;
mod lines;
pub mod loops;
mod lower;
pub mod math;
mod members;
pub mod native;
mod private;
pub mod runner;
pub mod scalar;
mod team;
mod tile;

pub use arguments::{Argument, Inputs, Output, Outputs};
pub use block::Vectors;
pub use error::{CompileError, RunError};
pub use executable::{Executable, compile};
pub use loops::LoopProgram;
pub use lower::{lower, send};
pub use scalar::Scalar;

use std::num::NonZero;

/// Who runs the loops.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Engine {
    /// The plain runner: slow, sequential, counts points.
    Runner,
    /// Blocks of lanes through vector kernels, several threads: always there.
    Block,
    /// C, compiled by the system's compiler: an error where there is none.
    Native,
    /// Native code for calls with much work where there is a compiler, else blocks.
    #[default]
    Auto,
}

impl Engine {
    /// Every engine.
    pub const ALL: [Self; 4] = [Self::Runner, Self::Block, Self::Native, Self::Auto];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Runner => "runner",
            Self::Block => "block",
            Self::Native => "native",
            Self::Auto => "auto",
        }
    }
}

/// Told after each outer step of a run: how many are done, of how many.
pub type Report = dyn Fn(usize, usize) + Send + Sync;

/// Whether loops are fused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fusion {
    /// Loops over one domain are one loop, its intermediates in registers.
    On,
    /// Each statement has loops of its own.
    Off,
}

/// How a program is compiled and run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Who runs the loops.
    pub engine: Engine,
    /// Whether loops are fused.
    pub fusion: Fusion,
    /// The most threads to use; `None`: as many as the machine has.
    pub threads: Option<NonZero<usize>>,
    /// The most bytes that arguments, results and intermediates may have together.
    pub memory: u64,
}

impl Default for Options {
    /// The fastest engine, all threads, 4 GiB.
    fn default() -> Self {
        Self { engine: Engine::default(), fusion: Fusion::On, threads: None, memory: 1 << 32 }
    }
}
