//! This machine's clock against the database's, and against the times that were written before.

use attune_common::repositories::{event, server};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;

use crate::finding::Finding;
use crate::installation::Installation;

/// What a difference may be before times in logs, rows and conditions contradict each other.
const NOTICEABLE: TimeDelta = TimeDelta::seconds(2);
const MEND: &str = "let both machines follow a time server (chrony, systemd-timesyncd)";

pub(super) async fn check(installation: &Installation) -> Vec<Finding> {
    let pool = match installation.database_or_skip().await {
        Ok(pool) => pool,
        Err(skipped) => return skipped,
    };
    match compare(pool).await {
        Ok(findings) => findings,
        Err(error) => vec![Finding::unread("the time of the database", &error)],
    }
}

async fn compare(pool: &PgPool) -> sqlx::Result<Vec<Finding>> {
    // Once for nothing, so that the question itself is not measured.
    server::get(pool).await?;
    let asked = Utc::now();
    let theirs = server::get(pool).await?.now;
    let finding = against_database(asked, theirs, Utc::now());
    let newest = event::newest(pool).await?;
    Ok([Some(finding), newest.and_then(|newest| against_past(newest, theirs))]
        .into_iter()
        .flatten()
        .collect())
}

/// Their clock was read between `asked` and `answered`.
fn against_database(asked: DateTime<Utc>, theirs: DateTime<Utc>, answered: DateTime<Utc>) -> Finding {
    let off = if theirs < asked { asked - theirs } else { (theirs - answered).max(TimeDelta::zero()) };
    if off < NOTICEABLE {
        return Finding::ok("it agrees with the database's");
    }
    let way = if theirs < asked { "ahead of" } else { "behind" };
    Finding::warning(format!("it is {} s {way} the database's", off.num_seconds()), MEND)
}

/// A time that was written and is yet to come: a clock went back since.
fn against_past(newest: DateTime<Utc>, now: DateTime<Utc>) -> Option<Finding> {
    let ahead = newest - now;
    let found = format!(
        "the newest event is {} s in the future: a clock was wrong when it was written, or jumped back since",
        ahead.num_seconds()
    );
    (ahead >= NOTICEABLE).then(|| Finding::warning(found, MEND))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_the_database_is_no_difference() {
        let at = |seconds: i64| DateTime::from_timestamp(1_000 + seconds, 0).unwrap();
        assert_eq!(against_database(at(0), at(5), at(9)), Finding::ok("it agrees with the database's"));
        assert_eq!(against_database(at(0), at(-7), at(9)).found, "it is 7 s ahead of the database's");
        assert_eq!(against_database(at(0), at(60), at(9)).found, "it is 51 s behind the database's");
    }
}
