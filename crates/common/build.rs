//! A new migration changes no file that the compiler has seen, so cargo must be told to look at the directory.

fn main() {
    println!("cargo::rerun-if-changed=../../migrations");
}
