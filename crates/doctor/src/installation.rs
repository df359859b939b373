//! What is examined.

use std::path::PathBuf;
use std::time::Duration;

use attune_common::config::{Config, DatabaseConfig, DatabaseUrl, Sources, Survey};
use attune_common::db;
use sqlx::PgPool;
use tokio::sync::OnceCell;

use crate::finding::{Finding, chain};

/// No check needs more at a time.
const CONNECTIONS: u32 = 2;
/// For a server that takes a connection and says nothing.
const PATIENCE: Duration = Duration::from_secs(5);
/// What the server shows of this.
const PROGRAM: &str = "attune doctor";

/// An installation: what its configuration says, and its database, which is connected to when the first check asks.
#[derive(Debug)]
pub struct Installation {
    pub(crate) config: Config,
    pub(crate) survey: Survey,
    /// The API to ask instead of the one that the data directory names.
    pub(crate) api_url: Option<String>,
    pool: OnceCell<Result<PgPool, Unreachable>>,
}

/// Why there is no database to ask.
#[derive(Debug, Clone)]
pub(crate) enum Unreachable {
    /// None is configured, and the private one does not run.
    NotRunning,
    /// It does not answer.
    Refused(String),
}

impl Installation {
    /// The installation that these sources describe, with the data directory and the address that were asked for instead.
    pub fn new(sources: &Sources, data_dir: Option<PathBuf>, api_url: Option<String>) -> Self {
        let (mut config, survey) = Config::survey(sources);
        if let Some(directory) = data_dir {
            config.move_data_to(sources.cwd.join(directory));
        }
        Self { config, survey, api_url, pool: OnceCell::new() }
    }

    /// The database, connected to once.
    pub(crate) async fn database(&self) -> Result<&PgPool, Unreachable> {
        self.pool.get_or_init(|| self.connect()).await.as_ref().map_err(Clone::clone)
    }

    /// The database for a check that has nothing to say without one.
    pub(crate) async fn database_or_skip(&self) -> Result<&PgPool, Vec<Finding>> {
        self.database()
            .await
            .map_err(|_| vec![Finding::skipped("not looked at: there is no database to ask")])
    }

    /// The configured database, else the private one of the data directory when that runs.
    pub(crate) fn database_url(&self) -> Option<DatabaseUrl> {
        self.config.database.url.clone().or_else(|| self.private_url())
    }

    fn private_url(&self) -> Option<DatabaseUrl> {
        // It lives exactly as long as its owner.
        attune_localdb::owner_of(&self.config.data_dir)?;
        DatabaseUrl::parse(&attune_localdb::url_of(&self.config.data_dir).ok()?)
    }

    async fn connect(&self) -> Result<PgPool, Unreachable> {
        let url = Some(self.database_url().ok_or(Unreachable::NotRunning)?);
        let config = DatabaseConfig { url, max_connections: CONNECTIONS, ..self.config.database.clone() };
        let refused = |error: db::Error| Unreachable::Refused(chain(&error));
        let reached = tokio::time::timeout(PATIENCE, db::reach(&config, PROGRAM)).await;
        let silent = |_| Unreachable::Refused(format!("no answer within {} s", PATIENCE.as_secs()));
        reached.map_err(silent)?.map_err(refused)?;
        db::connect(&config, PROGRAM).await.map_err(refused)
    }
}
