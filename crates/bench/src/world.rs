//! A private PostgreSQL with its durable defaults, and the configuration that a benchmark needs in it.

use std::path::{Path, PathBuf};

use attune_localdb::{LocalDb, Options};
use sqlx::PgPool;

/// A data directory under the system's temporary directory that the database's own user can reach; removed in the end.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("attune-bench-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            println!("note: {} is left over: {error}", self.0.display());
        }
    }
}

/// Starts the durable private database of a data directory.
pub(crate) async fn database(data_dir: &Path) -> anyhow::Result<LocalDb> {
    Ok(LocalDb::start(&Options::new(data_dir)).await?)
}

/// One trigger with `rules` rules of three conditions each, of which `matching` match every event of the load.
pub(crate) async fn insert_rules(pool: &PgPool, rules: i32, matching: i32) -> anyhow::Result<()> {
    sqlx::query("INSERT INTO trigger (ref, payload_schema) VALUES ('bench.load', '{\"type\": \"object\"}')")
        .execute(pool)
        .await?;
    sqlx::query(
        "INSERT INTO action (ref, runtime, runtime_ref, entrypoint, param_schema)
         SELECT 'bench.noop', id, ref, 'noop', '{\"type\": \"object\", \"required\": [\"host\", \"text\"]}'
         FROM runtime WHERE ref = 'core.native'",
    )
    .execute(pool)
    .await?;
    sqlx::query(
        r#"INSERT INTO rule (ref, trigger, trigger_ref, action, action_ref, conditions, action_params)
           SELECT 'bench.rule_' || n, t.id, t.ref, a.id, a.ref,
                  jsonb_build_array(
                      jsonb_build_object('field', 'payload.kind', 'operator', 'equals', 'value', 'load'),
                      jsonb_build_object('field', 'payload.level', 'operator', 'greater_than', 'value', 10),
                      jsonb_build_object('field', 'payload.group', 'operator', 'equals',
                                         'value', CASE WHEN n <= $2 THEN 0 ELSE n END)),
                  '{"host": "{{ event.payload.host }}", "level": "{{ event.payload.level }}",
                    "text": "{{ rule.ref }}: {{ event.payload.host }} is at {{ event.payload.level }}"}'
           FROM generate_series(1, $1) n, trigger t, action a WHERE t.ref = 'bench.load' AND a.ref = 'bench.noop'"#,
    )
    .bind(rules)
    .bind(matching)
    .execute(pool)
    .await?;
    Ok(())
}
