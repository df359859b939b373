//! The data directory: this user's own, closed to others' writes, and open to the account of the private database.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use attune_localdb::check_reach;
use rustix::fs::{Access, AtFlags, CWD, accessat};

use crate::finding::{Finding, chain};
use crate::installation::Installation;

pub(super) fn check(installation: &Installation) -> Vec<Finding> {
    let directory = &installation.config.data_dir;
    let shown = directory.display();
    let metadata = match std::fs::metadata(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return vec![Finding::skipped(format!("{shown} is not there yet; the first start makes it"))];
        }
        Err(error) => {
            let mend = "let this user get there, or name another with data_dir";
            return vec![Finding::problem(format!("{shown} can not be looked at: {error}"), mend)];
        }
        Ok(metadata) => metadata,
    };
    let faults: Vec<_> = [not_a_directory, foreign, read_only, open_to_others, out_of_reach]
        .into_iter()
        .filter_map(|look| look(directory, &metadata))
        .collect();
    if faults.is_empty() { vec![Finding::ok(format!("{shown} is this user's own"))] } else { faults }
}

fn not_a_directory(directory: &Path, metadata: &Metadata) -> Option<Finding> {
    let found = format!("{} is no directory", directory.display());
    (!metadata.is_dir()).then(|| Finding::problem(found, "move it away, or name another with data_dir"))
}

fn foreign(directory: &Path, metadata: &Metadata) -> Option<Finding> {
    let (owner, user) = (metadata.uid(), rustix::process::geteuid().as_raw());
    let found = format!("{} belongs to uid {owner}, this is uid {user}", directory.display());
    let mend = format!("run Attune as uid {owner}, or: chown -R {user} {}", directory.display());
    (owner != user).then(|| Finding::problem(found, mend))
}

fn read_only(directory: &Path, metadata: &Metadata) -> Option<Finding> {
    let needed = Access::WRITE_OK | Access::EXEC_OK;
    let refused = accessat(CWD, directory, needed, AtFlags::EACCESS).err().filter(|_| metadata.is_dir())?;
    let found = format!("{} can not be written to: {refused}", directory.display());
    Some(Finding::problem(found, format!("chmod u+wx {0}, or mount it writable", directory.display())))
}

fn open_to_others(directory: &Path, metadata: &Metadata) -> Option<Finding> {
    let mode = metadata.mode() & 0o7777;
    let found = format!("others may write to {} (mode {mode:o})", directory.display());
    (mode & 0o022 != 0).then(|| Finding::problem(found, format!("chmod go-w {}", directory.display())))
}

/// Of interest only where Attune brings its own database; a cluster that runs has shown it.
fn out_of_reach(directory: &Path, metadata: &Metadata) -> Option<Finding> {
    let error = check_reach(directory).err().filter(|_| metadata.is_dir())?;
    Some(Finding::warning(
        format!("a private database could not run here: {}", chain(&error)),
        "needed only without DATABASE_URL: open the way, or name another place with data_dir",
    ))
}
