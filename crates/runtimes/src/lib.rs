//! From a runtime's row to something that runs on this machine.
//!
//! A pack travels as one archive and is known by its [`digest`]: [`archive`] reads it without trusting it, and
//! [`content`] unpacks it once per machine. [`resolve`] turns a typed row into a command line, and [`variables`] into the
//! complete environment of the program. No SQL is here, and no language either: what differs between languages is data.

pub mod archive;
pub mod cache;
pub mod content;
pub mod digest;
pub mod directory;
pub mod equipment;
pub mod files;
pub mod resolve;
pub mod scratch;
pub mod tool;
pub mod variables;
