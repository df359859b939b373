//! What decides a host process: turns that agree in all of it may share one.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use attune_core::runtime::execution::{Execution, Host, Role};
use attune_process::{Limits, StreamLimit};

use crate::launch::{Code, Interpreter};
use crate::tool::ToolError;

/// Where a turn belongs.
#[derive(Debug, Clone, Copy)]
pub struct Site<'a> {
    /// The code, and its runtime.
    pub code: &'a Code,
    /// What runs it.
    pub interpreter: &'a Interpreter,
    /// What it is. Sensors and actions never share a host.
    pub role: Role,
    /// The bounds of the host as a process, see [`lasting`].
    pub limits: &'a Limits,
}

/// The bounds of a host as a process, of which the turns have those of time and output for themselves.
pub fn lasting(limits: Limits) -> Limits {
    let unlimited = StreamLimit::truncate(usize::MAX);
    Limits { time: Duration::MAX, stdout: unlimited, stderr: unlimited, ..limits }
}

/// A site that is kept.
#[derive(Debug)]
pub(crate) struct Recipe {
    /// Names the group of hosts.
    pub(super) group: u64,
    pub(crate) code: Code,
    pub(crate) interpreter: Interpreter,
    pub(super) role: Role,
    pub(super) limits: Limits,
    pub(crate) host: Host,
    /// Which variables its programs get, and which of the worker's.
    variables: Vec<(String, String)>,
    allowed: Vec<String>,
}

/// The recipes in use, by the directory of their code.
#[derive(Debug, Default)]
pub(super) struct Recipes(Mutex<Shelf>);

#[derive(Debug, Default)]
struct Shelf {
    by_directory: HashMap<PathBuf, Vec<Arc<Recipe>>>,
    count: u64,
}

impl Recipe {
    fn of(site: &Site<'_>, execution: &Execution, host: &Host, group: u64) -> Self {
        Self {
            group,
            code: site.code.clone(),
            interpreter: site.interpreter.clone(),
            role: site.role,
            limits: site.limits.clone(),
            host: host.clone(),
            variables: execution.variables.clone(),
            allowed: execution.env_allow.clone(),
        }
    }

    /// Whether its hosts may serve a turn of the site. The directory of the code is equal already.
    fn serves(&self, site: &Site<'_>, execution: &Execution, host: &Host) -> bool {
        self.role == site.role
            && self.interpreter == *site.interpreter
            && self.code.runtime_pack == site.code.runtime_pack
            && self.code.tool.r#ref == site.code.tool.r#ref
            && self.host == *host
            && self.variables == execution.variables
            && self.allowed == execution.env_allow
            && self.limits == *site.limits
    }
}

impl Recipes {
    /// The recipe of a site; none when its runtime has no host.
    pub(super) fn find(&self, site: &Site<'_>) -> Result<Option<Arc<Recipe>>, ToolError> {
        let execution = site.code.tool.execution()?;
        let Some(host) = &execution.host else { return Ok(None) };
        let mut recipes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = recipes.by_directory.get(&site.code.directory);
        let mut kept = kept.into_iter().flatten();
        if let Some(recipe) = kept.find(|recipe| recipe.serves(site, execution, host)) {
            return Ok(Some(Arc::clone(recipe)));
        }
        recipes.count += 1;
        let recipe = Arc::new(Recipe::of(site, execution, host, recipes.count));
        recipes.by_directory.entry(site.code.directory.clone()).or_default().push(Arc::clone(&recipe));
        Ok(Some(recipe))
    }

    /// Forgets those whose groups are gone. Whoever holds one uses it as before.
    pub(super) fn retain(&self, lives: impl Fn(u64) -> bool) {
        let mut recipes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recipes.by_directory.retain(|_, alike| {
            alike.retain(|recipe| lives(recipe.group));
            !alike.is_empty()
        });
    }
}
