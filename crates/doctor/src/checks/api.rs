//! The Attune that runs here, if one does: whether it answers, and whether it is of this version.

use std::time::Duration;

use serde_json::Value;
use ureq::Agent;

use crate::finding::Finding;
use crate::installation::Installation;

const PATIENCE: Duration = Duration::from_secs(5);
/// An answer is a few dozen bytes.
const LONGEST: u64 = 64 * 1024;

pub(super) fn check(installation: &Installation) -> Vec<Finding> {
    let data_dir = &installation.config.data_dir;
    let owner = attune_localdb::owner_of(data_dir);
    let file = data_dir.join("api.url");
    let written = std::fs::read_to_string(&file).ok().map(|url| url.trim().to_owned());
    let Some(url) = installation.api_url.clone().or(written) else {
        let found = owner.map_or("none runs on this data directory".to_owned(), |pid| {
            format!("process {pid} owns the data directory and has no API yet")
        });
        return vec![Finding::skipped(found)];
    };
    vec![match ask(&url) {
        Ok(health) => compare(&url, health["version"].as_str().unwrap_or_default()),
        Err(cause) => silent(&url, &cause, owner, installation.api_url.is_some()),
    }]
}

fn ask(url: &str) -> Result<Value, String> {
    let agent: Agent =
        Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build().into();
    let mut response = agent
        .get(format!("{}/api/health", url.trim_end_matches('/')))
        .call()
        .map_err(|error| error.to_string())?;
    let status = response.status();
    let body = response.body_mut().with_config().limit(LONGEST).read_to_string().unwrap_or_default();
    let health: Value = serde_json::from_str(&body).unwrap_or_default();
    match health["error"].as_str() {
        _ if status.is_success() => Ok(health),
        Some(error) => Err(format!("it answers {}: {error}", status.as_u16())),
        None => Err(format!("it answers {}", status.as_u16())),
    }
}

fn compare(url: &str, version: &str) -> Finding {
    let own = env!("CARGO_PKG_VERSION");
    if version == own {
        return Finding::ok(format!("version {version} answers at {url}"));
    }
    let found = format!("version {version} answers at {url}, this program is {own}");
    Finding::warning(found, "restart it with this program, or use the command line of its version")
}

fn silent(url: &str, cause: &str, owner: Option<u32>, named: bool) -> Finding {
    let found = format!("{url} does not answer: {cause}");
    match owner {
        Some(pid) => {
            Finding::problem(found, format!("process {pid} should serve it: look at its log, or restart it"))
        }
        None if named => Finding::problem(found, "start Attune there, or name another with --api-url"),
        None => {
            Finding::warning(found, "an Attune that was killed left the address; the next start replaces it")
        }
    }
}
