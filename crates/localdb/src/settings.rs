//! The server's settings.
//!
//! Written anew at every start, so that an older cluster gets what a newer Attune knows. Three layers, later wins: what
//! initdb chose for this machine, ours, and `postgres.local.conf`, which belongs to the operator. What the ownership of
//! the cluster rests on (the socket, no TCP) stands on the command line, where no file overrides it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::Error;
use crate::layout::Layout;

const MIB: u64 = 1 << 20;

/// Nobody restores or replicates what a test leaves, so the log is kept as small as it gets.
const WORTHLESS_AFTER_A_CRASH: &str = "fsync = off\n\
    synchronous_commit = off\n\
    full_page_writes = off\n\
    wal_level = minimal\n\
    max_wal_senders = 0\n\
    max_wal_size = 512MB\n\
    wal_compression = off\n";

/// Writes the settings file.
pub(crate) fn write(layout: &Layout, durable: bool) -> Result<(), Error> {
    let path = layout.settings();
    fs::write(&path, text(shared_buffers(memory()) / MIB, durable)).map_err(Error::file("write", &path))?;
    // The server's account reads it too.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644))
        .map_err(Error::file("set the permissions of", &path))
}

fn text(shared_buffers: u64, durable: bool) -> String {
    // A process of the data directory's owner may hold a pool of its own, hence the connections. Short JIT-compiled
    // queries cost more than they gain.
    let mut text = format!(
        "# Written by Attune at every start. Put your own settings into postgres.local.conf beside this file.\n\
         include 'postgres/postgresql.conf'\n\
         max_connections = 200\n\
         shared_buffers = {shared_buffers}MB\n\
         max_wal_size = 4GB\n\
         checkpoint_timeout = 15min\n\
         wal_compression = on\n\
         jit = off\n\
         timezone = 'UTC'\n\
         log_timezone = 'UTC'\n\
         lc_messages = 'C'\n\
         logging_collector = off\n\
         log_destination = 'stderr'\n\
         log_line_prefix = '%m [%p] %a '\n"
    );
    if !durable {
        text.push_str(WORTHLESS_AFTER_A_CRASH);
    }
    text.push_str("include_if_exists 'postgres.local.conf'\n");
    text
}

/// An eighth of the memory, but no more than a control plane's hot rows need.
fn shared_buffers(memory: u64) -> u64 {
    (memory / 8).clamp(32 * MIB, 256 * MIB)
}

/// What this process may use: the machine's memory or its control group's limit.
fn memory() -> u64 {
    let info = rustix::system::sysinfo();
    let machine = info.totalram.saturating_mul(u64::from(info.mem_unit));
    let limit =
        fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse().ok());
    limit.unwrap_or(u64::MAX).min(machine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_durable_cluster_keeps_the_servers_durable_defaults() {
        assert!(!text(256, true).contains("fsync"));
        assert!(!text(256, true).contains("synchronous_commit"));
        assert!(text(256, false).contains("fsync = off"));
    }

    #[test]
    fn the_operator_has_the_last_word() {
        assert!(text(256, false).ends_with("include_if_exists 'postgres.local.conf'\n"));
    }

    #[test]
    fn small_machines_get_small_buffers() {
        assert_eq!(shared_buffers(128 * MIB), 32 * MIB);
        assert_eq!(shared_buffers(1024 * MIB), 128 * MIB);
        assert_eq!(shared_buffers(64 * 1024 * MIB), 256 * MIB);
    }
}
