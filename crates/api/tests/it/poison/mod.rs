//! One bad row harms itself only: each column of each table that operators may write is given each value that its type admits
//! and no program expects, in one row beside healthy ones. The database refuses it, or everything goes on.
//!
//! A row has one poison at a time. Several rows have theirs at once, because a round of everything costs the same for one bad
//! row as for ten.

mod reasons;
mod ward;
mod world;

use std::fmt::Write as _;

use ward::Ward;
use world::World;

/// The rows of each table that are poisoned.
const POISONED: [(&str, &str); 15] = [
    ("pack", "ref LIKE 'bad_'"),
    ("runtime", "ref LIKE 'bad_.lang'"),
    ("trigger", "ref LIKE 'bad_.high'"),
    ("action", "ref LIKE 'bad_.tell'"),
    ("rule", "ref LIKE 'bad_.near'"),
    ("sensor", "ref LIKE 'bad_.cpu'"),
    ("sensor_trigger", "sensor IN (SELECT id FROM sensor WHERE ref LIKE 'bad_.cpu')"),
    ("sensor_state", "sensor IN (SELECT id FROM sensor WHERE ref LIKE 'bad_.cpu')"),
    ("sensor_poke", "sensor IN (SELECT id FROM sensor WHERE ref LIKE 'bad_.cpu')"),
    ("worker", "name LIKE 'bad_'"),
    ("timer", "(params->>'minutes')::int > 1"),
    ("notice", "trigger_ref LIKE 'demo.nowhere_'"),
    ("event", "id >= 1000000000"),
    ("enforcement", "id >= 1000000000"),
    ("execution", "id >= 1000000000"),
];

/// What only Attune writes: to change it by hand is to change how Attune works.
const OWN: [&str; 17] = [
    "_sqlx_migrations",
    "attempt",
    "chain",
    "config_version",
    "event_key",
    "event_rejected",
    "fuse",
    "held",
    "log",
    "newly_bounded",
    "pack_content",
    "pack_item",
    "run_token",
    "sensor_config",
    "sensor_watch",
    "timer_progress",
    "usage",
];

/// Columns whose value is what names the row, or is written by a trigger whatever one says.
const SKIPPED: [&str; 3] = ["id", "config_version", "revision"];

/// Expressions of SQL, by the type as `information_schema` names it.
fn poisons(data_type: &str) -> Vec<String> {
    let texts: &[&str] = match data_type {
        "jsonb" => {
            let mut deep = String::new();
            write!(deep, "'{}1{}'", "[".repeat(200), "]".repeat(200)).unwrap();
            let plain = ["'{\"n\": -1e400}'", "'\"text\"'", "'null'", "'[null]'", "'{\"a\": {}}'"];
            return std::iter::once(deep).chain(plain.map(str::to_owned)).collect();
        }
        "text" => &["''", "repeat('x', 100000)", "E'\\x01\\n\\u202e {{'"],
        "ARRAY" => &["'{NULL}'", "'{{a,b},{c,d}}'", "'[5:6]={a,b}'", "'{\"\"}'"],
        "timestamp with time zone" => &["'infinity'", "'-infinity'", "'294276-01-01'"],
        "double precision" => &["'NaN'", "'Infinity'", "1e308", "1e-300"],
        "bigint" => &["9223372036854775807", "-9223372036854775808"],
        "integer" => &["2147483647", "-2147483648"],
        "smallint" => &["32767", "-32768"],
        "boolean" => &["TRUE", "FALSE"],
        "USER-DEFINED" => &[],
        other => panic!("no poison is known for the type {other}"),
    };
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// The columns of a table and their types.
async fn columns(world: &World, table: &str) -> Vec<(String, String)> {
    let sql = format!(
        "SELECT column_name || ' ' || data_type FROM information_schema.columns
         WHERE table_schema = 'public' AND table_name = '{table}' AND is_generated = 'NEVER' ORDER BY ordinal_position"
    );
    let columns = world.texts(&sql).await;
    let pairs = columns.iter().map(|text| text.split_once(' ').unwrap());
    pairs.filter(|(name, _)| !SKIPPED.contains(name)).map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
}

async fn poison(tables: &[&str]) {
    let mut world = World::new().await;
    let (mut taken, mut refused) = (0, 0);
    for (table, rows) in POISONED.iter().filter(|(table, _)| tables.contains(table)) {
        let mut ward = Ward::new(&world, table, rows).await;
        for (column, data_type) in ward.columns.clone() {
            for poison in poisons(&data_type).into_iter().chain(["NULL".to_owned()]) {
                let must_be_taken = data_type == "jsonb" && poison != "NULL";
                if ward.give(&world, &column, &poison, must_be_taken).await {
                    taken += 1;
                } else {
                    refused += 1;
                }
                if ward.is_full() {
                    ward.discharge(&mut world).await;
                }
            }
        }
        ward.discharge(&mut world).await;
    }
    assert!(taken > refused / 4 && taken > 0, "{taken} were taken, {refused} refused");
}

#[tokio::test]
async fn every_table_is_poisoned_or_only_attunes() {
    let world = World::new().await;
    let tables = world.texts("SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'").await;
    let known =
        |name: &String| POISONED.iter().any(|(table, _)| table == name) || OWN.contains(&name.as_str());
    let unknown: Vec<_> = tables.iter().filter(|name| !known(name)).collect();
    assert!(unknown.is_empty(), "they belong to POISONED, or to OWN: {unknown:?}");
}

#[tokio::test]
async fn poison_in_packs_runtimes_and_triggers() {
    poison(&["pack", "runtime", "trigger"]).await;
}

#[tokio::test]
async fn poison_in_actions_and_rules() {
    poison(&["action", "rule"]).await;
}

#[tokio::test]
async fn poison_in_sensors() {
    poison(&["sensor", "sensor_trigger"]).await;
}

#[tokio::test]
async fn poison_in_states_of_sensors() {
    poison(&["sensor_state", "sensor_poke", "notice"]).await;
}

#[tokio::test]
async fn poison_in_workers_and_timers() {
    poison(&["worker", "timer"]).await;
}

#[tokio::test]
async fn poison_in_what_happened() {
    poison(&["event", "enforcement", "execution"]).await;
}
