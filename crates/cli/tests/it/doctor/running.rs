//! An Attune that runs, is stuck, or was killed.

use rustix::process::{Pid, Signal, kill_process};

use super::{findings, finds, section};
use crate::eventually::eventually;
use crate::home::{Home, assert_terminal};
use crate::pack;

const ALL_WELL: [&str; 6] = ["token", "schema", "clock", "running Attune", "workers", "sensors"];

#[test]
fn all_is_well_while_it_runs() {
    let (home, database) = Home::with_database();
    let root = pack::write(home.path(), "demo", &pack::DEMO);
    let _up = home.up(&["--packs", root.to_str().unwrap()]);
    finds(&home, "sensors", "ok", "1 enabled, all of them run");
    let all: String = ALL_WELL.map(|check| section(&home, check)).concat();
    assert_terminal!("doctor_well", all);
    let found = findings(&home, "runtimes");
    assert!(found.iter().any(|(_, found)| found.starts_with("Python ")), "{found:?}");
    // Other tests leave processes behind for a moment.
    eventually("nothing is broken", || (home.attune(&["doctor"]).code == 0).then_some(()));

    home.json(&["event", "send", "demo.note", "--payload", r#"{"text": "later"}"#]);
    database.execute("UPDATE event SET created = now() + interval '1 hour'");
    finds(&home, "clock", "warning", "s in the future");
}

#[test]
fn sensors_that_fail_and_sensors_that_nobody_can_run() {
    let (home, _database) = Home::with_database();
    let mut files = pack::demo_with("sensors/look.sh", "#!/bin/sh\necho 'the camera is off' >&2\nexit 3\n");
    files.push((
        "runtimes/none.yaml",
        "ref: demo.none\nname: None\ndistributions: {verification: {commands: [{binary: no-such-program}]}}\n\
         installation: {linux: apt-get install it}\n",
    ));
    files.push((
        "sensors/lost.yaml",
        "ref: demo.lost\nruntime: demo.none\nentrypoint: sensors/look.sh\ntriggers: [demo.seen]\n",
    ));
    let root = pack::write(home.path(), "demo", &files);
    let _up = home.up(&["--packs", root.to_str().unwrap()]);
    finds(&home, "sensors", "problem", "demo.look");
    finds(&home, "sensors", "problem", "demo.lost");
    finds(&home, "runtimes", "warning", "None (demo.none) is not there");
    assert_terminal!("doctor_sensors", section(&home, "sensors"));
    assert!(section(&home, "runtimes").contains("→ install it: apt-get install it"));
}

#[test]
fn a_worker_that_is_lost_and_one_that_has_this_machines_name() {
    let (home, database) = Home::with_database();
    let root = pack::write(home.path(), "demo", &pack::DEMO);
    let up = home.up(&["--packs", root.to_str().unwrap()]);
    database.execute(
        "UPDATE worker SET host = 'elsewhere', meta = jsonb_set(meta, '{boot_id}', '\"another\"') WHERE worker_role = 'sensor'",
    );
    finds(&home, "workers", "warning", "one lives under it on elsewhere");
    up.kill();
    database.execute("UPDATE worker SET lease_until = now() - interval '61 minutes 30 seconds'");
    assert_terminal!(
        "doctor_killed",
        [section(&home, "running Attune"), section(&home, "workers"), section(&home, "sensors")].concat()
    );
}

/// Goes on with the end of the test, or the service could not end.
struct Stuck(Pid);

impl Drop for Stuck {
    fn drop(&mut self) {
        kill_process(self.0, Signal::CONT).unwrap();
    }
}

#[test]
fn an_api_that_is_stuck() {
    let (home, _database) = Home::with_database();
    let up = home.up(&[]);
    kill_process(up.pid(), Signal::STOP).unwrap();
    let _stuck = Stuck(up.pid());
    assert_terminal!("doctor_stuck", section(&home, "running Attune"));
}
