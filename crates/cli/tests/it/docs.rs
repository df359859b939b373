//! The pages of docs that come from the code are those that the code would write today.

use std::path::Path;

use crate::home::Home;

#[test]
fn the_generated_pages_are_fresh() {
    let (home, docs) = (Home::new(), Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs"));
    for page in ["configuration", "cli"] {
        let answer = home.answer(home.command(&["reference", page]));
        assert_eq!(answer.code, 0, "{answer}");
        let written = std::fs::read_to_string(docs.join(format!("{page}.md"))).unwrap_or_default();
        assert!(
            written == answer.stdout,
            "docs/{page}.md is stale: run `make docs` and commit what it changes"
        );
    }
}
