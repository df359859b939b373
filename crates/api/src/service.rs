//! The API as a service.

use std::sync::Arc;
use std::time::Duration;

use attune_boot::{Arguments, OnError, OnStop, Supervisor};
use attune_common::config::Config;
use attune_executor::ExecutorService;
use attune_executor::core_pack;
use attune_executor::ingest::Ingest;
use attune_executor::rules::RuleCache;
use attune_executor::service::{spawn_relay, spawn_watch};
use attune_hints::Hints;
use chrono::Utc;
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::address::{self, AddressError, Published};
use crate::limits::Limits;
use crate::serve::serve;
use crate::state::Api;
use crate::token::{Token, TokenError};

/// How long a stop waits for requests that are under way.
const DRAIN: Duration = Duration::from_secs(10);

/// Why the API does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It cannot listen, or could not be found.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// It would have nothing to recognise writers by.
    #[error(transparent)]
    Token(#[from] TokenError),
}

/// A bound API: its port is taken, its address published, and connections wait until [`Self::serve`].
#[derive(Debug)]
pub struct ApiService {
    listener: TcpListener,
    published: Published,
    api: Arc<Api>,
}

impl ApiService {
    /// Binds the API of `config`, which takes events through `ingest`.
    pub async fn start(
        config: &Config,
        pool: PgPool,
        ingest: Ingest,
        hints: Hints,
    ) -> Result<Self, StartError> {
        Self::start_within(Limits::default(), config, pool, ingest, hints).await
    }

    /// The same with other limits.
    pub async fn start_within(
        bounds: Limits,
        config: &Config,
        pool: PgPool,
        ingest: Ingest,
        hints: Hints,
    ) -> Result<Self, StartError> {
        Self::bind(config, |token| Api::new(pool, ingest, hints, config.limits.clone(), token, bounds)).await
    }

    /// As [`Self::start`], for a process in which nothing is evaluated: what would have to be is refused.
    pub async fn start_safe(config: &Config, pool: PgPool, hints: Hints) -> Result<Self, StartError> {
        // Its rules are never read.
        let rules = Arc::new(RuleCache::new(pool.clone()));
        let ingest = Ingest::start(pool.clone(), rules, hints.clone(), Utc::now);
        let (limits, bounds) = (config.limits.clone(), Limits::default());
        Self::bind(config, |token| Api { safe: true, ..Api::new(pool, ingest, hints, limits, token, bounds) })
            .await
    }

    async fn bind(config: &Config, api: impl FnOnce(Token) -> Api) -> Result<Self, StartError> {
        let listener = address::listen(&config.server).await?;
        let address = listener.local_addr().map_err(AddressError::Unknown)?;
        let token = Token::of_process(&config.data_dir)?;
        let published = Published::write(&config.data_dir, address)?;
        let api = Arc::new(api(token));
        Ok(Self { listener, published, api })
    }

    /// Where it listens: `http://127.0.0.1:8080`.
    pub fn url(&self) -> &str {
        self.published.url()
    }

    /// Serves until `stop`, then lets the requests that are under way finish.
    pub async fn serve(self, stop: CancellationToken) {
        serve(self.listener, self.api, stop).await;
        drop(self.published);
    }
}

/// The API as a program of its own.
pub async fn run(config: Config, _arguments: Arguments) -> anyhow::Result<()> {
    let supervisor = Supervisor::default();
    let start = start(&config, &supervisor);
    attune_boot::serve(supervisor.clone(), DRAIN, start).await
}

async fn start(config: &Config, supervisor: &Supervisor) -> anyhow::Result<()> {
    let pool = core_pack::prepare_database(config, "attune-api").await?;
    let hints = Hints::default();
    spawn_relay(supervisor, &hints, &pool);
    spawn_watch(supervisor, &hints, &pool, "attune-api", config.lease);
    let executor = ExecutorService::new(pool.clone(), hints.clone(), config).await?;
    executor.start_rules(supervisor);
    let service = ApiService::start(config, pool, executor.ingest().clone(), hints).await?;
    tracing::info!(api.url = service.url(), "The API is running");
    let serving = service.serve(supervisor.stopping());
    supervisor.spawn("api", OnStop::Wait, OnError::Shutdown, async move {
        serving.await;
        anyhow::Ok(())
    });
    Ok(())
}
