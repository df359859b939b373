//! Whether this host lets a program be started in a certain way, found out by doing it.
//!
//! The program is the launcher itself, which needs nothing of the host, and without an order exits with a code of its
//! own.

use std::env;
use std::fs::File;
use std::time::Duration;

use crate::error::LaunchError;
use crate::group::Group;
use crate::order;
use crate::outcome::{Finished, Outcome};
use crate::program::{Limits, Program};
use crate::sandbox::Level;
use crate::session::Session;

/// What a launcher exits with that was given no order.
const NO_ORDER: Outcome = Outcome::Exited(125);

/// Tries it; an error is the reason in words.
pub(crate) async fn run(level: Level, group: Option<Group>) -> Result<(), String> {
    let limits = Limits { sandbox: level, time: Duration::from_secs(10), ..Limits::default() };
    let argv = vec!["/proc/self/exe".into()];
    let program = Program { argv, env: Vec::new(), cwd: env::temp_dir(), stdin: Vec::new(), limits };
    match finish(program, group).await {
        Ok(Finished { outcome: NO_ORDER, .. }) => Ok(()),
        Ok(finished) => Err(format!("a trial {}", finished.outcome)),
        Err(LaunchError::Step { step, source, .. }) => Err(format!("{step} failed: {source}")),
        Err(error) => Err(error.to_string()),
    }
}

async fn finish(program: Program, group: Option<Group>) -> Result<Finished, LaunchError> {
    let null = File::open("/dev/null").map_err(|error| order::not_spawned(program.path(), error))?;
    let mut session = Session::start_in(program, null.into(), None, group).await?;
    let followed = async {
        while session.next().await?.is_some() {}
        Ok(())
    };
    let followed = followed.await;
    session.conclude(followed)
}
