//! Which token a request names, which decides whose share it uses of connections, readers and memory.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

/// Whose share a request uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// That of all requests without a token.
    Anyone,
    /// That of runs, for a request with the token of one.
    Run,
    /// That of the API's token.
    Token,
}

/// One thing for each share.
#[derive(Debug)]
pub(crate) struct Shares<T> {
    pub(crate) anyone: T,
    pub(crate) run: T,
    pub(crate) token: T,
}

impl<T> Shares<T> {
    pub(crate) fn of(&self, trust: Trust) -> &T {
        match trust {
            Trust::Anyone => &self.anyone,
            Trust::Run => &self.run,
            Trust::Token => &self.token,
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Trust {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().copied().unwrap_or(Self::Anyone))
    }
}
