//! The name of a pack's content: sha256 over its sorted files, so that the same files have the same name however they
//! were packed. Each part is preceded by its length, so that no two contents read alike.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::files::Files;

const LENGTH: usize = 64;

/// The digest in lower-case hexadecimal.
pub fn digest(files: &Files) -> String {
    let mut hasher = Sha256::new();
    for (path, content) in files.contents() {
        add(&mut hasher, path.as_bytes());
        hasher.update([u8::from(files.is_executable(path))]);
        add(&mut hasher, content);
    }
    hex::encode(hasher.finalize())
}

/// The digest of each file by itself, mode included, for finding those that differ.
pub fn of_each(files: &Files) -> BTreeMap<String, String> {
    let one = |(path, content): (&String, &Vec<u8>)| {
        let mut hasher = Sha256::new();
        hasher.update([u8::from(files.is_executable(path))]);
        hasher.update(content);
        (path.clone(), hex::encode(hasher.finalize()))
    };
    files.contents().iter().map(one).collect()
}

/// Whether `text` can be a digest. One comes from a row, and names a directory.
pub fn is_digest(text: &str) -> bool {
    text.len() == LENGTH && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Adds a part that no other division of the same bytes reads like.
pub(crate) fn add(hasher: &mut Sha256, part: &[u8]) {
    hasher.update((part.len() as u64).to_le_bytes());
    hasher.update(part);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[(&str, &[u8], bool)]) -> String {
        let mut all = Files::default();
        for (path, content, executable) in files {
            all.insert(path, content.to_vec(), *executable).unwrap();
        }
        digest(&all)
    }

    #[test]
    fn depends_on_path_mode_and_content_and_not_on_order() {
        let base = of(&[("a", b"1", false), ("b", b"2", false)]);
        assert!(is_digest(&base));
        assert_eq!(base, of(&[("b", b"2", false), ("a", b"1", false)]));
        for other in [
            of(&[("a", b"1", true), ("b", b"2", false)]),
            of(&[("a", b"1", false), ("c", b"2", false)]),
            of(&[("a", b"12", false), ("b", b"", false)]),
            of(&[("a", b"1", false)]),
            of(&[]),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn only_hexadecimal_names_a_directory() {
        assert!(!is_digest("../../etc") && !is_digest(&"A".repeat(64)) && !is_digest(&"a".repeat(63)));
    }
}
