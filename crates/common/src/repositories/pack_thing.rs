//! The five tables of things that packs define, as loading a pack reads and writes them: by column, refs instead of ids.
//!
//! A thing travels as a JSON object of its columns, so that what a pack says, what the last load said and what the row says
//! are compared by one piece of code for all kinds. Each write takes all changed things of one kind at once.

use serde_json::Value;
use sqlx::PgConnection;

/// The pack that things belong to; none for an operator's own.
#[derive(Debug, Clone, Copy)]
pub struct Owner<'a> {
    /// `pack.id`.
    pub id: Option<i64>,
    /// `pack.ref`.
    pub r#ref: Option<&'a str>,
}

/// A thing as its row says.
#[derive(Debug)]
pub struct ThingRow {
    /// The name of its table.
    pub kind: String,
    /// Its ref.
    pub r#ref: String,
    /// Every column; `runtime`, `trigger` and `action` hold refs, and a sensor has `triggers`.
    pub columns: Value,
}

/// The things of any kind with these refs.
pub async fn list(tx: &mut PgConnection, refs: &[String]) -> sqlx::Result<Vec<ThingRow>> {
    sqlx::query_as!(
        ThingRow,
        r#"SELECT 'runtime' AS "kind!", ref AS "ref!", to_jsonb(r) AS "columns!" FROM runtime r WHERE ref = ANY($1)
           UNION ALL
           SELECT 'trigger', ref, to_jsonb(t) FROM trigger t WHERE ref = ANY($1)
           UNION ALL
           SELECT 'sensor', s.ref, to_jsonb(s) || jsonb_build_object('runtime', r.ref,
               'triggers', ARRAY(SELECT t.ref FROM sensor_trigger st JOIN trigger t ON t.id = st.trigger
                                 WHERE st.sensor = s.id ORDER BY st.position, t.id))
           FROM sensor s LEFT JOIN runtime r ON r.id = s.runtime WHERE s.ref = ANY($1)
           UNION ALL
           SELECT 'action', a.ref, to_jsonb(a) || jsonb_build_object('runtime', r.ref)
           FROM action a LEFT JOIN runtime r ON r.id = a.runtime WHERE a.ref = ANY($1)
           UNION ALL
           SELECT 'rule', u.ref, to_jsonb(u) || jsonb_build_object('trigger', t.ref, 'action', a.ref)
           FROM rule u LEFT JOIN trigger t ON t.id = u.trigger LEFT JOIN action a ON a.id = u.action WHERE u.ref = ANY($1)"#,
        refs
    )
    .fetch_all(tx)
    .await
}

