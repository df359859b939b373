//! Streams: real programs that run on, against a real database.

mod canary;
mod changes;
mod checkpoints;
mod failures;
mod life;
mod losses;
mod real;

use std::path::Path;

/// What the streams here begin with: they read their first line, and can say an event, a checkpoint and a heartbeat.
const PRELUDE: &str = r#"
event() { printf '{"type":"event","payload":{"n":%s}}\n' "$1"; }
checkpoint() { printf '{"type":"checkpoint","id":%s,"state":{"n":%s}}\n' "$1" "$1"; }
hello() { echo '{"type":"hello","protocol":1,"checkpoints":true}'; }
beat() { echo '{"type":"heartbeat"}'; }
read -r start
n=$(printf '%s' "$start" | sed -n 's/.*"state":{"n":\([0-9]*\)}.*/\1/p')
n=${n:-0}
"#;

fn stream(script: &str) -> String {
    format!("{PRELUDE}{script}")
}

/// The lines of a file, of which the last may be half written.
fn lines(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(str::to_owned).collect()
}
