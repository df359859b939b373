//! Tables `trigger` and `rule` as ingest needs them: everything at one config version. What belongs to a disabled pack reads
//! as disabled itself, so that nothing else has to know of packs.

use serde_json::Value;
use sqlx::{PgConnection, PgPool};

use super::config_version::{Changed, Known, Snapshot};

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
    sqlx::query_as!(
        TriggerRow,
        r#"SELECT t.id, t.ref AS "ref!", t.param_schema, t.payload_schema, t.max_per_minute,
                  t.enabled AND p.enabled IS NOT FALSE AS "enabled!"
           FROM trigger t LEFT JOIN pack p ON p.id = t.pack WHERE t.id = ANY($1)"#,
        ids
    )
    .fetch_all(tx)
    .await
}

/// Those of these that have a trigger.
async fn find_rules(tx: &mut PgConnection, ids: &[i64]) -> sqlx::Result<Vec<RuleRow>> {
    sqlx::query_as!(
        RuleRow,
        r#"SELECT r.id, r.ref AS "ref!", r.enabled AND p.enabled IS NOT FALSE AS "enabled!", r.revision, r.max_per_minute,
                  r.trigger AS "trigger!", r.conditions, r.trigger_params, r.action_params,
                  COALESCE(p.config, '{}') AS "pack_config!", a.id AS "action?", a.ref AS "action_ref?", a.runtime,
                  a.param_schema AS "action_schema?", a.enabled AND ap.enabled IS NOT FALSE AS "action_enabled?", ap.digest AS "pack_digest?"
           FROM rule r
           LEFT JOIN pack p ON p.id = r.pack
           LEFT JOIN action a ON a.id = r.action
           LEFT JOIN pack ap ON ap.id = a.pack
           WHERE r.id = ANY($1) AND r.trigger IS NOT NULL
           ORDER BY r.id"#,
        ids
    )
    .fetch_all(tx)
    .await
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