/// Writes runtimes.
pub async fn put_runtimes(tx: &mut PgConnection, owner: Owner<'_>, things: &Value) -> sqlx::Result<()> {
    sqlx::query!(
        r#"INSERT INTO runtime (ref, pack, pack_ref, name, description, distributions, installation, execution, aliases)
           SELECT ref, $1, $2, name, description, distributions, installation, execution, aliases
           FROM jsonb_to_recordset($3) AS d (ref text, name text, description text, distributions jsonb,
                                             installation jsonb, execution jsonb, aliases text[])
           ON CONFLICT (ref) DO UPDATE SET pack = EXCLUDED.pack, pack_ref = EXCLUDED.pack_ref, name = EXCLUDED.name,
               description = EXCLUDED.description, distributions = EXCLUDED.distributions,
               installation = EXCLUDED.installation, execution = EXCLUDED.execution, aliases = EXCLUDED.aliases"#,
        owner.id,
        owner.r#ref,
        things
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Writes triggers.
pub async fn put_triggers(tx: &mut PgConnection, owner: Owner<'_>, things: &Value) -> sqlx::Result<()> {
    sqlx::query!(
        r#"INSERT INTO trigger (ref, pack, pack_ref, label, description, param_schema, payload_schema, max_per_minute, enabled)
           SELECT ref, $1, $2, label, description, param_schema, payload_schema, max_per_minute, enabled
           FROM jsonb_to_recordset($3) AS d (ref text, label text, description text, param_schema jsonb,
                                             payload_schema jsonb, max_per_minute integer, enabled boolean)
           ON CONFLICT (ref) DO UPDATE SET pack = EXCLUDED.pack, pack_ref = EXCLUDED.pack_ref, label = EXCLUDED.label,
               description = EXCLUDED.description, param_schema = EXCLUDED.param_schema,
               payload_schema = EXCLUDED.payload_schema, max_per_minute = EXCLUDED.max_per_minute,
               enabled = EXCLUDED.enabled"#,
        owner.id,
        owner.r#ref,
        things
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Writes sensors with the triggers that they may produce.
pub async fn put_sensors(tx: &mut PgConnection, owner: Owner<'_>, things: &Value) -> sqlx::Result<()> {
    sqlx::query!(
        r#"INSERT INTO sensor (ref, pack, pack_ref, label, description, runtime, runtime_ref, entrypoint, config,
                               param_schema, mode, isolation, sandbox, poll_interval, timeout, limits, labels,
                               expect, pause_after, missed, jitter, canary, api, max_per_minute, enabled)
           SELECT d.ref, $1, $2, d.label, d.description, r.id, r.ref, d.entrypoint, d.config, d.param_schema, d.mode,
                  d.isolation, d.sandbox, d.poll_interval, d.timeout, d.limits, d.labels,
                  d.expect, d.pause_after, d.missed, d.jitter, d.canary, d.api, d.max_per_minute, d.enabled
           FROM jsonb_to_recordset($3) AS d (ref text, label text, description text, runtime text, entrypoint text,
                                             config jsonb, param_schema jsonb, mode text, isolation text, sandbox text,
                                             poll_interval float8, timeout float8, limits jsonb, labels jsonb,
                                             expect jsonb, pause_after integer, missed text, jitter float8, canary float8,
                                             api jsonb, max_per_minute integer, enabled boolean)
           LEFT JOIN runtime r ON r.ref = d.runtime
           ON CONFLICT (ref) DO UPDATE SET pack = EXCLUDED.pack, pack_ref = EXCLUDED.pack_ref, label = EXCLUDED.label,
               description = EXCLUDED.description, runtime = EXCLUDED.runtime, runtime_ref = EXCLUDED.runtime_ref,
               entrypoint = EXCLUDED.entrypoint, config = EXCLUDED.config, param_schema = EXCLUDED.param_schema,
               mode = EXCLUDED.mode, isolation = EXCLUDED.isolation, sandbox = EXCLUDED.sandbox,
               poll_interval = EXCLUDED.poll_interval, timeout = EXCLUDED.timeout,
               limits = EXCLUDED.limits, labels = EXCLUDED.labels,
               expect = EXCLUDED.expect, pause_after = EXCLUDED.pause_after, missed = EXCLUDED.missed,
               jitter = EXCLUDED.jitter, canary = EXCLUDED.canary, api = EXCLUDED.api, max_per_minute = EXCLUDED.max_per_minute,
               enabled = EXCLUDED.enabled"#,
        owner.id,
        owner.r#ref,
        things
    )
    .execute(&mut *tx)
    .await?;
    put_sensor_triggers(tx, things).await
}

/// Two statements, because one would see its own deleted rows and refuse to insert them again.
async fn put_sensor_triggers(tx: &mut PgConnection, sensors: &Value) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM sensor_trigger st USING sensor s, jsonb_to_recordset($1) AS d (ref text)
         WHERE s.ref = d.ref AND st.sensor = s.id",
        sensors
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "INSERT INTO sensor_trigger (sensor, trigger, position)
         SELECT s.id, t.id, n.position - 1
         FROM jsonb_to_recordset($1) AS d (ref text, triggers text[])
         JOIN sensor s ON s.ref = d.ref
         CROSS JOIN unnest(d.triggers) WITH ORDINALITY AS n (ref, position)
         JOIN trigger t ON t.ref = n.ref",
        sensors
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Writes actions.
pub async fn put_actions(tx: &mut PgConnection, owner: Owner<'_>, things: &Value) -> sqlx::Result<()> {
    sqlx::query!(
        r#"INSERT INTO action (ref, pack, pack_ref, label, description, runtime, runtime_ref, entrypoint, param_schema,
                               timeout, retry, at_most_once, max_concurrent, overlap, isolation, sandbox, limits, api,
                               enabled)
           SELECT d.ref, $1, $2, d.label, d.description, r.id, r.ref, d.entrypoint, d.param_schema, d.timeout, d.retry,
                  d.at_most_once, d.max_concurrent, d.overlap, d.isolation, d.sandbox, d.limits, d.api, d.enabled
           FROM jsonb_to_recordset($3) AS d (ref text, label text, description text, runtime text, entrypoint text,
                                             param_schema jsonb, timeout float8, retry jsonb, at_most_once boolean,
                                             max_concurrent integer, overlap text, isolation text, sandbox text,
                                             limits jsonb, api jsonb, enabled boolean)
           LEFT JOIN runtime r ON r.ref = d.runtime
           ON CONFLICT (ref) DO UPDATE SET pack = EXCLUDED.pack, pack_ref = EXCLUDED.pack_ref, label = EXCLUDED.label,
               description = EXCLUDED.description, runtime = EXCLUDED.runtime, runtime_ref = EXCLUDED.runtime_ref,
               entrypoint = EXCLUDED.entrypoint, param_schema = EXCLUDED.param_schema, timeout = EXCLUDED.timeout,
               retry = EXCLUDED.retry, at_most_once = EXCLUDED.at_most_once,
               max_concurrent = EXCLUDED.max_concurrent, overlap = EXCLUDED.overlap,
               isolation = EXCLUDED.isolation, sandbox = EXCLUDED.sandbox, limits = EXCLUDED.limits, api = EXCLUDED.api,
               enabled = EXCLUDED.enabled"#,
        owner.id,
        owner.r#ref,
        things
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Writes rules.
pub async fn put_rules(tx: &mut PgConnection, owner: Owner<'_>, things: &Value) -> sqlx::Result<()> {
    sqlx::query!(
        r#"INSERT INTO rule (ref, pack, pack_ref, label, description, trigger, trigger_ref, action, action_ref, conditions,
                             trigger_params, action_params, max_per_minute, enabled)
           SELECT d.ref, $1, $2, d.label, d.description, t.id, t.ref, a.id, a.ref, d.conditions, d.trigger_params,
                  d.action_params, d.max_per_minute, d.enabled
           FROM jsonb_to_recordset($3) AS d (ref text, label text, description text, trigger text, action text,
                                             conditions jsonb, trigger_params jsonb, action_params jsonb,
                                             max_per_minute integer, enabled boolean)
           LEFT JOIN trigger t ON t.ref = d.trigger LEFT JOIN action a ON a.ref = d.action ORDER BY d.ref
           ON CONFLICT (ref) DO UPDATE SET pack = EXCLUDED.pack, pack_ref = EXCLUDED.pack_ref, label = EXCLUDED.label,
               description = EXCLUDED.description, trigger = EXCLUDED.trigger, trigger_ref = EXCLUDED.trigger_ref,
               action = EXCLUDED.action, action_ref = EXCLUDED.action_ref, conditions = EXCLUDED.conditions,
               trigger_params = EXCLUDED.trigger_params, action_params = EXCLUDED.action_params,
               max_per_minute = EXCLUDED.max_per_minute, enabled = EXCLUDED.enabled"#,
        owner.id,
        owner.r#ref,
        things
    )
    .execute(tx)
    .await?;
    Ok(())
}
