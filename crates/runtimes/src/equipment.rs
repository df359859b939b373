//! What this machine has: the runtimes that it may take work for, the contents of packs, and the commands they require.
//!
//! Read from the database when something changed, used at every run without asking it. Detection says what is here; the
//! rows say how it is used; both are renewed by [`Equipment::refresh`], which verifies again only when the rows of table
//! `runtime` changed, when the caller says so, or every `verify_interval`; sooner when somebody killed a command of the last
//! look, because what that seems to miss may well be there.

use std::collections::HashMap;
use std::error::Error;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use attune_common::config::Config;
use attune_common::models::Runtime;
use attune_common::repositories::{pack, runtime};
use attune_common::runtime_detection::{self, Detected, Round, RuntimeDetector};
use attune_core::backoff;
use attune_core::pack::refs::pack_of;
use serde_json::Value;
use sqlx::PgPool;

use crate::content::{ContentError, PackContent};
use crate::launch::{Code, PrepareError};
use crate::requirements::{RequirementError, Requirements};
use crate::tool::Tool;

/// How long a look counts that left something in doubt, at first.
const DOUBT: Duration = Duration::from_secs(1);

/// What a service says of its machine.
#[derive(Clone, Debug)]
pub struct Source {
    /// What the machine is called.
    pub host: String,
    /// The environment variable in which runtimes may be given by hand, which wins over all.
    pub variable: &'static str,
    /// The configuration's `capabilities`.
    pub given: Option<HashMap<String, Value>>,
}

