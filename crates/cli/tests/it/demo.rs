//! The demo is the real system: its sensors watch this machine. What its JavaScript needs is installed from npm's registry,
//! the only install of the gate from there; for its Python a wheel is made here.

use attune_testkit::packages;
use serde_json::Value;

use crate::home::{Answer, Home};

const SENSORS: [&str; 3] = ["showcase.disks", "showcase.health", "showcase.machine"];
/// What the demo wants of this package.
const PSUTIL: &str = "
import os, types
def cpu_percent(interval):
    return 100.0 * os.getloadavg()[0] / os.cpu_count()
def virtual_memory():
    total, free = (int(line.split()[1]) for line in open('/proc/meminfo').readlines()[:2])
    return types.SimpleNamespace(percent=100.0 * (total - free) / total)
";

fn demo(home: &Home, arguments: &[&str], variables: &[(&str, &str)]) -> Answer {
    let mut command = home.command(&[&["demo", "--seconds", "3"], arguments].concat());
    let wheels = home.path().join("wheels");
    packages::wheel(&wheels, "psutil", "7.0.0", PSUTIL);
    command.envs(variables.iter().copied()).env("XDG_CACHE_HOME", home.path().join("caches"));
    command.envs(packages::only_wheels(&wheels));
    home.answer(command)
}

#[test]
fn every_sensor_becomes_an_action_in_numbers_and_at_the_terminal() {
    let home = Home::new();
    let told = demo(&home, &["-o", "json"], &[]);
    assert_eq!(told.code, 0, "{told}");
    let report: Value = serde_json::from_str(&told.stdout).unwrap();
    let mut events = 0;
    for sensor in SENSORS {
        let counts = &report["sensors"][sensor];
        assert!(counts["polls"].as_u64() >= Some(1) && counts["errors"] == 0, "{report}");
        events += counts["events"].as_u64().unwrap();
    }
    assert_eq!(report["enforcements"].as_u64(), Some(events), "{report}");
    assert_eq!(report["executions"]["succeeded"].as_u64(), Some(events), "{report}");

    // The environments are there already.
    let shown = demo(&home, &[], &[]);
    assert_eq!(shown.code, 0, "{shown}");
    assert!(!shown.stderr.contains("building"), "{shown}");
    for sensor in SENSORS {
        let arrow = format!("{sensor} -> event ");
        assert!(
            shown.stdout.lines().any(|line| line.contains(&arrow) && line.contains(" succeeded: ")),
            "{shown}"
        );
    }
    assert!(shown.stdout.contains("enforcements -> executions: "), "{shown}");
}

#[test]
fn a_sensor_that_nobody_can_run_fails_the_demo_with_its_name() {
    let home = Home::new();
    let told = demo(&home, &[], &[("ATTUNE_SENSOR_RUNTIMES", "shell")]);
    assert_eq!(told.code, 1, "{told}");
    assert!(
        told.stderr.contains("showcase.machine: no live sensor worker has the runtime core.python"),
        "{told}"
    );
    assert!(
        told.stderr
            .ends_with("error: no event of showcase.health, showcase.machine became a succeeded execution\n"),
        "{told}"
    );
}
