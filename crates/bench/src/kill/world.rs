//! The database, the pack of tape readers and the tapes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use attune_common::config::{Config, DatabaseUrl};
use attune_common::db;
use attune_executor::{core_pack, load_pack};
use attune_localdb::LocalDb;
use attune_runtimes::{archive, directory};
use sqlx::PgPool;

use super::check;
use crate::world::{Scratch, database};

/// How long the service may stand still before whatever is missing counts as lost.
const PATIENCE: Duration = Duration::from_mins(1);

/// Everything but the service.
#[derive(Debug)]
pub(super) struct World {
    pub(super) pool: PgPool,
    /// The readers, by ref.
    sensors: Vec<String>,
    database: LocalDb,
    scratch: Scratch,
}

impl World {
    pub(super) async fn create() -> anyhow::Result<Self> {
        let scratch = Scratch::new("kill")?;
        let database = database(&scratch.path().join("data")).await?;
        let mut config = Config::load()?;
        config.database.url = DatabaseUrl::parse(&database.url());
        // Not with the settings of a service, which forbid to read a table whole.
        let pool = PgPool::connect(&database.url()).await?;
        db::migrate(&pool).await?;
        core_pack::ensure_core_pack(&pool).await?;
        let pack =
            archive::write(&directory::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("packs/tape"))?)?;
        load_pack::load_pack(&pool, pack, &config.limits).await?;
        let sensors: Vec<String> =
            sqlx::query_scalar("SELECT ref FROM sensor WHERE pack_ref = 'tape' ORDER BY ref")
                .fetch_all(&pool)
                .await?;
        let world = Self { pool, sensors, database, scratch };
        world.hand_out_tapes().await?;
        Ok(world)
    }

    async fn hand_out_tapes(&self) -> anyhow::Result<()> {
        for (sensor, tape) in self.tapes() {
            std::fs::write(&tape, "")?;
            sqlx::query("UPDATE sensor SET config = jsonb_build_object('tape', $2::text) WHERE ref = $1")
                .bind(&sensor)
                .bind(tape.to_string_lossy())
                .execute(&self.pool)
                .await?;
        }
        // Lets `held` stop a commit of events at its very end.
        sqlx::raw_sql(super::held::TRIGGER).execute(&self.pool).await?;
        Ok(())
    }

    /// The tape of each reader.
    pub(super) fn tapes(&self) -> BTreeMap<String, PathBuf> {
        self.sensors.iter().map(|sensor| (sensor.clone(), self.scratch.path().join(sensor))).collect()
    }

    pub(super) fn directory(&self) -> &Path {
        self.scratch.path()
    }

    pub(super) fn url(&self) -> String {
        self.database.url()
    }

    /// Each kill in a row makes the wait for the next try longer, up to ten seconds. No service here lives that long.
    pub(super) async fn forgive(&self) -> anyhow::Result<()> {
        // In the order in which all lock these rows: what a killed service has sent may still be under way.
        let forgive = "WITH l AS MATERIALIZED (SELECT sensor FROM sensor_state ORDER BY sensor FOR UPDATE)
                       UPDATE sensor_state s SET failures = 0 FROM l WHERE s.sensor = l.sensor";
        sqlx::query(forgive).execute(&self.pool).await?;
        Ok(())
    }

    /// Waits until every line is an event, as long as there is progress.
    pub(super) async fn wait_for_all(&self, lines: &BTreeMap<String, u64>) -> anyhow::Result<()> {
        let (mut missing, mut since) = (u64::MAX, Instant::now());
        while missing > 0 && since.elapsed() < PATIENCE {
            let begun = Instant::now();
            let now = check::missing(&self.pool, lines).await?;
            if now < missing {
                (missing, since) = (now, Instant::now());
            }
            // The look must not be what the service waits for.
            tokio::time::sleep(10 * begun.elapsed()).await;
        }
        Ok(())
    }

    pub(super) async fn end(self) {
        self.pool.close().await;
        self.database.stop().await;
    }
}
