//! What is nearly right: a text that is known, and a few changes. It comes further into a parser than what is random does.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// What parsers stumble over.
const WORDS: [&str; 24] = [
    "{{",
    "}}",
    "{%",
    "%}",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "'",
    "\\u0000",
    "\0",
    "\u{202e}",
    "\n",
    "\r\n\r\n",
    "%ff",
    "&a *a",
    "99999999999999999999",
    "-1e400",
    "null",
    "|",
    "\u{feff}",
    "$ref",
    "..",
];

#[derive(Debug, Clone)]
enum Change {
    Drop,
    Repeat(usize),
    Insert(usize),
    Splice(Index),
    Set(u8),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        Just(Change::Drop),
        (1..40_usize).prop_map(Change::Repeat),
        (0..WORDS.len()).prop_map(Change::Insert),
        any::<Index>().prop_map(Change::Splice),
        any::<u8>().prop_map(Change::Set),
    ]
}

/// One of the seeds, changed in some places.
pub(crate) fn mutated(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let changes = vec((any::<Index>(), 0..40_usize, change()), 0..8);
    (any::<Index>(), changes).prop_map(move |(seed, changes)| {
        let mut bytes = seed.get(&seeds).clone();
        for (at, length, change) in changes {
            let start = at.index(bytes.len() + 1);
            let end = (start + length).min(bytes.len());
            let instead = match change {
                Change::Drop => Vec::new(),
                Change::Repeat(times) => bytes[start..end].repeat(times),
                Change::Insert(word) => WORDS[word].as_bytes().to_vec(),
                Change::Splice(other) => {
                    let other = other.get(&seeds);
                    let from = at.index(other.len() + 1);
                    other[from..(from + length).min(other.len())].to_vec()
                }
                Change::Set(byte) => vec![byte; end - start],
            };
            bytes.splice(start..end, instead);
        }
        bytes
    })
}

/// The gate tries a sixteenth of the cases that a property has by default; `scripts/trials fuzz` asks for many.
pub(crate) fn few() -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig { cases: default.cases / 16, ..default }
}
