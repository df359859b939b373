//! The API's token: whoever reads it may write.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;

use crate::finding::Finding;
use crate::installation::Installation;

pub(super) fn check(installation: &Installation) -> Vec<Finding> {
    let path = installation.config.data_dir.join("api.token");
    let shown = path.display();
    let mode = match std::fs::metadata(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return vec![Finding::skipped("there is none yet; the API makes it at its start")];
        }
        Err(error) => {
            let mend = "let this user get there; without the token no command may write";
            return vec![Finding::problem(format!("{shown} can not be looked at: {error}"), mend)];
        }
        Ok(metadata) => metadata.mode() & 0o7777,
    };
    if mode & 0o077 != 0 {
        let mend = format!(
            "chmod 600 {shown}\nothers may have read it: remove it and start Attune again for a new one"
        );
        return vec![Finding::problem(format!("others may read or change {shown} (mode {mode:o})"), mend)];
    }
    vec![match std::fs::read_to_string(&path) {
        Ok(token) if token.trim().is_empty() => {
            Finding::problem(format!("{shown} is empty"), "remove it; the API makes another at its start")
        }
        Ok(_) => Finding::ok(format!("{shown} is its owner's alone")),
        Err(error) => Finding::problem(
            format!("{shown} can not be read: {error}"),
            "run the command line as the user who runs Attune, or set ATTUNE_API_TOKEN",
        ),
    }]
}
