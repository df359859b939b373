//! A book that followed every change is the book that reading all anew gives, and what did not change was not compiled again.

use std::sync::Arc;

use attune_executor::rules::{RuleBook, RuleCache};
use sqlx::PgPool;

use crate::system::System;

const MORE: &str = "
    INSERT INTO trigger (ref) VALUES ('demo.other');
    INSERT INTO rule (ref, trigger_ref, action_ref)
        SELECT 'demo.more_' || n, 'demo.other', action_ref FROM rule, generate_series(1, 3) n WHERE rule.ref = 'demo.tell_high'";

async fn book(cache: &RuleCache) -> Arc<RuleBook> {
    cache.renew(i64::MAX - 1).await.unwrap();
    cache.current()
}

/// All that a book says of these triggers, and what it left out.
async fn told(pool: &PgPool, book: &RuleBook) -> String {
    let refs: Vec<String> =
        sqlx::query_scalar("SELECT ref FROM trigger ORDER BY ref").fetch_all(pool).await.unwrap();
    let rules: Vec<String> =
        sqlx::query_scalar("SELECT ref FROM rule ORDER BY ref").fetch_all(pool).await.unwrap();
    let triggers = refs.iter().map(|name| format!("{name}: {:#?}\n", book.trigger(name)));
    triggers.chain(rules.iter().map(|name| format!("{name}: {:?}\n", book.fault(name)))).collect()
}

#[tokio::test]
async fn a_book_that_follows_changes_is_as_one_that_is_read_anew() {
    let system = System::with_demo().await;
    system.run(MORE).await;
    let followed = RuleCache::new(system.pool().clone());
    book(&followed).await;
    for change in [
        "UPDATE rule SET conditions = '[{\"field\": \"n\", \"operator\": \"gt\", \"value\": 1}]' WHERE ref = 'demo.more_1'",
        "UPDATE rule SET conditions = '7' WHERE ref = 'demo.more_2'",
        "UPDATE rule SET trigger_ref = 'demo.other' WHERE ref = 'demo.tell_high'",
        "UPDATE trigger SET ref = 'demo.renamed' WHERE ref = 'demo.other'",
        "UPDATE trigger SET param_schema = '{\"properties\": {\"n\": {\"default\": 1}}}' WHERE ref = 'demo.renamed'",
        "UPDATE rule SET conditions = '[]' WHERE ref = 'demo.more_2'",
        "UPDATE rule SET ref = 'demo.called_otherwise' WHERE ref = 'demo.more_2'",
        "UPDATE action SET enabled = FALSE",
        "UPDATE pack SET config = '{\"n\": 2}' WHERE ref = 'demo'",
        "UPDATE rule SET enabled = FALSE WHERE ref = 'demo.more_3'",
        "UPDATE pack SET enabled = FALSE WHERE ref = 'demo'",
        "UPDATE pack SET enabled = TRUE WHERE ref = 'demo'",
        "DELETE FROM rule WHERE ref = 'demo.more_1'",
    ] {
        system.run(change).await;
        let anew = book(&RuleCache::new(system.pool().clone())).await;
        let [followed, anew] = [book(&followed).await, anew];
        assert_eq!(told(system.pool(), &followed).await, told(system.pool(), &anew).await, "{change}");
    }
}

#[tokio::test]
async fn what_did_not_change_is_not_compiled_again() {
    let system = System::with_demo().await;
    system.run(MORE).await;
    let cache = RuleCache::new(system.pool().clone());
    let before = book(&cache).await;
    system.run("UPDATE rule SET revision = revision WHERE ref = 'demo.more_2'").await;
    let after = book(&cache).await;
    let [before, after] = [&before, &after].map(|book| &book.trigger("demo.other").unwrap().rules);
    let same: Vec<bool> = before.iter().zip(after).map(|(one, other)| Arc::ptr_eq(one, other)).collect();
    assert_eq!(same, [true, false, true]);
}
