//! Where the API listens, and how others find it: `api.url` in the data directory.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use attune_common::config::ServerConfig;
use tempfile::NamedTempFile;
use tokio::net::TcpListener;

/// The file that names the address.
const FILE: &str = "api.url";

/// Why the API does not listen.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// Not an address of this machine alone.
    #[error(
        "server.host is {0:?}: the API listens on loopback only (127.0.0.1, ::1 or localhost), because it has no users yet"
    )]
    NotLoopback(String),
    /// Another program listens there.
    #[error("port {} of {} is taken: end what listens there, or choose another (`attune up --port`, or server.port; 0 takes a free one)", .0.port(), .0.ip())]
    Taken(SocketAddr),
    /// The system refused.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The system does not say where.
    #[error("cannot tell where the API listens")]
    Unknown(#[source] io::Error),
    /// The address could not be published.
    #[error("cannot write {path}")]
    Publish {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Listens where the configuration says.
pub(crate) async fn listen(server: &ServerConfig) -> Result<TcpListener, AddressError> {
    let address = SocketAddr::new(loopback(&server.host)?, server.port);
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => AddressError::Taken(address),
        _ => AddressError::Listen { address, source },
    })
}

fn loopback(host: &str) -> Result<IpAddr, AddressError> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let ip = if bare.eq_ignore_ascii_case("localhost") {
        Some(Ipv4Addr::LOCALHOST.into())
    } else {
        bare.parse().ok()
    };
    ip.filter(IpAddr::is_loopback).ok_or_else(|| AddressError::NotLoopback(host.to_owned()))
}

/// The address as others write it, published for as long as this lives.
#[derive(Debug)]
pub(crate) struct Published {
    path: PathBuf,
    line: String,
}

impl Published {
    /// Writes the address beside its place and moves it there, so that half of it is never read.
    pub(crate) fn write(data_dir: &Path, address: SocketAddr) -> Result<Self, AddressError> {
        let this = Self { path: data_dir.join(FILE), line: format!("http://{address}\n") };
        match replace(data_dir, &this.path, &this.line) {
            Ok(()) => Ok(this),
            Err(source) => Err(AddressError::Publish { path: this.path.clone(), source }),
        }
    }

    pub(crate) fn url(&self) -> &str {
        self.line.trim_end()
    }
}

impl Drop for Published {
    /// Another API of the same data directory may have published its own address since.
    fn drop(&mut self) {
        let is_ours = std::fs::read_to_string(&self.path).is_ok_and(|line| line == self.line);
        if is_ours && let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "The API's address could not be taken back"
            );
        }
    }
}

fn replace(directory: &Path, path: &Path, content: &str) -> io::Result<()> {
    std::fs::create_dir_all(directory)?;
    let staged = NamedTempFile::new_in(directory)?;
    std::fs::write(staged.path(), content)?;
    staged.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_accepted() {
        for good in ["127.0.0.1", "127.0.0.9", "::1", "[::1]", "localhost", "LOCALHOST"] {
            assert!(loopback(good).is_ok(), "{good}");
        }
        for bad in ["0.0.0.0", "::", "10.0.1.42", "example.com", "", "::ffff:10.0.0.1"] {
            assert!(matches!(loopback(bad), Err(AddressError::NotLoopback(_))), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_taken_port_is_named() {
        let first = listen(&ServerConfig { host: "127.0.0.1".into(), port: 0 }).await.unwrap();
        let port = first.local_addr().unwrap().port();
        let error = listen(&ServerConfig { host: "127.0.0.1".into(), port }).await.unwrap_err();
        assert!(error.to_string().starts_with(&format!("port {port} of 127.0.0.1 is taken")), "{error}");
    }

    #[test]
    fn the_address_is_there_while_it_is_published_and_a_successor_keeps_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let read = || std::fs::read_to_string(directory.path().join(FILE)).ok();
        let publish = |port| Published::write(directory.path(), ([127, 0, 0, 1], port).into()).unwrap();
        let first = publish(1);
        assert_eq!((read().as_deref(), first.url()), (Some("http://127.0.0.1:1\n"), "http://127.0.0.1:1"));
        let second = publish(2);
        drop(first);
        assert_eq!(read().as_deref(), Some("http://127.0.0.1:2\n"));
        drop(second);
        assert_eq!(read(), None);
    }
}
