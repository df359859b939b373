//! `server`: where the API listens.

use super::section::Section;

/// What the section is for.
pub(super) const ABOUT: &str = "Where the API listens.";

/// The section `server`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfig {
    /// `host`: the address to listen on.
    pub host: String,
    /// `port`: the port to listen on; zero takes a free one.
    pub port: u16,
}

impl ServerConfig {
    pub(super) fn read(keys: &mut Section<'_>) -> Self {
        Self {
            host: keys.text("host", "127.0.0.1", "The address to listen on; only loopback is taken."),
            port: keys.port("port", 8080, "The port to listen on; 0 takes a free one."),
        }
    }
}
