//! A pack as one tar.gz: what is uploaded, and what the database stores.
//!
//! An upload is not trusted. It is read into memory and nothing is unpacked; only files and directories are taken, under
//! paths that can not leave the pack, and decompression ends as soon as the limits are passed, so a small archive that
//! grows without end costs no more than a full one. Written archives depend on the files alone: the same files give the
//! same bytes, on any machine, at any time.

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use tar::{Archive, Builder, Entry, EntryType, Header};

use crate::files::{Files, FilesError, MAX_FILE, MAX_FILES, MAX_TOTAL};

/// Contents plus headers: a block for each file's header, one of padding and some for long names.
const MAX_STREAM: u64 = MAX_TOTAL + MAX_FILES as u64 * 2048 + 1024 * 1024;
/// Directories have entries too.
const MAX_ENTRIES: usize = 2 * MAX_FILES;

/// Why an archive is refused.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It is no tar.gz, or torn.
    #[error("can not read the archive as tar.gz: {0}")]
    Unreadable(#[source] io::Error),
    /// Something follows the archive.
    #[error("something follows the end of the archive")]
    TrailingData,
    /// Decompressed, it is larger than the largest pack.
    #[error("the archive grows beyond {MAX_TOTAL} bytes of content")]
    TooLarge,
    /// More entries than the largest pack has.
    #[error("the archive has more than {MAX_ENTRIES} entries")]
    TooManyEntries,
    /// A name that is not UTF-8.
    #[error("the path \"{path}\" is not UTF-8")]
    NotUtf8 {
        /// The path, escaped.
        path: String,
    },
    /// A link, a device or something else that is neither file nor directory.
    #[error("{path:?} is {what}; a pack has files and directories only")]
    Special {
        /// The path.
        path: String,
        /// What it is.
        what: &'static str,
    },
    /// A file that a pack can not have.
    #[error(transparent)]
    File(#[from] FilesError),
}

/// Reads an archive into memory.
pub fn read(archive: &[u8]) -> Result<Files, ArchiveError> {
    let mut limited = GzDecoder::new(archive).take(MAX_STREAM);
    let read = read_entries(&mut limited);
    if limited.limit() == 0 {
        return Err(ArchiveError::TooLarge);
    }
    let files = read?;
    finish(limited)?;
    Ok(files)
}

fn read_entries(stream: &mut impl Read) -> Result<Files, ArchiveError> {
    let mut files = Files::default();
    let mut archive = Archive::new(stream);
    for (n, entry) in archive.entries().map_err(ArchiveError::Unreadable)?.enumerate() {
        if n == MAX_ENTRIES {
            return Err(ArchiveError::TooManyEntries);
        }
        add(&mut files, entry.map_err(ArchiveError::Unreadable)?)?;
    }
    Ok(files)
}

/// Reads what pads the archive, so that the checksum at its end is verified.
fn finish(mut limited: io::Take<GzDecoder<&[u8]>>) -> Result<(), ArchiveError> {
    io::copy(&mut limited, &mut io::sink()).map_err(ArchiveError::Unreadable)?;
    if limited.limit() == 0 {
        return Err(ArchiveError::TooLarge);
    }
    if limited.into_inner().into_inner().is_empty() { Ok(()) } else { Err(ArchiveError::TrailingData) }
}

fn add(files: &mut Files, mut entry: Entry<'_, impl Read>) -> Result<(), ArchiveError> {
    let path = path_of(&entry)?;
    match entry.header().entry_type() {
        // The file is in the map or it is not; directories follow from the paths.
        EntryType::Directory | EntryType::XGlobalHeader => Ok(()),
        EntryType::Regular => {
            if entry.size() > MAX_FILE {
                return Err(FilesError::FileTooLarge { path }.into());
            }
            let executable = entry.header().mode().map_err(ArchiveError::Unreadable)? & 0o111 != 0;
            let mut content = Vec::new();
            entry.read_to_end(&mut content).map_err(ArchiveError::Unreadable)?;
            Ok(files.insert(&path, content, executable)?)
        }
        other => Err(ArchiveError::Special { path, what: describe(other) }),
    }
}

/// The path without a leading `./`, which archives of a directory's content have.
fn path_of(entry: &Entry<'_, impl Read>) -> Result<String, ArchiveError> {
    let bytes = entry.path_bytes();
    let path = std::str::from_utf8(&bytes)
        .map_err(|_| ArchiveError::NotUtf8 { path: bytes.escape_ascii().to_string() })?;
    Ok(path.strip_prefix("./").unwrap_or(path).to_owned())
}

fn describe(kind: EntryType) -> &'static str {
    match kind {
        EntryType::Symlink => "a symbolic link",
        EntryType::Link => "a hard link",
        EntryType::Char | EntryType::Block => "a device",
        EntryType::Fifo => "a pipe",
        _ => "of a special kind",
    }
}

/// Writes an archive that depends on nothing but the files.
pub fn write(files: &Files) -> io::Result<Vec<u8>> {
    let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    for (path, content) in files.contents() {
        append(&mut builder, path, content, files.is_executable(path))?;
    }
    builder.into_inner()?.finish()
}

fn append(builder: &mut Builder<impl Write>, path: &str, content: &[u8], executable: bool) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_size(content.len() as u64);
    header.set_mode(if executable { 0o755 } else { 0o644 });
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    builder.append_data(&mut header, path, content)
}
