//! The server's log: one file, appended to, with one predecessor.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use crate::Error;
use crate::layout::Layout;

const ROTATE_AT: u64 = 10 << 20;
const TAIL_BYTES: u64 = 8 << 10;
const TAIL_LINES: usize = 10;

/// Opens the log for the next program; a log that has grown large begins anew.
pub(crate) fn open(layout: &Layout) -> Result<File, Error> {
    let path = layout.log();
    if fs::metadata(&path).is_ok_and(|metadata| metadata.len() > ROTATE_AT) {
        fs::rename(&path, path.with_extension("log.1")).map_err(Error::file("rename", &path))?;
    }
    OpenOptions::new()
        .create(true)
        .append(true)
        .read(true)
        .mode(0o600)
        .open(&path)
        .map_err(Error::file("open", &path))
}

/// The last lines, for an error message; empty when there is nothing to read.
pub(crate) fn tail(layout: &Layout) -> String {
    read_tail(&layout.log()).unwrap_or_default()
}

fn read_tail(path: &Path) -> std::io::Result<String> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let start = length.saturating_sub(TAIL_BYTES);
    let mut bytes = vec![0; usize::try_from(length - start).unwrap_or_default()];
    let read = file.read_at(&mut bytes, start)?;
    let text = String::from_utf8_lossy(&bytes[..read]);
    let lines = text.lines().filter(|line| !line.trim().is_empty()).collect::<Vec<_>>();
    Ok(lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn shows_the_last_lines() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::existing(directory.path()).unwrap();
        assert_eq!(tail(&layout), "");
        let mut log = open(&layout).unwrap();
        for line in 0..2000 {
            writeln!(log, "line {line}\n").unwrap();
        }
        let tail = tail(&layout);
        assert!(tail.starts_with("line 1990\n") && tail.ends_with("line 1999"), "{tail}");
    }

    #[test]
    fn begins_anew_when_large() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::existing(directory.path()).unwrap();
        open(&layout).unwrap().set_len(ROTATE_AT + 1).unwrap();
        assert_eq!(open(&layout).unwrap().metadata().unwrap().len(), 0);
        assert!(directory.path().join("postgres.log.1").exists());
    }
}
