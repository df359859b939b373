//! A private `PostgreSQL` cluster over the installed server's own programs.
//!
//! `attune up` must work on a machine where nobody has set up a database, so it brings its own: a cluster in its data
//! directory, reached by a Unix socket that only its owner can open, alive exactly as long as the process that owns it.
//!
//! ```text
//! data_dir/lock               held by the owner; says its pid
//! data_dir/postgres/          the cluster, owned by the account that the server runs as
//! data_dir/postgres.new/      a cluster that is being initialised; worthless after a crash
//! data_dir/postgres.conf      written at every start
//! data_dir/postgres.local.conf   the operator's own settings, if any; never written here
//! data_dir/postgres.log       what initdb and the server say
//! /run/attune-HASH, /tmp/attune-HASH   the socket, see [`url_of`]
//! ```
//!
//! # Invariants
//! - Whoever holds the lock owns the cluster. A server that lives while its lock is free is an orphan and is stopped.
//! - A directory named `postgres` is a whole cluster: initialisation happens beside it and ends with a rename.
//! - The server dies with its owner: the kernel sends it SIGINT, a fast and clean shutdown, however the owner ends.
//! - No TCP, no passwords: the directory of the socket is the only gate, and only its owner and root pass it.
//!
//! # Failure
//! Every fault is an [`Error`] whose text says what stands in the way and what to do about it. A kill at any moment
//! leaves a directory that the next [`LocalDb::start`] puts right by itself.

mod account;
mod cluster;
mod connection;
mod error;
mod layout;
mod local_db;
mod lock;
mod log;
mod orphan;
mod reach;
mod ready;
mod server;
mod settings;
mod socket;
mod spawn;

pub use error::Error;
pub use local_db::{LocalDb, Options};
pub use lock::{Lock, owner_of};
pub use orphan::orphans_of;
pub use reach::check_reach;
pub use server::{Server, find_server};
pub use socket::url_of;
