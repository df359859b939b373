//! Files that appear in a directory.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use attune_testkit::trial::rounds;
use serde_json::json;

use super::{Streaming, assert_each_once};

#[tokio::test]
async fn each_file_that_appears_is_told_once_whatever_is_killed() {
    let (directory, aside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(directory.path().join("before.job"), "was there").unwrap();
    let before = File::options().write(true).open(directory.path().join("before.job")).unwrap();
    // What was written a moment ago may not be complete yet.
    before.set_modified(SystemTime::now() - Duration::from_mins(1)).unwrap();
    let params = json!({"directory": directory.path(), "pattern": "*.job"});
    let mut streaming = Streaming::start("directory", "file_appeared", &params).await;
    streaming.running().await;
    let files = rounds(120);
    for number in 0..files {
        let (path, other) = (directory.path().join(format!("{number}.job")), aside.path().join("other"));
        match number % 3 {
            0 => fs::write(&path, "written in place").unwrap(),
            1 => {
                fs::write(directory.path().join("hidden"), "renamed into place").unwrap();
                fs::rename(directory.path().join("hidden"), &path).unwrap();
            }
            _ => {
                fs::write(&other, "linked into place").unwrap();
                fs::hard_link(&other, &path).unwrap();
                fs::remove_file(&other).unwrap();
            }
        }
        tokio::time::sleep(Duration::from_millis(13)).await;
        if number % 20 == 19 {
            streaming.kill().await;
        }
    }
    let tally = streaming.tally(files, "name").await;
    assert_each_once(&tally, (0..files).map(|number| format!("{number}.job")));
}
