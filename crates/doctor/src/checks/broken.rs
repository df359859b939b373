//! Things that cannot be used: put aside because they killed Attune, or with a column that no program can read.

use attune_common::repositories::fuse;
use attune_common::repositories::listing::{self, Noun};
use sqlx::PgPool;

use crate::finding::{Finding, first_few};
use crate::installation::Installation;

/// What operators write.
const WRITTEN: [Noun; 6] = [Noun::Pack, Noun::Runtime, Noun::Trigger, Noun::Sensor, Noun::Action, Noun::Rule];

pub(super) async fn check(installation: &Installation) -> Vec<Finding> {
    let pool = match installation.database_or_skip().await {
        Ok(pool) => pool,
        Err(skipped) => return skipped,
    };
    read(pool).await.unwrap_or_else(|error| vec![Finding::unread("what operators write", &error)])
}

async fn read(pool: &PgPool) -> sqlx::Result<Vec<Finding>> {
    let aside = fuse::list_aside(pool).await?.into_iter();
    let aside: Vec<_> = aside.map(|(noun, name, reason)| format!("{noun} {name}: {reason}")).collect();
    let mut unreadable = Vec::new();
    for noun in WRITTEN {
        let rows = listing::list_unreadable(pool, noun).await?.into_iter();
        unreadable.extend(rows.map(|(name, reason)| format!("{} {name} ({reason})", noun.name())));
    }
    Ok(judge(&aside, &unreadable))
}

fn judge(aside: &[String], unreadable: &[String]) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !aside.is_empty() {
        let mend = "change it, or enable it again; everything else goes on without it";
        findings.push(Finding::problem(first_few(aside), mend));
    }
    if !unreadable.is_empty() {
        let mend =
            "write the column again, for example with `attune db shell`; everything else goes on without it";
        findings.push(Finding::problem(first_few(unreadable), mend));
    }
    if findings.is_empty() {
        findings.push(Finding::ok("nothing was put aside, and every row can be read"));
    }
    findings
}