/// Why the equipment could not be looked through.
#[derive(Debug, thiserror::Error)]
pub enum EquipmentError {
    /// The runtimes could not be detected.
    #[error(transparent)]
    Detect(#[from] runtime_detection::Error),
    /// The rows of runtimes and packs could not be read.
    #[error("can not read runtimes and packs from the database")]
    Read(#[from] sqlx::Error),
}

/// What the database's archive of a pack lacks.
#[derive(Debug, thiserror::Error)]
#[error("the database has no such content")]
struct NoContent;

/// The runtimes of this machine at one time.
#[derive(Debug)]
pub struct Inventory {
    /// Every row, ordered by ref, here or not.
    pub rows: Vec<Runtime>,
    /// What detection found.
    pub detected: Detected,
    tools: HashMap<i64, Arc<Tool>>,
    requirements: Requirements,
}

impl Inventory {
    /// The runtime of this id, when this machine has it.
    pub fn tool(&self, runtime: i64) -> Option<&Arc<Tool>> {
        self.tools.get(&runtime)
    }

    /// The ref of the runtime of this id, here or not.
    fn name(&self, runtime: i64) -> String {
        let row = self.rows.iter().find(|row| row.id == runtime);
        row.map_or_else(|| format!("#{runtime}"), |row| row.r#ref.clone())
    }

    /// The ids of all runtimes that this machine has.
    pub fn ids(&self) -> Vec<i64> {
        self.tools.keys().copied().collect()
    }
}

/// What this machine has, kept up to date.
#[derive(Debug)]
pub struct Equipment {
    pool: PgPool,
    config: Arc<Config>,
    source: Source,
    content: PackContent,
    current: RwLock<Arc<Inventory>>,
    look: RwLock<Look>,
}

/// The last look at the machine.
#[derive(Debug, Clone, Copy)]
struct Look {
    at: Instant,
    /// How many in a row left something in doubt, this one among them.
    doubts: u32,
}

impl Look {
    /// A look that ends now.
    fn now(detected: &Detected, doubts_before: u32) -> Self {
        Self { at: Instant::now(), doubts: if detected.in_doubt { doubts_before + 1 } else { 0 } }
    }

    /// How long it counts, which is `interval` when it left no doubt.
    fn holds(self, interval: Duration) -> Duration {
        if self.doubts == 0 { interval } else { backoff::delay(DOUBT, interval, self.doubts, 1.0) }
    }
}

impl Equipment {
    /// The equipment of a machine on which `detected` was found just now.
    pub async fn new(
        pool: PgPool,
        config: Arc<Config>,
        source: Source,
        detected: Detected,
    ) -> Result<Self, EquipmentError> {
        let rows = runtime::list(&pool).await?;
        let inventory = take_stock(&pool, rows, detected).await?;
        let content = PackContent::new(&config.cache_dir);
        let look = RwLock::new(Look::now(&inventory.detected, 0));
        let current = RwLock::new(Arc::new(inventory));
        Ok(Self { pool, config, source, content, current, look })
    }

    /// The runtimes as they were last seen.
    pub fn inventory(&self) -> Arc<Inventory> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks at the rows again, and at the machine when they changed or the last look is too long ago. Says whether the
    /// capabilities changed.
    pub async fn refresh(&self) -> Result<bool, EquipmentError> {
        let before = self.inventory();
        let rows = runtime::list(&self.pool).await?;
        let changed = !rows.iter().map(verification).eq(before.rows.iter().map(verification));
        let detected = if changed || self.is_due() { self.detect().await? } else { before.detected.clone() };
        self.replace(rows, detected).await
    }

    /// Whether the last look at the machine is too long ago.
    pub fn is_due(&self) -> bool {
        let look = self.last_look();
        look.at.elapsed() >= look.holds(self.config.runtime.verify_interval)
    }

    fn last_look(&self) -> Look {
        *self.look.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the machine again, because it lacked what it was said to have.
    pub async fn verify_again(&self) -> Result<bool, EquipmentError> {
        let detected = self.detect().await?;
        self.replace(runtime::list(&self.pool).await?, detected).await
    }

    /// The directory with this content on this machine, fetched from the database on first use.
    pub async fn pack(&self, digest: &str) -> Result<PathBuf, ContentError> {
        self.content.ensure(digest, || fetch(self.pool.clone(), digest.to_owned())).await
    }

    /// What a pack requires and this machine lacks.
    pub fn unmet(&self, pack: &str) -> Vec<RequirementError> {
        self.inventory().requirements.unmet(pack, &self.source.host)
    }

    /// The code of a sensor or action with what runs it, on this machine. Without a command that its pack requires nothing
    /// is fetched.
    pub async fn code(
        &self,
        item_ref: &str,
        runtime: Option<i64>,
        digest: Option<&str>,
    ) -> Result<Code, PrepareError> {
        let runtime = runtime.ok_or(PrepareError::NoRuntime)?;
        let inventory = self.inventory();
        let tool =
            inventory.tool(runtime).ok_or_else(|| PrepareError::RuntimeGone(inventory.name(runtime)))?;
        let pack = pack_of(item_ref);
        if let Some(unmet) = self.unmet(pack).into_iter().next() {
            return Err(unmet.into());
        }
        let runtime_pack = match (&tool.pack_digest, tool.execution()?.needs_pack()) {
            (Some(digest), true) => Some(self.pack(digest).await?),
            _ => None,
        };
        let digest = digest.ok_or(PrepareError::NoContent)?;
        let directory = self.pack(digest).await?;
        let (pack, digest) = (pack.to_owned(), Some(digest.to_owned()));
        Ok(Code { pack, directory, digest, tool: Arc::clone(tool), runtime_pack })
    }

    async fn detect(&self) -> Result<Detected, EquipmentError> {
        let detector = RuntimeDetector::new(self.pool.clone());
        let Source { variable, given, .. } = &self.source;
        let detected = detector.detect(&self.config, variable, given.as_ref(), Round::Again).await?;
        let look = Look::now(&detected, self.last_look().doubts);
        *self.look.write().unwrap_or_else(PoisonError::into_inner) = look;
        Ok(detected)
    }

    async fn replace(&self, rows: Vec<Runtime>, detected: Detected) -> Result<bool, EquipmentError> {
        let inventory = take_stock(&self.pool, rows, detected).await?;
        let changed = inventory.detected.names != self.inventory().detected.names
            || inventory.detected.runtimes != self.inventory().detected.runtimes;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(inventory);
        Ok(changed)
    }
}

async fn fetch(pool: PgPool, digest: String) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
    Ok(pack::find_content(&pool, &digest).await?.ok_or(NoContent)?)
}

/// What of a row decides whether the machine has to be looked at again.
fn verification(row: &Runtime) -> (i64, &str, &str, &Value, &[String]) {
    (row.id, &row.r#ref, &row.name, &row.distributions, &row.aliases)
}

async fn take_stock(
    pool: &PgPool,
    rows: Vec<Runtime>,
    detected: Detected,
) -> Result<Inventory, EquipmentError> {
    let claimable = RuntimeDetector::new(pool.clone()).claimable(&detected).await?;
    let digests: HashMap<i64, String> = pack::digests(pool).await?.into_iter().collect();
    let mut tools = HashMap::new();
    for found in claimable {
        let Some(row) = rows.iter().find(|row| row.id == found.id) else { continue };
        let digest = row.pack.and_then(|pack| digests.get(&pack).cloned());
        tools.insert(row.id, Arc::new(Tool::new(row, found.binary, digest)));
    }
    let requirements = Requirements::of_rows(pack::requirements(pool).await?);
    Ok(Inventory { rows, detected, tools, requirements })
}
