//! `enabled` on and off: packs, triggers, sensors, actions and rules.
//!
//! Nobody is told: the version of the configuration rises with the row, and everybody follows it. What is switched already
//! is left alone, so the version does not rise for nothing. To enable what was put aside takes it back into use.

use attune_common::repositories::listing::Noun;
use attune_common::repositories::{config_version, enabled, fuse};
use serde::Serialize;
use sqlx::PgPool;

pub use attune_common::repositories::enabled::can_be_switched;

/// How a thing is switched now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Switched {
    /// Its ref.
    pub r#ref: String,
    /// Whether it is enabled.
    pub enabled: bool,
    /// Whether it was not before, or was put aside.
    pub changed: bool,
}

/// Switches one thing. `None`: there is no such thing.
pub async fn switch(pool: &PgPool, noun: Noun, name: &str, enabled: bool) -> sqlx::Result<Option<Switched>> {
    let mut tx = pool.begin().await?;
    config_version::lock(&mut tx).await?;
    let Some(before) = enabled::find(&mut tx, noun, name).await? else { return Ok(None) };
    let taken_back = enabled && fuse::take_back(&mut tx, noun, name).await?;
    let changed = before != enabled || taken_back;
    if before != enabled {
        enabled::set(&mut tx, noun, &[name.to_owned()], enabled).await?;
    }
    if changed {
        tx.commit().await?;
    }
    Ok(Some(Switched { r#ref: name.to_owned(), enabled, changed }))
}
