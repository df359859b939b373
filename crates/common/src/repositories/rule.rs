//! Tables `trigger` and `rule` as ingest needs them: everything at one config version. What belongs to a disabled pack reads
//! as disabled itself, so that nothing else has to know of packs.

use std::collections::BTreeMap;

use serde_json::Value;
use sqlx::{PgConnection, PgPool};

/// Triggers and enabled rules at one config version, as far as they are others than the caller knows.
#[derive(Debug, Default)]
pub struct RuleSet {
    /// The version at which all was read.
    pub version: i64,
    /// Every trigger.
    pub triggers: Vec<TriggerRow>,
    /// Every enabled rule with its fingerprint.
    pub fingerprints: BTreeMap<i64, i64>,
    /// Those of them whose fingerprint is another than the caller knows, with the parts of their actions and packs that an
    /// execution copies.
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
    /// Events of a disabled trigger are refused.
    pub enabled: bool,
}

/// One enabled rule.
#[derive(Debug, Clone)]
pub struct RuleRow {
    /// `rule.id`.
    pub id: i64,
    /// `rule.ref`.
    pub r#ref: String,
    /// Tells by comparison whether the rule, its trigger, its action or their packs were written since: it is made of the
    /// transactions that last did.
    pub fingerprint: i64,
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

/// Reads, in one snapshot of the database, what is other than `known`: rules with their fingerprints.
pub async fn load_rule_set(pool: &PgPool, known: &BTreeMap<i64, i64>) -> sqlx::Result<RuleSet> {
    let mut tx = pool.begin().await?;
    sqlx::query!("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").execute(&mut *tx).await?;
    let version = sqlx::query_scalar!("SELECT version FROM config_version").fetch_one(&mut *tx).await?;
    let triggers = list_triggers(&mut tx).await?;
    let fingerprints = list_enabled(&mut tx).await?;
    let changed: Vec<i64> = fingerprints
        .iter()
        .filter(|(id, fingerprint)| known.get(id) != Some(fingerprint))
        .map(|(id, _)| *id)
        .collect();
    let rules = if changed.is_empty() { Vec::new() } else { find_enabled(&mut tx, &changed).await? };
    tx.commit().await?;
    Ok(RuleSet { version, triggers, fingerprints, rules })
}

async fn list_triggers(tx: &mut PgConnection) -> sqlx::Result<Vec<TriggerRow>> {
    sqlx::query_as!(
        TriggerRow,
        r#"SELECT t.id, t.ref AS "ref!", t.param_schema, t.payload_schema,
                  t.enabled AND p.enabled IS NOT FALSE AS "enabled!"
           FROM trigger t LEFT JOIN pack p ON p.id = t.pack"#
    )
    .fetch_all(tx)
    .await
}

/// Cheap, however many they are.
async fn list_enabled(tx: &mut PgConnection) -> sqlx::Result<BTreeMap<i64, i64>> {
    let rows = sqlx::query!(
        r#"SELECT r.id, hash_record_extended((r.xmin, t.xmin, p.xmin, a.xmin, ap.xmin), 0) AS "fingerprint!"
           FROM rule r
           JOIN trigger t ON t.id = r.trigger
           LEFT JOIN pack p ON p.id = r.pack
           LEFT JOIN action a ON a.id = r.action
           LEFT JOIN pack ap ON ap.id = a.pack
           WHERE r.enabled AND p.enabled IS NOT FALSE"#
    )
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.fingerprint)).collect())
}

async fn find_enabled(tx: &mut PgConnection, ids: &[i64]) -> sqlx::Result<Vec<RuleRow>> {
    sqlx::query_as!(
        RuleRow,
        r#"SELECT r.id, r.ref AS "ref!", hash_record_extended((r.xmin, t.xmin, p.xmin, a.xmin, ap.xmin), 0) AS "fingerprint!",
                  r.revision, r.trigger AS "trigger!", r.conditions, r.trigger_params, r.action_params,
                  COALESCE(p.config, '{}') AS "pack_config!", a.id AS "action?", a.ref AS "action_ref?", a.runtime,
                  a.param_schema AS "action_schema?", a.enabled AND ap.enabled IS NOT FALSE AS "action_enabled?", ap.digest AS "pack_digest?"
           FROM rule r
           JOIN trigger t ON t.id = r.trigger
           LEFT JOIN pack p ON p.id = r.pack
           LEFT JOIN action a ON a.id = r.action
           LEFT JOIN pack ap ON ap.id = a.pack
           WHERE r.id = ANY($1)
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
    /// Whether the rule is in force.
    pub enabled: bool,
}

/// The rule of this ref. `None` when there is none, or when it has no trigger any more.
pub async fn find(pool: &PgPool, r#ref: &str) -> sqlx::Result<Option<KnownRule>> {
    let row = sqlx::query!(
        r#"SELECT r.id, r.ref AS "ref!", hash_record_extended((r.xmin, t.xmin, p.xmin, a.xmin, ap.xmin), 0) AS "fingerprint!",
                  r.revision, r.conditions, r.trigger_params, r.action_params,
                  r.enabled AND p.enabled IS NOT FALSE AS "enabled!",
                  COALESCE(p.config, '{}') AS "pack_config!", a.id AS "action?", a.ref AS "action_ref?", a.runtime,
                  a.param_schema AS "action_schema?", a.enabled AND ap.enabled IS NOT FALSE AS "action_enabled?", ap.digest AS "pack_digest?",
                  t.id AS "trigger!", t.ref AS "trigger_ref!", t.param_schema, t.payload_schema,
                  t.enabled AND tp.enabled IS NOT FALSE AS "trigger_enabled!"
           FROM rule r
           JOIN trigger t ON t.id = r.trigger
           LEFT JOIN pack tp ON tp.id = t.pack
           LEFT JOIN pack p ON p.id = r.pack
           LEFT JOIN action a ON a.id = r.action
           LEFT JOIN pack ap ON ap.id = a.pack
           WHERE r.ref = $1"#,
        r#ref
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| KnownRule {
        rule: RuleRow {
            id: row.id,
            r#ref: row.r#ref,
            fingerprint: row.fingerprint,
            revision: row.revision,
            trigger: row.trigger,
            conditions: row.conditions,
            trigger_params: row.trigger_params,
            action_params: row.action_params,
            pack_config: row.pack_config,
            action: row.action,
            action_ref: row.action_ref,
            runtime: row.runtime,
            action_schema: row.action_schema,
            action_enabled: row.action_enabled,
            pack_digest: row.pack_digest,
        },
        trigger: TriggerRow {
            id: row.trigger,
            r#ref: row.trigger_ref,
            param_schema: row.param_schema,
            payload_schema: row.payload_schema,
            enabled: row.trigger_enabled,
        },
        enabled: row.enabled,
    }))
}
