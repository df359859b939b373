//! One bad row harms itself only: each column of each table that operators may write is given each value that its type admits
//! and no program expects, in one row beside healthy ones. The database refuses it, or everything goes on.

mod reasons;
mod world;

use std::fmt::Write as _;

use world::World;

/// The row of each table that is poisoned.
const VICTIMS: [(&str, &str); 15] = [
    ("pack", "ref = 'bad'"),
    ("runtime", "ref = 'bad.lang'"),
    ("trigger", "ref = 'bad.high'"),
    ("action", "ref = 'bad.tell'"),
    ("rule", "ref = 'bad.near'"),
    ("sensor", "ref = 'bad.cpu'"),
    ("sensor_trigger", "sensor = (SELECT id FROM sensor WHERE ref = 'bad.cpu')"),
    ("sensor_state", "sensor = (SELECT id FROM sensor WHERE ref = 'bad.cpu')"),
    ("sensor_poke", "sensor = (SELECT id FROM sensor WHERE ref = 'bad.cpu')"),
    ("worker", "id = 2"),
    ("timer", "params @> '{\"minutes\": 2}'"),
    ("notice", "trigger_ref LIKE '%nowhere' OR id = 1"),
    ("event", "id = 1000000000"),
    ("enforcement", "id = 1000000000"),
    ("execution", "id = 1000000000"),
];

/// What only Attune writes: who changes it by hand changes how Attune works.
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

#[expect(clippy::print_stderr, reason = "a failing test shows what it wrote last")]
async fn poison(tables: &[&str]) {
    let mut world = World::new().await;
    let (mut taken, mut refused) = (0, 0);
    for (table, victim) in VICTIMS.iter().filter(|(table, _)| tables.contains(table)) {
        for (column, data_type) in columns(&world, table).await {
            for poison in poisons(&data_type).into_iter().chain(["NULL".to_owned()]) {
                let note = format!("{table}.{column} = {}", poison.get(..60).unwrap_or(&poison));
                let is_json = data_type == "jsonb" && poison != "NULL";
                world.try_run(&format!("DROP TABLE IF EXISTS saved; CREATE TABLE saved AS SELECT * FROM {table} WHERE {victim}")).await.unwrap();
                match world.try_run(&format!("UPDATE {table} SET {column} = {poison} WHERE {victim}")).await {
                    Err(reason) => {
                        assert!(!is_json, "{note} is taken: {reason}");
                        refused += 1;
                        continue;
                    }
                    Ok(()) => taken += 1,
                }
                eprintln!("{note}");
                world.round().await;
                world.lists_answer(table).await;
                restore(&world, table).await;
            }
        }
    }
    assert!(taken > refused / 4 && taken > 0, "{taken} were taken, {refused} refused");
}

/// The victim as it was. Its key may have been poisoned, or it may be gone: a notice that was told is.
async fn restore(world: &World, table: &str) {
    let columns = columns(world, table).await;
    let set: Vec<_> = columns.iter().map(|(name, _)| format!("{name} = s.{name}")).collect();
    // What was asked for meanwhile is there as a row of its own.
    let twin = "DELETE FROM timer t USING saved s WHERE t.trigger_ref = s.trigger_ref AND t.params = s.params AND t.id <> s.id";
    if table == "timer" {
        world.try_run(twin).await.unwrap();
    }
    let key = if table.starts_with("sensor_") { "sensor" } else { "id" };
    let sql = format!("UPDATE {table} t SET {} FROM saved s WHERE t.{key} = s.{key}", set.join(", "));
    world.try_run(&sql).await.unwrap_or_else(|reason| panic!("{table} is mended: {reason}"));
}

#[tokio::test]
async fn every_table_is_poisoned_or_only_attunes() {
    let world = World::new().await;
    let tables = world.texts("SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'").await;
    let known =
        |name: &String| VICTIMS.iter().any(|(table, _)| table == name) || OWN.contains(&name.as_str());
    let unknown: Vec<_> = tables.iter().filter(|name| !known(name)).collect();
    assert!(unknown.is_empty(), "they belong to VICTIMS, or to OWN: {unknown:?}");
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
