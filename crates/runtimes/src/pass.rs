//! What a run gets that may ask something of the API: where that is, and a token of its own. Both stand in its private file,
//! never in its environment or arguments.

use std::path::Path;
use std::{env, fs};

use attune_common::config::env::API_URL;
use attune_core::pack::Permission;
use attune_core::run_token::RunToken;
use serde_json::{Value, json};

/// Leave to ask.
#[derive(Debug)]
pub struct Pass {
    token: RunToken,
    url: String,
}

impl Pass {
    /// The pass of a run of what asks for this in its column `api`; the reason when it cannot have one. `secret` is random.
    pub fn new(api: &Value, data_dir: &Path, secret: [u8; 32]) -> Result<Option<Self>, String> {
        if permissions(api)?.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self { token: RunToken::new(secret), url: address(data_dir)? }))
    }

    /// By which the database knows it.
    pub fn hash(&self) -> [u8; 32] {
        self.token.hash()
    }

    /// What its program reads under `api`.
    pub fn context(&self) -> Value {
        json!({"url": self.url, "token": self.token.reveal()})
    }
}

fn permissions(api: &Value) -> Result<Vec<Permission>, String> {
    match api {
        Value::Null => Ok(Vec::new()),
        api => serde_json::from_value(api.clone()).map_err(|fault| format!("its api is unusable: {fault}")),
    }
}

/// Where the API is: as the worker's environment says, else as the API that runs here wrote down.
fn address(data_dir: &Path) -> Result<String, String> {
    let given = env::var(API_URL).ok().filter(|url| !url.trim().is_empty());
    let file = data_dir.join("api.url");
    let url = given.or_else(|| fs::read_to_string(&file).ok()).unwrap_or_default();
    match url.trim().trim_end_matches('/') {
        "" => Err(format!(
            "it may send events, and this worker knows no API: start one here, which writes {}, or set {API_URL}",
            file.display()
        )),
        url => Ok(url.to_owned()),
    }
}
