//! Rules that took more work than there was.

use attune_common::repositories::enforcement::{self, OutOfWork};

use crate::finding::{Finding, first_few};
use crate::installation::Installation;

pub(super) async fn check(installation: &Installation) -> Vec<Finding> {
    let pool = match installation.database_or_skip().await {
        Ok(pool) => pool,
        Err(skipped) => return skipped,
    };
    match enforcement::list_out_of_work(pool).await {
        Ok(rules) => vec![judge(&rules)],
        Err(error) => vec![Finding::unread("what ran out of work", &error)],
    }
}

fn judge(rules: &[OutOfWork]) -> Finding {
    if rules.is_empty() {
        return Finding::ok("every rule came to its end today, as far as the last 10,000 enforcements tell");
    }
    let names: Vec<_> = rules.iter().map(|it| format!("rule {} ({}x)", it.rule, it.count)).collect();
    let mend =
        "make its patterns and templates cheaper: `attune rule test REF --last 20` says what they take";
    Finding::warning(format!("out of work: {}", first_few(&names)), mend)
}
