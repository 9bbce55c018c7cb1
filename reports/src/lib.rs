//! What `cargo bench` measured, as tables and a page.
//!
//! [`data`] says what a run writes, a JSON record a line; [`fit`] the power of n with
//! which a series grows; [`summary`] gathers a program's series and compares them with
//! what they should be. [`table`] writes them as text and as Markdown, [`page`] as one
//! HTML page that needs no network, with the plots of [`plot`]. All of it is a pure
//! function of the records: the same data give the same bytes.
//!
//! The crate knows nothing of the language: programs are texts, strategies are names.

pub mod data;
pub mod fit;
mod number;
pub mod page;
pub mod plot;
pub mod summary;
pub mod table;

pub use data::{DataError, Record, read, write};
pub use summary::Summary;
