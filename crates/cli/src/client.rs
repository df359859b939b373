//! Speaks to `attune-api`: finds its address and token, and turns its refusals into failures with exit codes.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use attune_common::config::{Config, env};
use serde_json::Value;
use ureq::http::Response;
use ureq::typestate::{WithBody, WithoutBody};
use ureq::{Agent, Body, RequestBuilder};

use crate::arguments::Global;
use crate::failure::Failure;
use crate::listener;
use crate::run_context::RunContext;

/// Longer than any answer takes; a load of a large pack is the slowest.
const TIMEOUT: Duration = Duration::from_mins(2);
/// A crowd of readers is over sooner, or the person wants to know of it.
const PATIENCE: Duration = Duration::from_secs(10);
/// Logs may be long.
const ANSWER_LIMIT: u64 = 256 * 1024 * 1024;
/// Pages of one list: at 8 MB each as much as of anything else.
const MOST_PAGES: usize = 32;

/// A connection to one API.
#[derive(Debug)]
pub(crate) struct Client {
    agent: Agent,
    url: String,
    data_dir: PathBuf,
    /// The token of the run that speaks.
    run_token: Option<String>,
    /// The address is the data directory's own.
    is_own: bool,
    /// For how long an API that is busy is asked again.
    patience: Duration,
}

impl Client {
    /// The API that the options, the environment or the data directory name.
    pub(crate) fn new(global: &Global) -> anyhow::Result<Self> {
        Self::patient_for(global, TIMEOUT)
    }

    /// The same, for what cannot wait long for an answer.
    pub(crate) fn patient_for(global: &Global, timeout: Duration) -> anyhow::Result<Self> {
        let data_dir = data_dir(global)?;
        let url = match &global.api_url {
            Some(url) => url.clone(),
            None => read_line(&data_dir.join("api.url"))
                .ok_or_else(|| Failure::NoAddress(data_dir.join("api.url").display().to_string()))?,
        };
        Ok(Self { is_own: global.api_url.is_none(), ..Self::at(&url, data_dir, timeout) })
    }

    /// The API that the run of an action was given, with the run's own token; without a run as [`Self::new`].
    pub(crate) fn of_run(global: &Global) -> anyhow::Result<Self> {
        let Some(run) = RunContext::find()?.filter(|_| global.api_url.is_none()) else {
            return Self::new(global);
        };
        Ok(Self { run_token: Some(run.token), ..Self::at(&run.url, data_dir(global)?, TIMEOUT) })
    }

    /// Whether it speaks for the run of an action.
    pub(crate) fn is_of_run(&self) -> bool {
        self.run_token.is_some()
    }

    fn at(url: &str, data_dir: PathBuf, timeout: Duration) -> Self {
        let agent =
            Agent::config_builder().http_status_as_error(false).timeout_global(Some(timeout)).build().into();
        let url = url.trim_end_matches('/').to_owned();
        Self { agent, url, data_dir, run_token: None, is_own: false, patience: PATIENCE.min(timeout) }
    }

    /// GETs JSON.
    pub(crate) fn get(&self, path: &str, query: &[(String, String)]) -> anyhow::Result<Value> {
        json(self.read(path, query)?)
    }

    /// GETs a list: up to `limit` rows, from as many pages as they take. The second part asks for the rows after these, when
    /// they were too many bytes.
    pub(crate) fn list(
        &self,
        path: &str,
        query: &[(String, String)],
        limit: usize,
    ) -> anyhow::Result<(Vec<Value>, Option<String>)> {
        let mut response = self.read(path, query)?;
        let mut rows = Vec::new();
        for page in 1.. {
            let next = next_page(&response);
            if let Value::Array(more) = json(response)? {
                rows.extend(more);
            }
            match next {
                Some(next) if rows.len() < limit && page < MOST_PAGES => {
                    response = self.read(&next, &[])?;
                }
                next => {
                    let is_short = rows.len() < limit;
                    return Ok((rows, next.filter(|_| is_short)));
                }
            }
        }
        Ok((rows, None))
    }

    /// GETs, and again for as long as the API says that it is busy and when to come again.
    fn read(&self, path: &str, query: &[(String, String)]) -> anyhow::Result<Response<Body>> {
        let begun = Instant::now();
        loop {
            let pairs = query.iter().map(|(key, value)| (key.as_str(), value.as_str()));
            let outcome = self.reading(path)?.query_pairs(pairs).call();
            match outcome.as_ref().ok().and_then(retry_after) {
                Some(wait) if begun.elapsed() + wait < self.patience => thread::sleep(wait),
                _ => return self.answer(outcome),
            }
        }
    }

    /// A GET. It names a token that is at hand, although nothing needs it: the holder of the token has places that a crowd of
    /// others cannot take.
    fn reading(&self, path: &str) -> anyhow::Result<RequestBuilder<WithoutBody>> {
        let request = self.agent.get(self.address(path));
        let is_at_hand = given_token().is_some() || (self.is_own && File::open(self.token_file()).is_ok());
        Ok(if is_at_hand { request.header("authorization", self.token()?) } else { request })
    }

    /// GETs bytes.
    pub(crate) fn get_bytes(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        let mut response = self.read(path, &[])?;
        Ok(response.body_mut().with_config().limit(ANSWER_LIMIT).read_to_vec()?)
    }

