//! Rules that change, by plain SQL, while events pour in: nothing is lost, and nothing is enforced by what is not in force.

use serde_json::json;

use crate::pack::TestPack;
use crate::system::{System, high};

/// Events of each burst.
const EVENTS: i64 = 300;

/// Notes, within the same transaction, since when each revision of the rule was in force and what it asked.
const HISTORY: &str = "
    CREATE TABLE history (revision BIGINT, threshold INT, at BIGINT DEFAULT pg_current_xact_id()::text::bigint);
    CREATE FUNCTION remember() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO history (revision, threshold) VALUES (NEW.revision, (NEW.conditions -> 0 ->> 'value')::int);
        RETURN NULL; END $$;
    CREATE TRIGGER remember AFTER INSERT OR UPDATE ON rule FOR EACH ROW EXECUTE FUNCTION remember();
    UPDATE rule SET conditions = conditions;";

async fn post_all(system: &System) {
    for first in (0..EVENTS).step_by(10) {
        system.post((first..first + 10).map(high).collect()).await.unwrap();
    }
}

#[tokio::test]
async fn every_enforcement_is_by_the_revision_that_was_in_force() {
    let system = System::with_demo().await;
    system.run(HISTORY).await;
    let edits = async {
        for threshold in 0..40 {
            let sql = format!(
                "UPDATE rule SET conditions = jsonb_set(conditions, '{{0,value}}', '{}')",
                threshold * 5
            );
            system.run(&sql).await;
        }
    };
    tokio::join!(post_all(&system), post_all(&system), edits);
    assert_eq!(system.count("event").await, 2 * EVENTS);
    assert_eq!(system.count("execution").await, system.count("enforcement").await);
    // Each enforcement's event passes the conditions of the revision that it names.
    let wrong = "enforcement f JOIN event e ON e.id = f.event JOIN history h ON h.revision = f.rule_revision
                 WHERE (e.payload ->> 'value')::int <= h.threshold";
    assert_eq!(system.count(wrong).await, 0);
    let unknown = "enforcement WHERE rule_revision NOT IN (SELECT revision FROM history)";
    assert_eq!(system.count(unknown).await, 0);
    // Events that pass whichever revision was in force have exactly one enforcement.
    let lost = "event e WHERE (e.payload ->> 'value')::int > (SELECT max(threshold) FROM history)
                AND (SELECT count(*) FROM enforcement f WHERE f.event = e.id) <> 1";
    assert_eq!(system.count(lost).await, 0);
}

#[tokio::test]
async fn a_rule_that_is_deleted_enforces_nothing_afterwards() {
    let system = System::with_demo().await;
    system.post(vec![high(50)]).await.unwrap();
    let (posted, ()) = tokio::join!(post_all(&system), system.run("DELETE FROM rule"));
    let () = posted;
    let before = system.count("enforcement").await;
    assert_eq!(system.post(vec![high(50)]).await.unwrap().enforcements, [0]);
    assert_eq!(system.count("event").await, EVENTS + 2);
    assert_eq!((system.count("enforcement").await, system.count("execution").await), (before, before));
}

#[tokio::test]
async fn a_disabled_action_fails_the_enforcement_at_once() {
    let system = System::with_demo().await;
    system.post(vec![high(50)]).await.unwrap();
    system.run("UPDATE action SET enabled = FALSE").await;
    system.post(vec![high(50)]).await.unwrap();
    let states = system
        .value("SELECT jsonb_agg(jsonb_build_array(status, reason) ORDER BY id) FROM enforcement")
        .await;
    assert_eq!(
        states,
        json!([["created", null], ["failed", "action demo.tell is disabled, by itself or with its pack"]])
    );
}

#[tokio::test]
async fn a_load_in_the_middle_of_a_burst_is_in_force_as_a_whole() {
    let system = System::with_demo().await;
    // Both rules of the new version match everything; there is no state with one of them.
    let rule = |name: &str| {
        format!("ref: demo.{name}\ntrigger: demo.high\naction: demo.tell\naction_params: {{value: 1}}\n")
    };
    let next = TestPack::demo()
        .without("rules/tell.yaml")
        .with("rules/a.yaml", &rule("a"))
        .with("rules/b.yaml", &rule("b"));
    tokio::join!(post_all(&system), async { next.load(system.pool()).await });
    let both = "SELECT to_jsonb(count(*)) FROM (SELECT event FROM enforcement GROUP BY event
                HAVING NOT (array_agg(rule_ref ORDER BY rule_ref) IN ('{demo.tell_high}', '{demo.a,demo.b}'))) AS mixed";
    assert_eq!(system.value(both).await, 0);
    assert_eq!(system.post(vec![high(1)]).await.unwrap().enforcements, [2]);
}
