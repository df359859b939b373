//! The token of one run: what it looks like, and the hash by which it is known. The secret itself is in no table.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// What tells it from other tokens.
const PREFIX: &str = "attune_run_";

/// A token; it prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct RunToken(String);

impl RunToken {
    /// The token with this secret, which has to be random.
    pub fn new(secret: [u8; 32]) -> Self {
        Self(format!("{PREFIX}{}", hex::encode(secret)))
    }

    /// The token that a request names; `None`: it is another kind of token.
    pub fn named(text: &str) -> Option<Self> {
        text.starts_with(PREFIX).then(|| Self(text.to_owned()))
    }

    /// By which it is known.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// The text that a request names.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RunToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_known_by_its_hash_and_prints_as_stars() {
        let token = RunToken::new([7; 32]);
        let again = RunToken::named(token.reveal()).unwrap();
        assert_eq!((again.hash(), format!("{again:?}")), (token.hash(), "***".to_owned()));
        assert_ne!(RunToken::new([8; 32]).hash(), token.hash());
        assert_eq!(RunToken::named(&"07".repeat(32)), None);
    }
}
