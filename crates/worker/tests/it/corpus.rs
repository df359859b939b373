//! The programs of `corpus/programs`, and what they cost and leave behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{sleep, timeout};

/// As much of an error as a snapshot shows.
const SHOWN: usize = 120;

/// A program that misbehaves: its class and name with a dot between, and its code.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) code: String,
}

/// All of them, in order.
pub(crate) fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/programs");
    let (mut cases, classes) = (Vec::new(), entries(&root));
    for class in classes {
        let programs = entries(&class);
        assert!(programs.len() >= 4, "{}", class.display());
        cases.extend(programs.iter().map(|program| Case {
            name: format!("{}.{}", name_of(&class), name_of(program)),
            code: fs::read_to_string(program).unwrap(),
        }));
    }
    cases
}

fn name_of(path: &Path) -> String {
    path.file_stem().unwrap().to_str().unwrap().to_owned()
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The beginning of what a program or the service said, on one line.
pub(crate) fn shown(text: &str) -> String {
    let start: String = text.chars().take(SHOWN).collect();
    let more = if start.len() < text.len() { " ..." } else { "" };
    let one_line = |c: char| match c {
        // What JSON is full of would be hard to read twice escaped.
        '"' | '\'' | '\\' => c.to_string(),
        _ => c.escape_debug().to_string(),
    };
    format!("{}{more}", start.chars().map(one_line).collect::<String>())
}

/// The most memory that this process had, the service in it above all, in bytes.
pub(crate) fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// The processes that were told to work below this directory, as all programs of a service are.
pub(crate) fn working_in(directory: &Path) -> Vec<String> {
    let directory = directory.to_str().unwrap().as_bytes();
    let told = |process: &PathBuf| {
        let environment = fs::read(process.join("environ")).unwrap_or_default();
        environment.windows(directory.len()).any(|window| window == directory)
    };
    let processes = entries(Path::new("/proc")).into_iter().filter(told);
    processes.map(|process| fs::read_to_string(process.join("cmdline")).unwrap_or_default()).collect()
}

/// Waits until one is there: only then does it say something that none is left.
pub(crate) async fn seen_working_in(directory: &Path) {
    let look = async {
        while working_in(directory).is_empty() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_mins(1), look).await.unwrap();
}
