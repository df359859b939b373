//! What this host offers for confining and ending programs, as every worker reports it.

use attune_process::{Level, Limits, Rung};
use serde_json::{Value, json};

/// `kill`: how the tree of an ordinary program is killed. `sandbox`: the levels that a program may demand. Each is tried
/// once in the life of a process.
pub(super) async fn capabilities() -> [(&'static str, Value); 2] {
    let rung = Rung::of(&Limits::default()).await;
    let levels: Vec<_> = Level::available().await.into_iter().map(Level::as_str).collect();
    [("kill", json!(rung.as_str())), ("sandbox", json!(levels))]
}
