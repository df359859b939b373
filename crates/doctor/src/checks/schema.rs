//! The schema: the one that this program was built with.

use attune_common::schema::{self, Differences};

use crate::finding::{Finding, chain, first_few};
use crate::installation::Installation;

pub(super) async fn check(installation: &Installation) -> Vec<Finding> {
    let pool = match installation.database_or_skip().await {
        Ok(pool) => pool,
        Err(skipped) => return skipped,
    };
    match schema::compare(pool).await {
        Ok(differences) => judge(&differences),
        Err(error) => vec![Finding::problem(
            format!("the list of migrations can not be read: {}", chain(&error)),
            "give the user of DATABASE_URL the right to read _sqlx_migrations",
        )],
    }
}

fn judge(differences: &Differences) -> Vec<Finding> {
    let Differences { pending, unknown, changed, unfinished } = differences;
    let mut findings = Vec::new();
    if let Some(version) = unfinished {
        let found = format!("migration {version} began and never ended");
        let mend = format!(
            "restore the database, or undo by hand what it did, then: DELETE FROM _sqlx_migrations WHERE version = {version}"
        );
        findings.push(Finding::problem(found, mend));
    }
    if !unknown.is_empty() {
        let found = format!("it is newer than this program ({} unknown here)", numbers(unknown));
        findings.push(Finding::problem(found, "update this program; an older one must not write to it"));
    }
    if !changed.is_empty() {
        let found = format!("{} was applied with another text than this program has", numbers(changed));
        findings.push(Finding::problem(
            found,
            "use the program that made this database, or one that was released",
        ));
    }
    if !pending.is_empty() {
        let found = format!("it is older than this program: {}", first_few(pending));
        findings.push(Finding::warning(found, "attune db migrate; every program does it at its start, too"));
    }
    if findings.is_empty() { vec![Finding::ok("up to date")] } else { findings }
}

fn numbers(versions: &[i64]) -> String {
    first_few(&versions.iter().map(ToString::to_string).collect::<Vec<_>>())
}
