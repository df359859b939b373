//! A sensor that is paused, resumed and told to tick now, at the terminal.

use serde_json::json;

use crate::home::{Home, assert_terminal};
use crate::pack;

const BROKEN: [(&str, &str); 2] = [
    (
        "sensors/broken.yaml",
        "ref: demo.broken\nruntime: core.shell\nentrypoint: sensors/broken.sh\ntriggers: [demo.seen]\npoll_interval: 3600\n",
    ),
    ("sensors/broken.sh", "echo 'the pump is gone' >&2; exit 3\n"),
];

#[test]
fn sensors_are_paused_resumed_and_polled_now() {
    let (home, database) = Home::with_database();
    pack::write(home.path(), "demo", &pack::DEMO);
    pack::write(home.path(), "demo", &BROKEN);
    let up = home.up(&["--packs", "demo"]);
    database.eventually("SELECT 1 FROM sensor_state WHERE events = 1");
    database.eventually("SELECT 1 FROM sensor_state WHERE status = 'failing'");
    let polled = home.terminal(&[
        &["sensor", "poke", "demo.look"],
        &["sensor", "poke", "demo.broken"],
        &["sensor", "poke", "demo.look", "--no-wait"],
        &["sensor", "poke", "demo.lok"],
    ]);
    let paused = home.terminal(&[
        &["sensor", "pause", "demo.look", "--reason", "the shop moves house"],
        &["sensor", "pause", "demo.look", "demo.broken"],
        &["sensor", "poke", "demo.look"],
        &["sensor", "pause", "demo.look", "--reason", " "],
        &["sensor", "pause", "demo.lok"],
    ]);
    let row = home.json(&["sensor", "list", "--where", "status=paused", "--where", "ref=demo.look"]);
    assert_eq!((&row[0]["paused"], &row[0]["reason"]), (&json!(true), &json!("the shop moves house")));
    database.eventually("SELECT 1 FROM sensor_state WHERE paused AND worker IS NULL HAVING count(*) = 2");
    let polls =
        database.number("SELECT polls FROM sensor_state JOIN sensor ON id = sensor WHERE ref = 'demo.look'");
    let resumed = home.terminal(&[
        &["sensor", "resume", "demo.look"],
        &["sensor", "resume", "demo.look", "demo.lok"],
        &["sensor", "disable", "demo.look"],
        &["sensor", "poke", "demo.look"],
        &["sensor", "enable", "demo.look"],
    ]);
    database.eventually(&format!(
        "SELECT 1 FROM sensor_state JOIN sensor ON id = sensor WHERE ref = 'demo.look' AND polls > {polls}"
    ));
    assert_terminal!("sensor_orders", [polled, paused, resumed].concat());
    drop(up);
    let dead = home.attune(&["sensor", "poke", "demo.look"]);
    assert_eq!(dead.code, 5, "{dead}");
}
