//! Compiles the launcher, so that the library carries it inside and nothing needs to be installed beside it.
//!
//! Static and without the C library, because starting those up would cost more than the launcher's own work; optimised
//! even in a debug build, because every test that starts a program goes through it. Whole-program optimisation also
//! leaves out the parts of the core library that would ask for a way to unwind.

use std::env;
use std::path::PathBuf;
use std::process::Command;

const COMPILE: [&str; 8] = [
    "--edition=2024",
    "--crate-name=attune_launcher",
    "--crate-type=bin",
    "--cfg=launcher",
    "-Copt-level=s",
    "-Clto=fat",
    "-Cpanic=abort",
    "-Cstrip=symbols",
];

const LINK: [&str; 6] = [
    "-Ctarget-feature=+crt-static",
    "-Crelocation-model=static",
    "-Clink-arg=-static",
    "-Clink-arg=-nostdlib",
    "-Clink-arg=-nostartfiles",
    "-Clink-arg=-Wl,-z,noseparate-code,--build-id=none",
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=launcher");
    println!("cargo::rustc-check-cfg=cfg(launcher)");
    let output = PathBuf::from(variable("OUT_DIR")).join("attune-launcher");
    let mut compiler = Command::new(variable("RUSTC"));
    compiler.args(COMPILE).args(LINK).args(["--target", &variable("TARGET")]);
    if let Ok(linker) = env::var("RUSTC_LINKER") {
        compiler.arg(format!("-Clinker={linker}"));
    }
    let status = compiler.arg("-o").arg(output).arg("launcher/main.rs").status();
    let status = status.expect("cargo names a compiler that can be started");
    assert!(status.success(), "the launcher could not be compiled ({status})");
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("cargo sets {name} for build scripts"))
}
