//! Words in braces that stand for a path of this machine. Other braces are braces.

use std::ffi::OsString;
use std::path::Path;

use super::fault::ExecutionFault;

/// Refuses a word in braces that is none of `known`: it would reach a program as it stands.
pub(super) fn check(at: &str, text: &str, known: &'static [&'static str]) -> Result<(), ExecutionFault> {
    match words(text).find(|word| !known.contains(word)) {
        None => Ok(()),
        Some(word) => {
            Err(ExecutionFault::UnknownPlaceholder { at: at.to_owned(), placeholder: word.to_owned(), known })
        }
    }
}

/// The text with a path for each word in braces that has one.
pub(super) fn expand(text: &str, values: &[(&str, &Path)]) -> OsString {
    let mut expanded = OsString::new();
    let mut rest = text;
    while let Some(brace) = rest.find('{') {
        expanded.push(&rest[..brace]);
        rest = &rest[brace..];
        let named = values
            .iter()
            .find_map(|(name, path)| Some((rest[1..].strip_prefix(name)?.strip_prefix('}')?, path)));
        if let Some((after, path)) = named {
            expanded.push(path);
            rest = after;
        } else {
            expanded.push("{");
            rest = &rest[1..];
        }
    }
    expanded.push(rest);
    expanded
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    text.split('{').skip(1).filter_map(|part| Some(part.split_once('}')?.0)).filter(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_paths_and_other_braces_stay() {
        let values = [("pack", Path::new("/p")), ("binary", Path::new("/b"))];
        assert_eq!(expand("{pack}/x:{pack}{binary}", &values), "/p/x:/p/b");
        assert_eq!(expand("{{pack} {no} {\"a\": 1} {", &values), "{/p {no} {\"a\": 1} {");
    }

    #[test]
    fn a_word_that_stands_for_nothing_is_named() {
        let fault = check("args[0]", "{pack}{ENV}{\"a\": 1}{pak}", &["pack", "manifest"]).unwrap_err();
        assert_eq!(fault.to_string(), "args[0]: {pak} stands for nothing; there are {pack}, {manifest}");
    }
}
