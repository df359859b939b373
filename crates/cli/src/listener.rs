//! Which user listens where a token is about to go.
//!
//! `api.url` outlives an Attune that was killed, and any user of the machine may then listen at its port. What listens for
//! another user than the data directory's owner gets no token.

use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use procfs::net::{TcpNetEntry, TcpState};
use rustix::process::geteuid;
use url::{Host, Url};

use crate::failure::Failure;

/// Refuses an address of this machine where another user listens than this one, root, or the owner of the token's file.
/// Where none listens, or the system does not tell, there is nothing to refuse.
pub(crate) fn check(url: &str, token_file: &Path) -> Result<(), Failure> {
    let owner = token_file.metadata().ok().map(|file| file.uid());
    let trusted: Vec<u32> = [Some(geteuid().as_raw()), Some(0), owner].into_iter().flatten().collect();
    match stranger(url, &trusted) {
        Some(uid) => Err(Failure::Stranger { url: url.to_owned(), uid }),
        None => Ok(()),
    }
}

/// The user that listens there, if it is none of these.
fn stranger(url: &str, trusted: &[u32]) -> Option<u32> {
    let url = Url::parse(url).ok()?;
    let (host, port) = (url.host()?, url.port_or_known_default()?);
    let is_meant = |address: SocketAddr| address.port() == port && is_at(&host, address.ip());
    let sockets = [procfs::net::tcp(), procfs::net::tcp6()].into_iter().flatten().flatten();
    let listening = |socket: &TcpNetEntry| socket.state == TcpState::Listen && is_meant(socket.local_address);
    sockets.filter(listening).map(|socket| socket.uid).find(|uid| !trusted.contains(uid))
}

/// Whether what listens there gets what is sent to this host, as far as that is this machine.
fn is_at(host: &Host<&str>, listening: IpAddr) -> bool {
    let meant = match host {
        Host::Domain(name) if name.eq_ignore_ascii_case("localhost") => {
            return listening.is_unspecified() || listening.is_loopback();
        }
        Host::Domain(_) => return false,
        Host::Ipv4(ip) => IpAddr::V4(*ip),
        Host::Ipv6(ip) => IpAddr::V6(*ip),
    };
    meant.is_loopback() && (listening.is_unspecified() || listening.to_canonical() == meant)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn what_listens_for_another_user_is_a_stranger() {
        let (own, other) = (geteuid().as_raw(), geteuid().as_raw() + 1);
        for (bound, host) in
            [("127.0.0.1:0", "127.0.0.1"), ("127.0.0.1:0", "localhost"), ("0.0.0.0:0", "127.0.0.1")]
        {
            let listener = TcpListener::bind(bound).unwrap();
            let url = format!("http://{host}:{}", listener.local_addr().unwrap().port());
            assert_eq!(stranger(&url, &[own]), None, "{url}");
            assert_eq!(stranger(&url, &[other]), Some(own), "{url}");
            drop(listener);
            assert_eq!(stranger(&url, &[other]), None, "{url}: none listens");
        }
    }

    #[test]
    fn only_this_machine_is_looked_at() {
        let at =
            |host: &str, ip: &str| is_at(&Url::parse(host).unwrap().host().unwrap(), ip.parse().unwrap());
        assert!(at("http://127.0.0.1", "127.0.0.1") && at("http://127.0.0.1", "::ffff:127.0.0.1"));
        assert!(at("http://[::1]", "::") && at("http://LOCALHOST", "::1"));
        assert!(!at("http://127.0.0.1", "127.0.0.2") && !at("http://attune.example", "0.0.0.0"));
        assert!(!at("http://10.0.0.1", "0.0.0.0"));
    }
}
