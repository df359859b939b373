//! The running Attune as a place where a pack's references are looked for.

use attune_core::pack::Kind;
use attune_executor::unloaded::{Failed, Running};
use serde_json::Value;

use crate::arguments::Global;
use crate::client::Client;
use crate::commands::noun::path_segment;
use crate::failure::Failure;

/// The API of a running Attune.
#[derive(Debug)]
pub(super) struct Api(Client);

impl Api {
    /// The one that the options or the data directory name, if there is one.
    pub(super) fn find(global: &Global) -> anyhow::Result<Option<Self>> {
        match Client::new(global) {
            Ok(client) => Ok(Some(Self(client))),
            Err(error) if matches!(error.downcast_ref(), Some(Failure::NoAddress(_))) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Running for Api {
    fn find(&self, kind: Kind, name: &str) -> Result<Option<Value>, Failed> {
        match self.0.get(&format!("/api/{kind}s/{}", path_segment(name)), &[]) {
            Ok(row) => Ok(Some(row)),
            Err(error) if matches!(error.downcast_ref(), Some(Failure::NotFound(_))) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn content(&self, pack: &str) -> Result<Vec<u8>, Failed> {
        Ok(self.0.get_secret_bytes(&format!("/api/packs/{}/content", path_segment(pack)))?)
    }
}

/// As a library takes it.
pub(super) fn dynamic(api: Option<&Api>) -> Option<&dyn Running> {
    api.map(|api| api as &dyn Running)
}
