//! From a runtime's row to something that runs on this machine.
//!
//! A pack travels as one archive and is known by its [`digest`]: [`archive`] reads it without trusting it, and
//! [`content`] unpacks it once per machine. [`resolve`] turns a typed row into a command line, [`environment`] installs what
//! the pack depends on, [`requirements`] looks for the commands that it calls, [`variables`] composes what the program sees,
//! [`confinement`] says how far it is confined, and [`launch`] is the one path through all of them. [`host`] keeps programs
//! running that have loaded code already, and [`spent`] says what a program took.
//! No SQL is here, and no language either: what differs between languages is data.

pub mod archive;
pub mod confinement;
pub mod content;
pub mod digest;
pub mod directory;
pub mod environment;
pub mod equipment;
pub mod files;
pub mod host;
mod identity;
mod interpreter;
pub mod launch;
pub mod note;
pub mod pack_directory;
pub mod pass;
pub mod requirements;
pub mod resolve;
pub mod scratch;
pub mod spent;
pub mod template;
pub mod tool;
pub mod variables;
