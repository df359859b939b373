//! One file per check, all of one shape: a function from the installation to what it found.

mod api;
mod broken;
mod caches;
mod clock;
mod configuration;
mod data_directory;
mod database;
mod disk;
mod environments;
mod limits;
mod processes;
mod rates;
mod runtimes;
mod schema;
mod sensors;
mod token;
mod work;
mod workers;

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::finding::Finding;
use crate::installation::Installation;

/// A check.
pub(crate) struct Check {
    pub(crate) name: &'static str,
    pub(crate) way: Way,
}

/// How it finds out.
pub(crate) enum Way {
    /// By looking at this machine, which may block.
    Looks(fn(&Installation) -> Vec<Finding>),
    /// By asking the database, or by running programs.
    Asks(fn(Arc<Installation>) -> BoxFuture<'static, Vec<Finding>>),
}

/// Every check, in the order of the report: first what the others stand on.
pub(crate) const ALL: &[Check] = &[
    Check { name: "configuration", way: Way::Looks(configuration::check) },
    Check { name: "data directory", way: Way::Looks(data_directory::check) },
    Check { name: "token", way: Way::Looks(token::check) },
    Check { name: "disk space", way: Way::Looks(disk::check) },
    Check { name: "open files", way: Way::Looks(limits::check) },
    Check { name: "database", way: Way::Asks(|it| Box::pin(async move { database::check(&it).await })) },
    Check { name: "schema", way: Way::Asks(|it| Box::pin(async move { schema::check(&it).await })) },
    Check { name: "clock", way: Way::Asks(|it| Box::pin(async move { clock::check(&it).await })) },
    Check { name: "running Attune", way: Way::Looks(api::check) },
    Check { name: "workers", way: Way::Asks(|it| Box::pin(async move { workers::check(&it).await })) },
    Check { name: "runtimes", way: Way::Asks(|it| Box::pin(async move { runtimes::check(&it).await })) },
    Check { name: "sensors", way: Way::Asks(|it| Box::pin(async move { sensors::check(&it).await })) },
    Check { name: "broken things", way: Way::Asks(|it| Box::pin(async move { broken::check(&it).await })) },
    Check { name: "rates", way: Way::Asks(|it| Box::pin(async move { rates::check(&it).await })) },
    Check { name: "work", way: Way::Asks(|it| Box::pin(async move { work::check(&it).await })) },
    Check { name: "caches", way: Way::Looks(caches::check) },
    Check { name: "environments", way: Way::Looks(environments::check) },
    Check { name: "processes", way: Way::Looks(processes::check) },
];
