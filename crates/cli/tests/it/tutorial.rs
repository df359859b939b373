//! The tutorial is typed as it stands, in a clean directory, with a clock.

use crate::console::{Reader, document};
use crate::home::Home;

#[test]
#[expect(clippy::print_stdout, reason = "the figures are part of what the tutorial promises")]
fn what_the_tutorial_says_is_what_happens() {
    let home = Home::new();
    let (commands, seconds) = Reader::new(&home).follow(&document("docs/tutorial.md"));
    println!("the tutorial: {commands} commands in {seconds:.1} s");
    assert!(commands > 15, "{commands}");
}
