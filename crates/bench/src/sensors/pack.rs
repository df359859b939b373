//! Packs of sensors: their code by upload, as authors do, and many rows by one statement.

use attune_common::config::Config;
use attune_executor::load_pack::load_pack;
use attune_runtimes::archive;
use attune_runtimes::files::Files;
use sqlx::PgPool;

use super::language::Language;

/// Loads a pack with a trigger `seen`, one file of code for each entrypoint, and whatever `more` there is.
pub(super) async fn load(
    pool: &PgPool,
    pack: &str,
    language: Language,
    entrypoints: usize,
    more: &[(&str, String)],
) -> anyhow::Result<()> {
    let mut files = vec![
        ("pack.yaml".to_owned(), format!("ref: {pack}\nname: Bench\nversion: 0.1.0\n")),
        ("triggers/seen.yaml".to_owned(), format!("ref: {pack}.seen\n")),
    ];
    files.extend(more.iter().map(|(path, text)| ((*path).to_owned(), text.clone())));
    files.extend((0..entrypoints).map(|n| (entrypoint(n, language), language.sensor().to_owned())));
    let files = Files::without_modes(files.into_iter().map(|(path, text)| (path, text.into_bytes())))?;
    load_pack(pool, archive::write(&files)?, &Config::default().limits).await?;
    Ok(())
}

/// The path of the code with this number.
pub(super) fn entrypoint(number: usize, language: Language) -> String {
    format!("sensors/s{number}.{}", language.extension())
}

/// Inserts a sensor for each of these columns, with its pack's trigger.
pub(super) async fn insert_sensors(
    pool: &PgPool,
    language: Language,
    poll_interval: f64,
    sensors: &Sensors,
) -> anyhow::Result<()> {
    sqlx::query(
        "WITH s AS (
             INSERT INTO sensor (ref, pack, pack_ref, runtime, runtime_ref, entrypoint, config, poll_interval)
             SELECT p.ref || '.s' || u.n, p.id, p.ref, r.id, r.ref, u.entrypoint, u.config::jsonb, $2
             FROM unnest($3::text[], $4::text[], $5::text[]) WITH ORDINALITY AS u (pack, entrypoint, config, n)
             JOIN pack p ON p.ref = u.pack, runtime r WHERE r.ref = $1
             RETURNING id, pack_ref)
         INSERT INTO sensor_trigger (sensor, trigger)
         SELECT s.id, t.id FROM s JOIN trigger t ON t.ref = s.pack_ref || '.seen'",
    )
    .bind(language.runtime())
    .bind(poll_interval)
    .bind(&sensors.pack)
    .bind(&sensors.entrypoint)
    .bind(&sensors.config)
    .execute(pool)
    .await?;
    Ok(())
}

/// Sensors as columns.
#[derive(Debug, Default)]
pub(super) struct Sensors {
    pub(super) pack: Vec<String>,
    pub(super) entrypoint: Vec<String>,
    /// JSON text.
    pub(super) config: Vec<String>,
}

impl Sensors {
    pub(super) fn add(&mut self, pack: &str, entrypoint: String, config: &str) {
        self.pack.push(pack.to_owned());
        self.entrypoint.push(entrypoint);
        self.config.push(config.to_owned());
    }
}
