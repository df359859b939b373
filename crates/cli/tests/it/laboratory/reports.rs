//! What is told, and the exit code.

use super::{LINES, bore, home_of, shown_by, stream, tortured};
use crate::home::assert_terminal;

#[test]
fn without_a_source_nothing_is_judged() {
    let home = home_of("shell");
    std::fs::write(home.path().join("lines"), "one\n").unwrap();
    let config = serde_json::json!({"file": home.path().join("lines")}).to_string();
    let options = ["--config", &config, "--only", "slow-database,torn-line", "--seed", "1"];
    let (ordeal, code) = tortured(&home, &stream("honest"), &options);
    assert!(ordeal["earned"].is_null() && code == 0, "{ordeal:#}");
    assert_eq!(
        ordeal["not_judged"],
        "nobody knows what its source held; --source has it look at one that is known"
    );
    let mut tried = bore(&ordeal);
    tried.sort_unstable();
    let expected =
        [("none", "ran_on"), ("restart", "ran_on"), ("slow-database", "ran_on"), ("torn-line", "not_tried")];
    assert_eq!(tried, expected);
    let required = [&options[..], &["--require", "at-least-once"]].concat();
    assert_eq!(tortured(&home, &stream("honest"), &required).1, 1);
}

#[test]
fn what_is_required_decides_the_exit_code() {
    let home = home_of("shell");
    for (name, required, expected) in [
        ("honest", "exactly-once", 0),
        ("no_checkpoint", "at-least-once", 0),
        ("no_checkpoint", "exactly-once", 1),
        ("checkpoints_first", "at-least-once", 1),
    ] {
        let options = ["--require", required, "--only", "restart", "--seed", "1"];
        let (ordeal, code) = tortured(&home, &stream(name), &[&LINES[..], &options].concat());
        assert_eq!(code, expected, "{name}: {ordeal:#}");
    }
}

#[test]
fn a_sensor_that_breaks_at_an_item_is_not_blamed_for_the_rest() {
    let home = home_of("shell");
    let poison = r#"read -r start
file=$(expr "$start" : '.*"file":"\([^"]*\)"')
n=0
while sleep 0.05; do
  while [ $n -lt "$(wc -l <"$file")" ]; do
    n=$((n + 1))
    line=$(sed -n "${n}p" "$file" | tr -d '\000')
    case $line in *before*) exit 3 ;; esac
    printf '{"type":"event","payload":{"line":"%s"}}\n' "$line"
  done
done
"#;
    std::fs::write(home.path().join("demo/sensors/honest.sh"), poison).unwrap();
    let options = ["--only", "nul,kill", "--seed", "2"];
    let (ordeal, _) = tortured(&home, &stream("honest"), &[&LINES[..], &options].concat());
    assert_eq!(ordeal["earned"], "may lose", "{ordeal:#}");
    assert_eq!(shown_by(&ordeal), Some("nul"), "{ordeal:#}");
    let after = bore(&ordeal).iter().position(|tried| tried.0 == "nul").unwrap() + 1;
    let faults = ordeal["faults"].as_array().unwrap();
    assert!(after < faults.len());
    assert_eq!(ordeal["notes"][0], "after nul nothing came although it was started again");
    for tried in &faults[after..] {
        assert_eq!(tried["bore"], "not_tried", "{ordeal:#}");
        assert!(tried["what"].as_str().unwrap().contains("nothing comes any more"), "{ordeal:#}");
    }
}

#[test]
fn the_report_at_the_terminal() {
    let home = home_of("shell");
    let torture = |name: &str, more: &[&str]| {
        let sensor = stream(name).display().to_string();
        let command = ["sensor", "test", &sensor, "--torture"];
        home.attune(&[&command, more].concat()).to_string()
    };
    let doubled = torture("emits_first", &[&LINES[..], &["--only", "lost-ack", "--seed", "5"]].concat());
    // The first line and one other have what differs from run to run.
    let mut shown: Vec<_> = doubled
        .lines()
        .filter(|line| !line.contains("seconds") && !line.contains("item-"))
        .map(str::to_owned)
        .collect();
    // What follows is about a mistake in the call.
    shown.push(torture("honest", &["--source", "lines"]));
    shown.push(torture("honest", &["--source", "tables:x"]));
    shown.push(torture("honest", &["--only", "flood"]));
    shown.push(home.attune(&["sensor", "test", "demo/sensors/honest.yaml", "--seed", "1"]).to_string());
    let shown = shown.join("\n");
    assert_terminal!(shown);
}
