//! `server`: where the API listens.

use super::section::Section;

/// The section `server`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfig {
    /// `host`: the address to listen on.
    pub host: String,
    /// `port`: the port to listen on; zero takes a free one.
    pub port: u16,
}

impl ServerConfig {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        Self {
            host: section.text("host").unwrap_or_else(|| "127.0.0.1".to_owned()),
            port: section.port("port", 8080),
        }
    }
}
