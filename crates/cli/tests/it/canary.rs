//! A canary from its sensor to its action, and where it is stuck when it is.

use serde_json::json;

use crate::eventually::eventually;
use crate::home::{Home, assert_terminal};

#[test]
fn a_canary_comes_through_or_is_told_where_it_is_stuck() {
    let (home, database) = Home::with_database();
    let up = home.up(&[]);
    let first = home.json(&["canary"]);
    assert_eq!((&first["arrived"], &first["stuck"]), (&json!(true), &json!(null)), "{first}");
    let arrows: Vec<_> = first["arrows"].as_array().unwrap().iter().map(|arrow| &arrow["arrow"]).collect();
    assert_eq!(arrows, ["sensor", "rule", "worker", "action", "total"]);
    let again = home.attune(&["canary"]);
    assert!(
        again.code == 0 && again.stdout.starts_with("OK: the canary of core.canary came through in "),
        "{again}"
    );
    assert_eq!(database.number("SELECT count(*) FROM event WHERE trigger_ref = 'core.canary'"), 2);
    assert_eq!(
        database
            .number("SELECT events FROM sensor_state JOIN sensor ON id = sensor WHERE ref = 'core.canary'"),
        0
    );

    stream(&home);
    let through = home.attune(&["canary", "mine.beats"]);
    assert!(through.stdout.starts_with("OK: the canary of mine.beats came through in "), "{through}");

    let stuck = home.terminal(&[
        &["rule", "disable", "core.canary"],
        &["canary"],
        &["rule", "enable", "core.canary"],
        &["action", "disable", "core.noop"],
        &["canary"],
        &["action", "enable", "core.noop"],
        &["trigger", "disable", "core.canary"],
        &["canary"],
        &["trigger", "enable", "core.canary"],
        &["sensor", "pause", "core.canary"],
        &["canary"],
        &["canary", "core.canry"],
    ]);
    let stuck = stuck.lines().map(without_numbers).collect::<Vec<_>>().join("\n");
    assert_terminal!("canary_stuck", stuck);
    assert_eq!(home.attune(&["sensor", "resume", "core.canary"]).code, 0);
    drop(up);
    assert_eq!(home.attune(&["canary"]).code, 5);
}

/// Sixty jobs that take minutes wait for the three turns of their action, and everything else goes on.
#[test]
fn slow_jobs_of_a_bounded_action_keep_no_canary_waiting() {
    let (home, database) = Home::with_database();
    let up = home.up(&[]);
    load(
        &home,
        "slow",
        &[
            ("pack.yaml", "ref: slow\nname: Slow\nversion: 0.1.0\n"),
            (
                "actions/job.yaml",
                "ref: slow.job\nruntime: core.shell\nentrypoint: actions/job.sh\nmax_concurrent: 3\n",
            ),
            ("actions/job.sh", "exec sleep 300\n"),
        ],
    );
    database.execute(
        "INSERT INTO execution (action, action_ref, runtime, params, pack_digest, turn)
         SELECT a.id, a.ref, a.runtime, '{}', p.digest, FALSE FROM generate_series(1, 60), action a JOIN pack p ON p.id = a.pack
         WHERE a.ref = 'slow.job'",
    );
    let running = "SELECT count(*) FROM execution WHERE action_ref = 'slow.job' AND status = 'running'";
    eventually("three run", || (database.number(running) == 3).then_some(()));
    let canary = home.json(&["canary"]);
    assert_eq!((&canary["arrived"], &canary["stuck"]), (&json!(true), &json!(null)), "{canary}");
    let waiting = "SELECT count(*) FROM execution WHERE action_ref = 'slow.job' AND status = 'requested'";
    assert_eq!((database.number(running), database.number(waiting)), (3, 57));
    up.kill();
}

/// A sensor that runs on and says nothing.
fn stream(home: &Home) {
    let files = [
        ("pack.yaml", "ref: mine\nname: Mine\nversion: 0.1.0\n"),
        ("triggers/seen.yaml", "ref: mine.seen\n"),
        (
            "sensors/beats.yaml",
            "ref: mine.beats\nruntime: core.shell\nentrypoint: sensors/beats.sh\ntriggers: [mine.seen]\nmode: stream\ncanary: 1h\n",
        ),
        ("sensors/beats.sh", "exec sleep 300\n"),
    ];
    load(home, "mine", &files);
}

fn load(home: &Home, name: &str, files: &[(&str, &str)]) {
    let pack = home.path().join(name);
    for (name, text) in files {
        let file = pack.join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    let loaded = home.attune(&["pack", "load", &pack.display().to_string()]);
    assert_eq!(loaded.code, 0, "{loaded}");
}

/// Ids and times differ from run to run.
fn without_numbers(line: &str) -> String {
    let line: String = line.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
    let words =
        line.split(' ').map(|word| if word.contains("99") && !word.contains(':') { "9" } else { word });
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}
