//! Several processes that want the same environment, and one that dies. The others are this test's program again, as
//! [`guest`].

use std::env;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use attune_core::runtime::execution::Role;
use serde_json::{Value, json};

use super::machine::{Machine, code, core_execution, eventually, launcher};

/// Tells the guest what to do.
const GUEST: &str = "ATTUNE_TEST_GUEST";

/// Does nothing in this process; in the one that a test starts, it waits for an environment and reports.
#[tokio::test]
async fn guest() {
    let Ok(orders) = env::var(GUEST) else { return };
    let orders: Value = serde_json::from_str(&orders).unwrap();
    let machine = Path::new(orders["machine"].as_str().unwrap());
    let mut report =
        OpenOptions::new().create(true).append(true).open(orders["report"].as_str().unwrap()).unwrap();
    let (launcher, _) = launcher(machine);
    let code = code(machine, &orders["execution"]);
    let waited = launcher.wait(&code, Role::Action, |step| writeln!(report, "{step}").unwrap()).await;
    let end = waited.map_or_else(|error| error.to_string(), |_| "ready".to_owned());
    writeln!(report, "{end}").unwrap();
}

fn spawn_guest(machine: &Machine, execution: &Value, report: &str, variables: &[(&str, &str)]) -> Child {
    let orders =
        json!({"machine": machine.directory.path(), "execution": execution, "report": machine.path(report)});
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "environments::processes::guest"])
        .env(GUEST, orders.to_string())
        .env_remove("PIP_FIND_LINKS")
        .envs(variables.iter().copied())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

fn report(machine: &Machine, name: &str) -> String {
    fs::read_to_string(machine.path(name)).unwrap_or_default()
}

/// A build that counts itself, and does not end while the file `hang` is there.
fn slow(machine: &Machine) -> Value {
    machine.write("needs", "one\n");
    fs::write(machine.path("hang"), "").unwrap();
    let (builds, hang) = (machine.path("builds"), machine.path("hang"));
    let script = format!(
        "echo build >>{}; echo half >half; while [ -e {} ]; do sleep 0.05; done; echo whole >whole",
        builds.display(),
        hang.display()
    );
    json!({"binary": "sh", "environment": {"manifest": "needs", "variables": {"HERE": "{environment}"},
        "build": [{"commands": [["sh", "-c", script]]}]}})
}

#[tokio::test]
async fn two_processes_build_once() {
    let machine = Machine::new();
    let execution = slow(&machine);
    let mut guests = ["a", "b"].map(|name| spawn_guest(&machine, &execution, name, &[]));
    let both = || ["a", "b"].map(|name| report(&machine, name)).join("");
    eventually("one builds and one waits", || {
        both().contains("building with sh") && both().contains("waiting for another")
    })
    .await;
    fs::remove_file(machine.path("hang")).unwrap();
    for guest in &mut guests {
        assert!(guest.wait().unwrap().success());
    }
    let both = both();
    assert!(both.matches("ready\n").count() == 2 && both.contains("built by another process\n"), "{both}");
    assert_eq!(report(&machine, "builds"), "build\n");
}

#[tokio::test]
async fn what_a_killed_process_left_is_not_used() {
    let machine = Machine::new();
    let execution = slow(&machine);
    let mut guest = spawn_guest(&machine, &execution, "a", &[]);
    eventually("the build is under way", || report(&machine, "builds") == "build\n").await;
    guest.kill().unwrap();
    guest.wait().unwrap();
    fs::remove_file(machine.path("hang")).unwrap();
    let left = machine.attempts();
    assert!(!left.is_empty());

    let code = machine.code(&execution);
    machine.write("show", "cat \"$HERE\"/half \"$HERE\"/whole; echo \"$HERE\"\n");
    let shown = machine.run(&code, "show").await;
    let (content, environment) = shown.rsplit_once('\n').unwrap();
    assert_eq!((content, report(&machine, "builds").as_str()), ("half\nwhole", "build\nbuild\n"));
    assert!(!left.contains(&environment.into()));
}

#[tokio::test]
async fn an_index_that_is_away_is_said() {
    let machine = Machine::new();
    machine.write("requirements.txt", "psutil==6.1.1\n");
    let mut execution = core_execution("core.python");
    execution["binary"] = json!("python3");
    let way = execution["environment"]["build"][1].take();
    execution["environment"]["build"] = json!([way]);
    let variables = [("PIP_INDEX_URL", "http://127.0.0.1:9/simple"), ("PIP_RETRIES", "0")];
    assert!(spawn_guest(&machine, &execution, "a", &variables).wait().unwrap().success());
    let report = report(&machine, "a");
    assert!(report.contains("-m pip install ...` exited with code 1:\n"), "{report}");
    assert!(report.contains("No matching distribution found for psutil==6.1.1"), "{report}");
    assert!(report.contains("The next try is in ") && machine.attempts().is_empty(), "{report}");
}
