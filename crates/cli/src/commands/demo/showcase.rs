//! The pack that the demo runs, compiled in.

use attune_runtimes::files::{Files, FilesError};
use rust_embed::RustEmbed;

/// Its ref.
pub(super) const REF: &str = "showcase";

/// The sensor's file that names the address of an Attune with the default port.
const HEALTH: &str = "sensors/health.yaml";
const DEFAULT_URL: &str = "http://127.0.0.1:8080";

#[derive(RustEmbed)]
#[folder = "../../packs/showcase"]
struct Showcase;

/// Its files, for the Attune that listens at `url`.
pub(super) fn files(url: &str) -> Result<Files, FilesError> {
    Files::without_modes(Showcase::iter().map(|path| {
        let content = Showcase::get(&path).map(|file| file.data.into_owned()).unwrap_or_default();
        let content = if path == HEALTH { at(url, &content) } else { content };
        (path.to_string(), content)
    }))
}

fn at(url: &str, content: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(content).replace(DEFAULT_URL, url).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pack_asks_the_attune_that_runs_it() {
        let files = files("http://127.0.0.1:1234").unwrap();
        attune_core::pack::Pack::parse(files.contents()).unwrap();
        let health = String::from_utf8_lossy(&files.contents()[HEALTH]).into_owned();
        assert!(health.contains("http://127.0.0.1:1234/api/health"), "{health}");
    }
}
