//! The one file that a program may be given in its working directory: what it is told in writing.
//!
//! Where files come and go, making another one takes long: ext4 looks at each that was removed within the last seconds
//! before it takes a number for a new one, so that at a thousand runs a second this was most of a run's work on the disk.
//! So the file stays with a directory that is used again, blank, and is written anew for the next run.
//!
//! Between two runs nothing that was written is left in it. Whatever a program made of it, a link above all, is never
//! written to: then it goes with the whole directory.

use std::fs::{self, File, Metadata};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

/// Its name.
const NAME: &str = ".sensor-context.json";
/// For nobody but this user.
const PRIVATE: u32 = 0o600;
/// What stands in it between two runs. It is never empty: a file that was cut to nothing is written to the disk at once
/// when it is written again.
const BLANK: &[u8] = b"{}";

/// Writes the note for a run, and gives its path.
pub fn write(directory: &Path, text: &[u8]) -> io::Result<PathBuf> {
    let path = directory.join(NAME);
    let mut file = open(File::options().create(true).mode(PRIVATE), &path)?;
    file.write_all(text)?;
    file.set_len(text.len() as u64)?;
    Ok(path)
}

/// Blanks the note of a run that is over. Should that fail, the directory is not used again.
pub fn blank(directory: &Path) {
    // A note that the program removed is none, which is as good.
    let _ = write_blank(&directory.join(NAME));
}

/// Whether this is the path of a note that the next run may have.
pub(crate) fn is_blank(path: &Path) -> bool {
    let is_note = path.file_name().is_some_and(|name| name == NAME);
    is_note && fs::symlink_metadata(path).is_ok_and(|file| is_own(&file) && file.len() == BLANK.len() as u64)
}

fn write_blank(path: &Path) -> io::Result<()> {
    let mut file = open(&mut File::options(), path)?;
    file.write_all(BLANK)?;
    file.set_len(BLANK.len() as u64)
}

fn open(options: &mut fs::OpenOptions, path: &Path) -> io::Result<File> {
    // Neither follows a link nor waits for a pipe.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = options.write(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    if is_own(&file.metadata()?) { Ok(file) } else { Err(io::Error::other("a program replaced it")) }
}

/// A private file that no other name leads to.
fn is_own(file: &Metadata) -> bool {
    file.is_file() && file.nlink() == 1 && file.mode() & 0o7777 == PRIVATE
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    type Change = dyn Fn(&Path, &Path);

    fn with_note(text: &str, change: impl Fn(&Path, &Path)) -> (bool, String) {
        let place = tempfile::tempdir().unwrap();
        let (directory, other) = (place.path().join("run"), place.path().join("other"));
        fs::create_dir(&directory).unwrap();
        fs::write(&other, "precious").unwrap();
        let path = write(&directory, text.as_bytes()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        change(&path, &other);
        blank(&directory);
        (is_blank(&path), fs::read_to_string(other).unwrap())
    }

    #[test]
    fn nothing_is_left_for_the_next_run() {
        for text in ["{\"state\":\"hush\"}", ""] {
            assert_eq!(with_note(text, |_, _| ()), (true, "precious".to_owned()));
        }
    }

    #[test]
    fn what_a_program_made_of_it_is_neither_kept_nor_written_to() {
        let changes: [&Change; 4] = [
            &|note, _| fs::remove_file(note).unwrap(),
            &|note, other| fs::hard_link(note, other.with_extension("link")).unwrap(),
            &|note, other| fs::remove_file(note).and_then(|()| symlink(other, note)).unwrap(),
            &|note, other| fs::remove_file(note).and_then(|()| fs::hard_link(other, note)).unwrap(),
        ];
        for change in changes {
            assert_eq!(with_note("{\"state\":1}", change), (false, "precious".to_owned()));
        }
    }

    #[test]
    fn a_kept_note_is_written_anew() {
        let directory = tempfile::tempdir().unwrap();
        for text in ["{\"state\":\"a long one\"}", "{}", "{\"state\":1}"] {
            let path = write(directory.path(), text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(path).unwrap(), text);
        }
    }
}
