//! Compiles the launcher, so that the library carries it inside and nothing needs to be installed beside it.
//!
//! Static, because a dynamic loader would cost more than the launcher's own work; optimised even in a debug build,
//! because every test that starts a program goes through it.

use std::env;
use std::path::PathBuf;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=launcher");
    let output = PathBuf::from(variable("OUT_DIR")).join("attune-launcher");
    let mut compiler = Command::new(variable("RUSTC"));
    compiler
        .args([
            "--edition=2024",
            "--crate-name=attune_launcher",
            "--crate-type=bin",
            "--target",
            &variable("TARGET"),
        ])
        .args(["-Copt-level=s", "-Cpanic=abort", "-Cstrip=symbols", "-Ccodegen-units=1"])
        .args(["-Ctarget-feature=+crt-static", "-Crelocation-model=static"])
        .arg("-o")
        .args([output.as_os_str(), "launcher/main.rs".as_ref()]);
    if let Ok(linker) = env::var("RUSTC_LINKER") {
        compiler.arg(format!("-Clinker={linker}"));
    }
    let status = compiler.status().expect("cargo names a compiler that can be started");
    assert!(
        status.success(),
        "the launcher could not be compiled ({status}); it needs a C library to link statically"
    );
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("cargo sets {name} for build scripts"))
}
