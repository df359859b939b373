//! Warm hosts: programs that have loaded code already and answer many polls of sensors or runs of actions, one at a time.
//!
//! Starting an interpreter costs a hundred times what a turn in a running one costs. So a runtime may name a host program,
//! and [`Hosts`] keeps the hosts of one service. Hosts that were started alike form a group ([`Site`]); nothing that could
//! make a difference to the code, another pack above all, shares one.
//!
//! - A group has a *fast lane* of as many hosts as there are cores, where a sensor sticks to one host, and a *slow lane* of
//!   hosts that anybody takes who must not hold up others: who was never here, whose last turn was not quick, who waited too
//!   long for its own host. Only who was quick is let into the fast lane, and a host of it that turns out to be held up is
//!   passed over. So whatever hangs holds up its own host and nobody else.
//! - All hosts together have one budget of memory, of which the slow lane never gets the last quarter. Who is idle ends
//!   after a while, or earlier when somebody needs the room, least recently used first. In the slow lane nobody ends
//!   a host that was used a moment ago while it has its share of others to wait for: to start hosts in turn would cost more.
//! - A host is replaced after so many turns, or when it has grown; whatever goes wrong in a turn costs that turn and its
//!   host, and no wait is unbounded.
//!
//! The decisions are in [`books`], which knows neither clock nor process.

mod ask;
mod books;
mod error;
mod keeper;
mod lease;
mod pool;
mod recipe;
mod request;
mod serve;
mod settings;
mod spent;
mod turn;
mod unfit;
mod warm;

pub use error::{Gone, StartFault, TurnError};
pub use pool::{Census, Hosts};
pub use recipe::{Site, lasting};
pub use request::{Answer, Listener, Request, Task};
pub use settings::Settings;
