//! Table `fuse`: what was being evaluated when processes died, and what is put aside for it.
//!
//! What reads things to evaluate them joins this table by noun, id and config version, and takes the reason for a fault.

use sqlx::{PgConnection, PgPool};

use super::enabled::can_be_switched;
use super::listing::Noun;
use crate::fuse::{Death, Evaluated, Part, Thing};

/// Counts a death, and answers with the reason when that puts the thing aside.
pub async fn count(pool: &PgPool, death: Death) -> sqlx::Result<Option<String>> {
    let Death { evaluated, is_chance } = death;
    sqlx::query_scalar!(
        "SELECT count_death($1, $2, $3, $4, $5)",
        evaluated.thing.name(),
        evaluated.id,
        evaluated.version,
        evaluated.part.name(),
        is_chance
    )
    .fetch_one(pool)
    .await
}

/// What one more death would put aside, the newest first.
pub async fn list_suspects(pool: &PgPool) -> sqlx::Result<Vec<Evaluated>> {
    let rows = sqlx::query!(
        "SELECT noun, thing, version, part FROM fuse WHERE reason IS NULL ORDER BY last_death DESC"
    )
    .fetch_all(pool)
    .await?;
    let suspect = |noun: &str, part: &str, id, version| {
        Some(Evaluated { thing: Thing::of_name(noun)?, part: Part::of_name(part)?, id, version })
    };
    Ok(rows.into_iter().filter_map(|row| suspect(&row.noun, &row.part, row.thing, row.version)).collect())
}

/// Takes a thing back into use. Says whether it was put aside.
pub async fn take_back(tx: &mut PgConnection, noun: Noun, r#ref: &str) -> sqlx::Result<bool> {
    if !can_be_switched(noun) {
        return Ok(false);
    }
    sqlx::query_scalar!(r#"SELECT take_back($1, $2) AS "was_aside!""#, noun.name(), r#ref).fetch_one(tx).await
}

/// What is put aside now: noun, ref and reason.
pub async fn list_aside(pool: &PgPool) -> sqlx::Result<Vec<(String, String, String)>> {
    let rows = sqlx::query!(
        r#"SELECT f.noun AS "noun!", t.ref AS "ref!", f.reason AS "reason!"
           FROM fuse f JOIN (SELECT 'trigger' AS noun, id, ref, config_version FROM trigger
                             UNION ALL SELECT 'sensor', id, ref, config_version FROM sensor
                             UNION ALL SELECT 'action', id, ref, config_version FROM action
                             UNION ALL SELECT 'rule', id, ref, config_version FROM rule
                             UNION ALL SELECT 'pack', id, ref, config_version FROM pack) t
                ON t.noun = f.noun AND t.id = f.thing AND t.config_version = f.version
           WHERE f.reason IS NOT NULL ORDER BY 1, 2"#
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| (row.noun, row.r#ref, row.reason)).collect())
}
