//! The use cases of Attune, one transaction each: events in ([`ingest`]), attempts ended ([`finish`]), packs loaded
//! ([`load_pack`]) and things of an operator's own applied ([`apply`]), executions requested, cancelled and retried ([`request`], [`cancel`], [`retry`]), things switched on and off
//! ([`switch`]), sensors paused and told to tick now ([`pause`], [`poke`]), what sensors and actions take ([`usage`]), and what is put
//! right again and again ([`reconcile`]). [`ExecutorService`] is what a program runs of it. What an
//! author tries out before a pack is loaded goes through the same functions ([`unloaded`]).
//!
//! Nothing here starts a process or speaks HTTP. Claims and registrations are single statements of
//! `attune_common::repositories`.

pub mod apart;
pub mod apply;
pub mod cancel;
pub mod cancel_where;
pub mod core_pack;
pub mod finish;
pub mod fuse;
pub mod group_commit;
pub mod ingest;
pub mod load_pack;
pub mod pause;
pub mod poke;
pub mod reconcile;
pub mod request;
pub mod retry;
pub mod rules;
pub mod service;
pub mod switch;
pub mod turns;
pub mod unloaded;
pub mod usage;

pub use service::ExecutorService;
