//! The column `enabled`, which five tables have alike.

use sqlx::PgConnection;

use super::listing::Noun;

/// Whether a noun's things can be switched on and off.
pub fn can_be_switched(noun: Noun) -> bool {
    matches!(noun, Noun::Pack | Noun::Trigger | Noun::Sensor | Noun::Action | Noun::Rule)
}

/// Whether a thing is enabled. `None`: there is none, or the noun has no such column.
pub async fn find(tx: &mut PgConnection, noun: Noun, r#ref: &str) -> sqlx::Result<Option<bool>> {
    sqlx::query_scalar!(
        r#"SELECT enabled AS "enabled!" FROM pack WHERE $1 = 'pack' AND ref = $2
           UNION ALL SELECT enabled FROM trigger WHERE $1 = 'trigger' AND ref = $2
           UNION ALL SELECT enabled FROM sensor WHERE $1 = 'sensor' AND ref = $2
           UNION ALL SELECT enabled FROM action WHERE $1 = 'action' AND ref = $2
           UNION ALL SELECT enabled FROM rule WHERE $1 = 'rule' AND ref = $2"#,
        noun.name(),
        r#ref
    )
    .fetch_optional(tx)
    .await
}

/// Switches those of `refs` that are switched the other way; returns how many there were.
pub async fn set(tx: &mut PgConnection, noun: Noun, refs: &[String], enabled: bool) -> sqlx::Result<u64> {
    let done = match noun {
        Noun::Pack => {
            sqlx::query!("UPDATE pack SET enabled = $2 WHERE ref = ANY($1) AND enabled <> $2", refs, enabled)
                .execute(tx)
                .await?
        }
        Noun::Trigger => {
            sqlx::query!(
                "UPDATE trigger SET enabled = $2 WHERE ref = ANY($1) AND enabled <> $2",
                refs,
                enabled
            )
            .execute(tx)
            .await?
        }
        Noun::Sensor => {
            sqlx::query!(
                "UPDATE sensor SET enabled = $2 WHERE ref = ANY($1) AND enabled <> $2",
                refs,
                enabled
            )
            .execute(tx)
            .await?
        }
        Noun::Action => {
            sqlx::query!(
                "UPDATE action SET enabled = $2 WHERE ref = ANY($1) AND enabled <> $2",
                refs,
                enabled
            )
            .execute(tx)
            .await?
        }
        Noun::Rule => {
            sqlx::query!("UPDATE rule SET enabled = $2 WHERE ref = ANY($1) AND enabled <> $2", refs, enabled)
                .execute(tx)
                .await?
        }
        Noun::Runtime | Noun::Worker | Noun::Timer | Noun::Event | Noun::Enforcement | Noun::Execution => {
            return Ok(0);
        }
    };
    Ok(done.rows_affected())
}
