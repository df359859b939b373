//! Triggers, sensors and rules that had more events in a minute than they may have.

use attune_common::repositories::held::{self, Held};

use crate::finding::{Finding, first_few};
use crate::installation::Installation;

pub(super) async fn check(installation: &Installation) -> Vec<Finding> {
    let pool = match installation.database_or_skip().await {
        Ok(pool) => pool,
        Err(skipped) => return skipped,
    };
    match held::list(pool).await {
        Ok(held) => vec![judge(&held)],
        Err(error) => vec![Finding::unread("what is held", &error)],
    }
}

fn judge(held: &[Held]) -> Finding {
    if held.is_empty() {
        return Finding::ok("nothing is held");
    }
    let name =
        |it: &Held| format!("{} {} (more than {} events a minute)", it.kind, it.r#ref, it.max_per_minute);
    let names: Vec<_> = held.iter().map(name).collect();
    let mend = "find out what sends so many, or raise max_per_minute";
    Finding::warning(format!("held: {}", first_few(&names)), mend)
}
