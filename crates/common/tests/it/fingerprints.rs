//! Whatever running a sensor needs, its fingerprint or that of the triggers tells when it was written, and nothing else does.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use attune_common::repositories::sensor::{self, Listed};
use attune_testkit::TestDb;
use sqlx::PgPool;

const WORLD: &str = "
    INSERT INTO pack (ref, name, version) VALUES ('demo', 'Demo', '1.0.0');
    INSERT INTO runtime (ref, name, distributions, execution) VALUES ('demo.r', 'R', '{}', '{}');
    INSERT INTO trigger (ref) VALUES ('demo.t'), ('demo.u');
    INSERT INTO sensor (ref, entrypoint, pack, runtime)
        SELECT 'demo.s', 's.sh', p.id, r.id FROM pack p, runtime r WHERE p.ref = 'demo' AND r.ref = 'demo.r';
    INSERT INTO sensor_trigger (sensor, trigger) SELECT s.id, t.id FROM sensor s, trigger t WHERE t.ref = 'demo.t'";

async fn told(pool: &PgPool) -> (Vec<Listed>, i64) {
    (sensor::list_enabled(pool).await.unwrap(), sensor::fingerprint_of_triggers(pool).await.unwrap())
}

#[tokio::test]
async fn every_change_shows_and_nothing_else_does() {
    let db = TestDb::migrated().await;
    sqlx::raw_sql(WORLD).execute(&db.pool).await.unwrap();
    let mut before = told(&db.pool).await;
    assert_eq!(before.0.len(), 1);
    for change in [
        "UPDATE sensor SET config = '{\"n\": 1}'",
        "UPDATE pack SET name = 'Other' WHERE ref = 'demo'",
        "UPDATE runtime SET ref = 'demo.other' WHERE ref = 'demo.r'",
        "UPDATE trigger SET ref = 'demo.v' WHERE ref = 'demo.t'",
        "UPDATE sensor_trigger SET position = 1",
        "INSERT INTO sensor_trigger (sensor, trigger) SELECT s.id, t.id FROM sensor s, trigger t WHERE t.ref = 'demo.u'",
        "DELETE FROM sensor_trigger",
        "UPDATE sensor_state SET paused = TRUE",
        "UPDATE sensor_state SET paused = FALSE",
        "UPDATE sensor SET enabled = FALSE",
    ] {
        sqlx::raw_sql(change).execute(&db.pool).await.unwrap();
        let after = told(&db.pool).await;
        assert_ne!(after, before, "{change}");
        before = after;
    }
    for neither in
        ["UPDATE sensor_state SET polls = 7", "SELECT FROM sensor FOR UPDATE", "SELECT FROM pack FOR UPDATE"]
    {
        sqlx::raw_sql(neither).execute(&db.pool).await.unwrap();
        assert_eq!(told(&db.pool).await, before, "{neither}");
    }
}
