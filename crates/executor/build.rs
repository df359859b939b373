//! A new file in the core pack means a new build: the embedding alone would only notice changes in files that it knows.

fn main() {
    println!("cargo:rerun-if-changed=../../packs/core");
}