    /// GETs bytes that only the holder of the token may see.
    pub(crate) fn get_secret_bytes(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        let request = self.agent.get(self.address(path)).header("authorization", self.token()?);
        let mut response = self.answer(request.call())?;
        Ok(response.body_mut().with_config().limit(ANSWER_LIMIT).read_to_vec()?)
    }

    /// POSTs JSON.
    pub(crate) fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.send(self.agent.post(self.address(path)), body)
    }

    /// Sends JSON with PUT.
    pub(crate) fn put(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.send(self.agent.put(self.address(path)), body)
    }

    /// Sends JSON with PATCH.
    pub(crate) fn patch(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.send(self.agent.patch(self.address(path)), body)
    }

    fn send(&self, request: RequestBuilder<WithBody>, body: &Value) -> anyhow::Result<Value> {
        let request = request.header("authorization", self.token()?);
        json(self.answer(request.send_json(body))?)
    }

    /// POSTs a packed pack.
    pub(crate) fn post_archive(&self, path: &str, archive: &[u8]) -> anyhow::Result<Value> {
        let request = self.agent.post(self.address(path)).header("authorization", self.token()?);
        json(self.answer(request.content_type("application/gzip").send(archive))?)
    }

    fn address(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// The token, as a request names it. An address and a token that a person or a run gave together belong together; else the
    /// one of them came from the data directory, and what listens there is looked at first.
    fn token(&self) -> anyhow::Result<String> {
        let (given, file) = (self.run_token.clone().or_else(given_token), self.token_file());
        if self.is_own || given.is_none() {
            listener::check(&self.url, &file)?;
        }
        let token = match given {
            Some(token) => token,
            None => std::fs::read_to_string(&file).with_context(|| {
                format!("cannot read the API's token from {}; set ATTUNE_API_TOKEN", file.display())
            })?,
        };
        Ok(format!("Bearer {}", token.trim()))
    }

    fn token_file(&self) -> PathBuf {
        self.data_dir.join("api.token")
    }

    fn wrong_token(&self) -> Failure {
        let token = match given_token() {
            Some(_) => env::API_TOKEN.to_owned(),
            None => self.token_file().display().to_string(),
        };
        Failure::WrongToken { token, url: self.url.clone() }
    }

    fn answer(&self, outcome: Result<Response<Body>, ureq::Error>) -> anyhow::Result<Response<Body>> {
        let mut response = outcome
            .map_err(|error| Failure::Unreachable { url: self.url.clone(), cause: error.to_string() })?;
        let status = response.status().as_u16();
        if (200..300).contains(&status) {
            return Ok(response);
        }
        if status == 401 && !self.is_of_run() {
            return Err(self.wrong_token().into());
        }
        let body = response.body_mut().read_to_string().unwrap_or_default();
        Err(refusal(status, &body).into())
    }
}

fn given_token() -> Option<String> {
    std::env::var(env::API_TOKEN).ok().filter(|token| !token.is_empty())
}

/// The data directory that the options or the configuration name.
pub(crate) fn data_dir(global: &Global) -> anyhow::Result<PathBuf> {
    match &global.data_dir {
        Some(directory) => Ok(std::path::absolute(directory)?),
        None => Ok(Config::load_from(global.config.as_deref())?.data_dir),
    }
}

fn json(mut response: Response<Body>) -> anyhow::Result<Value> {
    response.body_mut().with_config().limit(ANSWER_LIMIT).read_json().context("the API's answer is no JSON")
}

/// Where the page after this one is: `</api/events?before=7>; rel="next"`. It is at the same API.
fn next_page(response: &Response<Body>) -> Option<String> {
    let link = response.headers().get("link")?.to_str().ok()?;
    let (path, relation) = link.strip_prefix('<')?.split_once('>')?;
    (path.starts_with("/api/") && relation.contains("rel=\"next\"")).then(|| path.to_owned())
}

/// How long an API that is busy wants to be left alone.
fn retry_after(response: &Response<Body>) -> Option<Duration> {
    let seconds = response.headers().get("retry-after")?.to_str().ok()?.parse().ok()?;
    (response.status() == 503).then(|| Duration::from_secs(seconds))
}

fn refusal(status: u16, body: &str) -> Failure {
    let document: Value = serde_json::from_str(body).unwrap_or_default();
    let message = message(&document).unwrap_or_else(|| format!("the API answered {status}"));
    match status {
        404 => Failure::NotFound(message),
        400 | 409 | 413 | 415 | 422 => Failure::Refused(message),
        _ => Failure::Failed(message),
    }
}

/// The error, and below it, a line each, the faults of a pack or a file.
fn message(document: &Value) -> Option<String> {
    let error = document["error"].as_str()?.to_owned();
    let faults = document["faults"].as_array().into_iter().flatten().map(fault_line);
    Some(std::iter::once(error).chain(faults).collect::<Vec<_>>().join("\n"))
}

/// As `attune pack validate` prints it; a fault of a whole file has no field.
fn fault_line(fault: &Value) -> String {
    let text = |name: &str| fault[name].as_str().unwrap_or_default().to_owned();
    let line = fault["line"].as_u64().map_or_else(String::new, |line| format!(":{line}"));
    let field = Some(text("field")).filter(|field| !field.is_empty());
    let field = field.map_or_else(String::new, |field| format!(": {field}"));
    format!("  {}{line}{field}: {}", text("file"), text("message"))
}

fn read_line(path: &Path) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    Some(text.trim().to_owned()).filter(|line| !line.is_empty())
}
