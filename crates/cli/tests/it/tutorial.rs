//! The tutorial is typed as it stands, in a clean directory, with a clock. The package that it installs is made here.

use attune_testkit::packages;

use crate::console::{Reader, document};
use crate::home::Home;

#[test]
fn what_the_tutorial_says_is_what_happens() {
    let home = Home::new();
    // The directory that the tutorial names is left over when a test was ended in the middle.
    let _ = std::fs::remove_dir_all("/tmp/attune-tutorial");
    let wheels = home.path().join("wheels");
    packages::wheel(&wheels, "humanize", "4.0.0", "naturalsize = '{} Bytes'.format\n");
    let mut reader = Reader::new(&home).with(packages::only_wheels(&wheels));
    let (commands, seconds) = reader.follow(&document("docs/tutorial.md"));
    println!("the tutorial: {commands} commands in {seconds:.1} s");
    assert!(commands > 15, "{commands}");
}
