//! The database: there, recent enough, and taking writes.

use attune_common::repositories::server::{self, Server};

use crate::finding::{Finding, chain};
use crate::installation::{Installation, Unreachable};

/// `server_version_num` of the oldest server that has what the schema uses.
const OLDEST: i32 = 150_000;

pub(super) async fn check(installation: &Installation) -> Vec<Finding> {
    let place = installation.database_url().map(|url| url.place()).unwrap_or_default();
    let pool = match installation.database().await {
        Ok(pool) => pool,
        Err(reason) => return vec![away(&reason, &place)],
    };
    let server = match server::get(pool).await {
        Ok(server) => server,
        Err(error) => return vec![away(&Unreachable::Refused(chain(&error)), &place)],
    };
    let kind = if installation.config.database.url.is_some() { "configured" } else { "private" };
    vec![judge(&server, &format!("{kind}, at {place}"))]
}

fn judge(server: &Server, place: &str) -> Finding {
    let found = format!("PostgreSQL {}, {place}", server.version);
    if server.number < OLDEST {
        Finding::problem(found, "Attune needs PostgreSQL 15 or later: move the data to a newer server")
    } else if server.is_standby {
        Finding::problem(format!("{found}, is a standby"), "name the primary in DATABASE_URL")
    } else {
        Finding::ok(found)
    }
}

fn away(reason: &Unreachable, place: &str) -> Finding {
    match reason {
        Unreachable::NotRunning => {
            Finding::skipped("none is configured, and the private one does not run; `attune up` starts it")
        }
        Unreachable::Refused(reason) => Finding::problem(
            format!("{place} does not answer: {reason}"),
            "start it, or correct DATABASE_URL (`attune config show` says where the address comes from)",
        ),
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;
    use crate::finding::Verdict;

    #[test]
    fn an_old_server_and_a_standby_are_problems() {
        let of = |number, is_standby| {
            judge(&Server { version: "x".to_owned(), number, now: Utc::now(), is_standby }, "here").verdict
        };
        assert_eq!(of(OLDEST, false), Verdict::Ok);
        assert_eq!([of(140_012, false), of(OLDEST, true)], [Verdict::Problem; 2]);
    }
}
