//! `POST /api/packs` of a running `attune up`: every archive is answered, costs little, and leaves nothing.

use std::path::Path;

use serde_json::Value;
use ureq::Agent;

use super::archives;
use crate::home::{Home, assert_terminal};
use crate::up::Up;

/// Far more than a pack of full size takes, far less than any of the archives would, unpacked.
const MOST: u64 = 500_000_000;

fn post(up: &Up, token: &str, archive: &[u8]) -> (u16, Value) {
    let agent: Agent = Agent::config_builder().http_status_as_error(false).build().into();
    let request = agent.post(format!("{}/api/packs", up.url)).content_type("application/gzip");
    let mut response = request.header("authorization", format!("Bearer {token}")).send(archive).unwrap();
    (response.status().as_u16(), response.body_mut().read_json().unwrap())
}

/// The status, the message, and the first faults.
fn told((status, answer): &(u16, Value)) -> String {
    let fault = |fault: &Value| {
        let text = |name: &str| fault[name].as_str().unwrap_or_default().to_owned();
        format!("\n    {}:{} {} {}", text("file"), fault["line"], text("field"), text("message"))
    };
    let faults: String = answer["faults"].as_array().into_iter().flatten().take(2).map(fault).collect();
    format!("{status} {}{faults}", answer["error"].as_str().unwrap_or("loaded"))
}

/// The most memory that the process ever had.
fn peak(up: &Up) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", up.pid().as_raw_nonzero())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

fn names_in(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn every_archive_is_answered_and_none_leaves_anything() {
    let (home, database) = Home::with_database();
    let up = home.up(&[]);
    let token = home.read("api.token").unwrap();
    let contents = || database.number("SELECT count(*) FROM pack_content");
    let before = contents();
    let mut all = String::new();
    for (name, archive) in archives::all() {
        let answer = post(&up, &token, &archive);
        let size = answer.1.to_string().len();
        assert!(size < 1_000_000, "{name} is answered with {size} bytes");
        all.extend([format!("{name}: {}\n", told(&answer))]);
        // The few that are well are put away, so that each meets the same.
        database.execute("DELETE FROM trigger WHERE ref LIKE 'demo.%'");
    }
    assert_terminal!("hostile_archives", all);
    assert!(peak(&up) < MOST, "{} bytes", peak(&up));
    let kept = usize::try_from(contents() - before).unwrap();
    assert_eq!(kept, all.matches(": 200 loaded").count(), "what was refused is not kept");
    assert_eq!(names_in(&home.data_dir().join("cache/packs")), Vec::<String>::new());
    assert_eq!(post(&up, &token, &archives::packed(|_| ())).0, 200);
}
