//! What a command reads from a file that was named, or from standard input.

use std::io::{ErrorKind, Read as _};

use crate::failure::Failure;

/// The API takes no more.
const MAX_BYTES: u64 = 1024 * 1024;

/// The text of a file; `-` is standard input.
pub(crate) fn text(file: &str) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = if file == "-" {
        std::io::stdin().lock().take(MAX_BYTES + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|opened| opened.take(MAX_BYTES + 1).read_to_end(&mut bytes))
    };
    read.map_err(|error| match error.kind() {
        ErrorKind::NotFound => Failure::NotFound(format!("there is no file {file}")),
        _ => Failure::Usage(format!("can not read {file}: {error}")),
    })?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Failure::Refused(format!("{file} is larger than {MAX_BYTES} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| Failure::Refused(format!("{file} is not UTF-8")))
}
