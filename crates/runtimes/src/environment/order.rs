//! What is to be built, and the digest of all that decides the outcome.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use attune_core::runtime::execution::Environment;
use sha2::{Digest as _, Sha256};

use super::error::{BuildFault, EnvironmentError};
use crate::digest::add;
use crate::files::MAX_FILE;
use crate::identity::Identity;

/// Raised when the same order would be built in another way.
const FORMAT: u64 = 1;
/// Enough of a digest to be unique on a machine, and short: some systems bound the length of an interpreter's path.
const LENGTH: usize = 32;

/// For whom an environment is built, in messages. Others with the same needs share it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The pack's ref.
    pub pack: String,
    /// The runtime's ref.
    pub runtime: String,
    /// The manifest's name.
    pub manifest: String,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the environment of pack {} for {} from {}", self.pack, self.runtime, self.manifest)
    }
}

/// An environment that a pack needs.
#[derive(Clone, Debug)]
pub struct Order {
    owner: Owner,
    digest: String,
    pub(super) spec: Environment,
    pub(super) binary: PathBuf,
    /// The manifest and those of its companions that the pack has.
    pub(super) files: Arc<Vec<(String, Vec<u8>)>>,
    /// What of the worker's environment programs of the runtime get.
    pub(super) env_allow: Vec<String>,
}

impl Order {
    /// What the pack in `directory` needs for a runtime with this interpreter; `None`: it has no manifest.
    pub fn of(
        owner: Owner,
        spec: &Environment,
        binary: &Path,
        directory: &Path,
        env_allow: &[String],
    ) -> Result<Option<Self>, EnvironmentError> {
        match Self::read(&owner, spec, binary, directory, env_allow) {
            Ok(order) => Ok(order),
            Err(fault) => Err(EnvironmentError::new(owner, fault, Duration::ZERO)),
        }
    }

    fn read(
        owner: &Owner,
        spec: &Environment,
        binary: &Path,
        directory: &Path,
        env_allow: &[String],
    ) -> Result<Option<Self>, BuildFault> {
        if !directory.join(&spec.manifest).is_file() {
            return Ok(None);
        }
        let mut files = Vec::new();
        for name in spec.files() {
            let path = directory.join(name);
            match read(&path) {
                Ok(content) => files.push((name.to_owned(), content)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(BuildFault::unreadable(&path, source)),
            }
        }
        let interpreter = Identity::of(binary).map_err(|source| BuildFault::unreadable(binary, source))?;
        Ok(Some(Self {
            digest: digest(owner, spec, &interpreter, &files),
            owner: owner.clone(),
            spec: spec.clone(),
            binary: binary.to_owned(),
            files: Arc::new(files),
            env_allow: env_allow.to_vec(),
        }))
    }

    /// For whom it is.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// How it is built and used.
    pub(crate) fn spec(&self) -> &Environment {
        &self.spec
    }

    /// Names the environment on this machine.
    pub(super) fn digest(&self) -> &str {
        &self.digest
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut content)?;
    if content.len() as u64 > MAX_FILE {
        Err(io::Error::from(io::ErrorKind::FileTooLarge))
    } else {
        Ok(content)
    }
}

fn digest(owner: &Owner, spec: &Environment, interpreter: &Identity, files: &[(String, Vec<u8>)]) -> String {
    let mut hasher = Sha256::new();
    add(&mut hasher, &FORMAT.to_le_bytes());
    add(&mut hasher, owner.runtime.as_bytes());
    add(&mut hasher, &serde_json::to_vec(&spec.build).expect("ways are lists of texts"));
    add(&mut hasher, format!("{interpreter:?}").as_bytes());
    for (name, content) in files {
        add(&mut hasher, name.as_bytes());
        add(&mut hasher, content);
    }
    hex::encode(hasher.finalize())[..LENGTH].to_owned()
}
