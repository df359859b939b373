//! Packages that are made here, for tests that install what a pack names.
//!
//! The gate installs from each registry once. Everything else finds what it needs in a directory of the test's own: it takes
//! no network, and says nothing about a registry's health.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Makes the wheel of a Python package in this directory: one module, with this text.
pub fn wheel(directory: &Path, name: &str, version: &str, source: &str) {
    let module = format!("{name}.py");
    let info = format!("{name}-{version}.dist-info");
    fs::create_dir_all(directory.join(&info)).expect("the directory of wheels is made");
    let files = [
        (module.clone(), source.to_owned()),
        (format!("{info}/METADATA"), format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")),
        (
            format!("{info}/WHEEL"),
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n".to_owned(),
        ),
        (
            format!("{info}/RECORD"),
            format!("{module},,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n"),
        ),
    ];
    for (file, text) in files {
        fs::write(directory.join(file), text).expect("a file of the wheel is written");
    }
    let file = format!("{name}-{version}-py3-none-any.whl");
    make(directory, "python3", &["-m", "zipfile", "-c", &file, &module, &info]);
}

/// Has installers of Python packages look into this directory and nowhere else.
pub fn only_wheels(directory: &Path) -> [(&'static str, String); 3] {
    let (place, config) = (directory.display().to_string(), directory.join("uv.toml"));
    fs::write(&config, format!("no-index = true\nfind-links = [{place:?}]\n")).expect("uv is configured");
    [
        ("PIP_NO_INDEX", "1".to_owned()),
        ("PIP_FIND_LINKS", place),
        ("UV_CONFIG_FILE", config.display().to_string()),
    ]
}

/// Makes the tarball of a package for Node.js in this directory: one file, with this text. A `package.json` names it as
/// `file:` and what is returned.
pub fn tarball(directory: &Path, name: &str, version: &str, source: &str) -> PathBuf {
    let package = directory.join("package");
    fs::create_dir_all(&package).expect("the directory of the package is made");
    let manifest = format!(r#"{{"name": "{name}", "version": "{version}"}}"#);
    for (file, text) in [("package.json", manifest.as_str()), ("index.js", source)] {
        fs::write(package.join(file), text).expect("a file of the package is written");
    }
    let file = format!("{name}-{version}.tgz");
    make(directory, "tar", &["-czf", &file, "package"]);
    directory.join(file)
}

/// Runs a program to its good end.
fn make(directory: &Path, program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).current_dir(directory).status();
    assert!(status.is_ok_and(|status| status.success()), "{program} {arguments:?}");
}
