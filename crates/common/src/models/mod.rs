//! Rows of the public tables.

mod runtime;

pub use runtime::Runtime;
