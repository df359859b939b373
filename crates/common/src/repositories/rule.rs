//! Tables `trigger` and `rule` as ingest needs them: everything at one config version. What belongs to a disabled pack reads
//! as disabled itself, so that nothing else has to know of packs.

use serde_json::Value;
use sqlx::{PgConnection, PgPool};

use super::config_version::{Changed, Known, Snapshot};
use crate::readable::{Faults, Readable};

/// Triggers and enabled rules at one config version, as far as they are others than the caller knows.
#[derive(Debug, Default)]
pub struct RuleSet {
    /// The triggers that are not as they were.
    pub changed_triggers: Changed,
    /// Those of them that there are.
    pub triggers: Vec<TriggerRow>,
    /// The rules that are not as they were: themselves, their triggers, their actions or the packs of these.
    pub changed_rules: Changed,
    /// Those of them that are enabled, with the parts of their actions and packs that an execution copies.
    pub rules: Vec<RuleRow>,
}

/// One trigger.
#[derive(Debug, Clone)]
pub struct TriggerRow {
    /// `trigger.id`.
    pub id: i64,
    /// `trigger.ref`.
    pub r#ref: String,
    /// JSON Schema of the parameters that a rule may give it.
    pub param_schema: Value,
    /// JSON Schema of its events' payload.
    pub payload_schema: Value,
    /// Events that it takes in a minute; `None`: any number.
    pub max_per_minute: Option<i32>,
    /// Events of a disabled trigger are refused.
    pub enabled: bool,
    /// Its config version.
    pub version: i64,
    /// Why it cannot be used: a column cannot be read, which is null then, or it was put aside.
    pub fault: Option<String>,
}

/// One rule.
#[derive(Debug, Clone)]
pub struct RuleRow {
    /// `rule.id`.
    pub id: i64,
    /// `rule.ref`.
    pub r#ref: String,
    /// Whether it is in force.
    pub enabled: bool,
    /// Events that it acts on in a minute; `None`: any number.
    pub max_per_minute: Option<i32>,
    /// The revision that an enforcement records.
    pub revision: i64,
    /// `trigger.id`.
    pub trigger: i64,
    /// Unparsed conditions.
    pub conditions: Value,
    /// Parameters for the trigger, as given.
    pub trigger_params: Value,
    /// Templates of the action's parameters.
    pub action_params: Value,
    /// The pack's configuration, for templates.
    pub pack_config: Value,
    /// The action; `None` when it has none any more.
    pub action: Option<i64>,
    /// `action.ref`.
    pub action_ref: Option<String>,
    /// What a worker must have.
    pub runtime: Option<i64>,
    /// JSON Schema of the action's parameters.
    pub action_schema: Option<Value>,
    /// Whether the action may run.
    pub action_enabled: Option<bool>,
    /// The content that the action's pack has now.
    pub pack_digest: Option<String>,
    /// Its config version,
    pub version: i64,
    /// and that of its action.
    pub action_version: Option<i64>,
    /// Why it cannot be used: a column that it needs cannot be read, which is null then, or it or its action was put aside.
    pub fault: Option<String>,
}

/// Reads what is other than known, and what is known then.
pub async fn load_rule_set(pool: &PgPool, known: Option<Known>) -> sqlx::Result<(Known, RuleSet)> {
    let mut snapshot = Snapshot::take(pool, known).await?;
    let written = list_written_triggers(&mut snapshot).await?;
    let triggers = find_triggers(&mut snapshot.tx, &written).await?;
    let changed_triggers = snapshot.changed(&written, list_triggers).await?;
    let written = list_written(&mut snapshot).await?;
    let mut rules = find_rules(&mut snapshot.tx, &written).await?;
    rules.retain(|rule| rule.enabled);
    let changed_rules = snapshot.changed(&written, list_rules).await?;
    snapshot.tx.commit().await?;
    Ok((snapshot.now, RuleSet { changed_triggers, triggers, changed_rules, rules }))
}

async fn list_written_triggers(snapshot: &mut Snapshot) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar!(
        "SELECT id FROM trigger
         WHERE config_version > $1 OR pack = ANY (ARRAY(SELECT id FROM pack WHERE config_version > $1))",
        snapshot.after
    )
    .fetch_all(&mut *snapshot.tx)
    .await
}

/// Each part is an index of its own, so that it costs what was written, and not what there is.
async fn list_written(snapshot: &mut Snapshot) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar!(
        "SELECT id FROM rule
         WHERE config_version > $1
            OR trigger = ANY (ARRAY(SELECT id FROM trigger WHERE config_version > $1))
            OR pack = ANY (ARRAY(SELECT id FROM pack WHERE config_version > $1))
            OR action = ANY (ARRAY(
                   SELECT id FROM action
                   WHERE config_version > $1 OR pack = ANY (ARRAY(SELECT id FROM pack WHERE config_version > $1))))",
        snapshot.after
    )
    .fetch_all(&mut *snapshot.tx)
    .await
}

async fn list_triggers(tx: &mut PgConnection) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar!(r#"SELECT ARRAY(SELECT id FROM trigger) AS "all!""#).fetch_one(tx).await
}

/// One value, since there may be many.
async fn list_rules(tx: &mut PgConnection) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar!(r#"SELECT ARRAY(SELECT id FROM rule) AS "all!""#).fetch_one(tx).await
}

