//! A new file in the demo's pack means a new build: the embedding alone would only notice changes in files that it knows.

fn main() {
    println!("cargo::rerun-if-changed=../../packs/showcase");
}
