//! The token that every write names: `ATTUNE_API_TOKEN`, else `api.token` in the data directory, made at the first start.
//!
//! The file appears whole and readable by its owner alone, or not at all; of two programs that start at once, both use the
//! one that was there first.

use std::fmt;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use attune_common::config::env;
use attune_core::run_token::{PREFIX as RUN, RunToken};
use subtle::ConstantTimeEq as _;
use tempfile::NamedTempFile;

/// The file that holds it.
const FILE: &str = "api.token";
/// Shorter ones could be guessed.
const GUESSABLE: usize = 16;

/// The token; it prints as `***`.
#[derive(Clone)]
pub struct Token(String);

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// None at all would let every program in.
    #[error("the token in {0} is empty")]
    Empty(String),
    /// It would be taken for the token of a run.
    #[error("the token in {0} begins as the tokens of runs do ({RUN}); choose another")]
    OfRun(String),
    /// The file could not be read or made.
    #[error("cannot read or make the API's token {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Token {
    /// The token of this process: the environment's, else the file's, else a new one in that file.
    pub fn of_process(data_dir: &Path) -> Result<Self, TokenError> {
        match std::env::var(env::API_TOKEN).ok().filter(|token| !token.trim().is_empty()) {
            Some(token) => Self::checked(&token, env::API_TOKEN),
            None => Self::of_directory(data_dir),
        }
    }

    /// The token in this directory, made if there is none.
    pub fn of_directory(data_dir: &Path) -> Result<Self, TokenError> {
        let path = data_dir.join(FILE);
        let token = read_or_make(data_dir, &path)
            .map_err(|source| TokenError::File { path: path.clone(), source })?;
        Self::checked(&token, &path.display().to_string())
    }

    /// Whether it is this one, in a time that does not tell how much of it is right.
    pub fn is(&self, given: &str) -> bool {
        self.0.as_bytes().ct_eq(given.as_bytes()).into()
    }

    fn checked(token: &str, origin: &str) -> Result<Self, TokenError> {
        let token = token.trim();
        if token.is_empty() {
            return Err(TokenError::Empty(origin.to_owned()));
        }
        if RunToken::named(token).is_some() {
            return Err(TokenError::OfRun(origin.to_owned()));
        }
        if token.len() < GUESSABLE {
            tracing::warn!(token.origin = origin, "The API's token is short and may be guessed");
        }
        Ok(Self(token.to_owned()))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

fn read_or_make(directory: &Path, path: &Path) -> io::Result<String> {
    if let Some(token) = read(path)? {
        return Ok(token);
    }
    std::fs::create_dir_all(directory)?;
    // A temporary file is its owner's alone from the start.
    let mut staged = NamedTempFile::new_in(directory)?;
    writeln!(staged, "{}", hex::encode(rand::random::<[u8; 32]>()))?;
    match staged.persist_noclobber(path) {
        Err(refused) if refused.error.kind() != io::ErrorKind::AlreadyExists => return Err(refused.error),
        Ok(_) | Err(_) => {}
    }
    read(path)?.ok_or_else(|| io::ErrorKind::NotFound.into())
}

fn read(path: &Path) -> io::Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        outcome => outcome.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn is_made_once_and_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let first = Token::of_directory(&directory.path().join("data")).unwrap();
        let again = Token::of_directory(&directory.path().join("data")).unwrap();
        assert!(first.is(&again.0) && first.0.len() == 64);
        let mode = directory.path().join("data/api.token").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(format!("{first:?}"), "***");
    }

    #[test]
    fn only_the_whole_token_is_right() {
        let token = Token::checked(" 0123456789abcdef\n", "a test").unwrap();
        assert!(token.is("0123456789abcdef"));
        for wrong in ["", "0", "0123456789abcdeF", "0123456789abcdef0"] {
            assert!(!token.is(wrong), "{wrong}");
        }
        assert!(matches!(Token::checked(" \n", "a test"), Err(TokenError::Empty(_))));
        let of_run = RunToken::new([1; 32]);
        assert!(matches!(Token::checked(of_run.reveal(), "a test"), Err(TokenError::OfRun(_))));
    }
}