async fn find_triggers(tx: &mut PgConnection, ids: &[i64]) -> sqlx::Result<Vec<TriggerRow>> {
    sqlx::query!(
        r#"SELECT t.id, t.ref AS "ref!", t.param_schema AS "param_schema: Readable", t.payload_schema AS "payload_schema: Readable",
                  t.max_per_minute,
                  t.enabled AND p.enabled IS NOT FALSE AS "enabled!", t.config_version AS version, f.reason AS "aside?"
           FROM trigger t LEFT JOIN pack p ON p.id = t.pack
           LEFT JOIN fuse f ON f.noun = 'trigger' AND f.thing = t.id AND f.version = t.config_version
           WHERE t.id = ANY($1)"#,
        ids
    )
    .map(|row| {
        let mut faults = Faults::default();
        TriggerRow {
            id: row.id,
            r#ref: row.r#ref,
            param_schema: faults.take("param_schema", row.param_schema),
            payload_schema: faults.take("payload_schema", row.payload_schema),
            max_per_minute: row.max_per_minute,
            enabled: row.enabled,
            version: row.version,
            fault: faults.and(row.aside).into_reason(),
        }
    })
    .fetch_all(tx)
    .await
}

/// Those of these that have a trigger. As long as nothing is put aside, nothing is looked up there: there may be many rules.
async fn find_rules(tx: &mut PgConnection, ids: &[i64]) -> sqlx::Result<Vec<RuleRow>> {
    sqlx::query!(
        r#"SELECT r.id, r.ref AS "ref!", r.enabled AND p.enabled IS NOT FALSE AS "enabled!", r.revision, r.max_per_minute,
                  r.trigger AS "trigger!", r.conditions AS "conditions: Readable", r.trigger_params AS "trigger_params: Readable",
                  r.action_params AS "action_params: Readable", COALESCE(p.config, '{}') AS "pack_config!: Readable", a.id AS "action?", a.ref AS "action_ref?", a.runtime,
                  a.param_schema AS "action_schema?: Readable", a.enabled AND ap.enabled IS NOT FALSE AS "action_enabled?", ap.digest AS "pack_digest?",
                  r.config_version AS version, a.config_version AS "action_version?",
                  CASE WHEN (SELECT EXISTS (SELECT FROM fuse)) THEN (
                      SELECT f.reason FROM fuse f
                      WHERE f.noun = 'rule' AND f.thing = r.id AND f.version = r.config_version) END AS "aside?",
                  CASE WHEN (SELECT EXISTS (SELECT FROM fuse)) THEN (
                      SELECT f.reason FROM fuse f
                      WHERE f.noun = 'action' AND f.thing = a.id AND f.version = a.config_version) END AS "action_aside?"
           FROM rule r
           LEFT JOIN pack p ON p.id = r.pack
           LEFT JOIN action a ON a.id = r.action
           LEFT JOIN pack ap ON ap.id = a.pack
           WHERE r.id = ANY($1) AND r.trigger IS NOT NULL
           ORDER BY r.id"#,
        ids
    )
    .map(|row| {
        let mut faults = Faults::default();
        let action_params = faults.take("action_params", row.action_params);
        RuleRow {
            id: row.id,
            r#ref: row.r#ref,
            enabled: row.enabled,
            revision: row.revision,
            max_per_minute: row.max_per_minute,
            trigger: row.trigger,
            conditions: faults.take("conditions", row.conditions),
            trigger_params: faults.take("trigger_params", row.trigger_params),
            pack_config: pack_config(row.pack_config, &action_params, &mut faults),
            action_params,
            action: row.action,
            action_ref: row.action_ref,
            runtime: row.runtime,
            action_schema: row.action_schema.map(|it| faults.take("param_schema of its action", it)),
            action_enabled: row.action_enabled,
            pack_digest: row.pack_digest,
            version: row.version,
            action_version: row.action_version,
            fault: faults.and(row.aside).and(row.action_aside.map(|reason| format!("its action: {reason}"))).into_reason(),
        }
    })
    .fetch_all(tx)
    .await
}

/// Templates that do not mention the pack do not need its configuration.
fn pack_config(cell: Readable, action_params: &Value, faults: &mut Faults) -> Value {
    let mut of_pack = Faults::default();
    let config = of_pack.take("config of its pack", cell);
    if let Some(reason) = of_pack.into_reason()
        && action_params.to_string().contains("pack")
    {
        faults.note(reason);
    }
    config
}

/// A rule with its trigger, whether it is in force or not.
#[derive(Debug)]
pub struct KnownRule {
    /// As ingest would see it.
    pub rule: RuleRow,
    /// Its trigger.
    pub trigger: TriggerRow,
}

/// The rule of this ref. `None` when there is none, or when it has no trigger any more.
pub async fn find(pool: &PgPool, r#ref: &str) -> sqlx::Result<Option<KnownRule>> {
    let mut snapshot = Snapshot::take(pool, None).await?;
    let id = sqlx::query_scalar!("SELECT id FROM rule WHERE ref = $1", r#ref);
    let Some(id) = id.fetch_optional(&mut *snapshot.tx).await? else { return Ok(None) };
    let Some(rule) = find_rules(&mut snapshot.tx, &[id]).await?.pop() else { return Ok(None) };
    let trigger = find_triggers(&mut snapshot.tx, &[rule.trigger]).await?.pop();
    Ok(trigger.map(|trigger| KnownRule { rule, trigger }))
}
