//! Polled: as plain programs, and in the place of a wrapper.

use serde_json::json;

use super::outcome::outcomes;
use super::running::{Running, Way};

/// Finds what the wrapper keeps from its authors, the real stdout, and has it written to by another program.
const USURPER: &str = "
import gc, os
from attune_wrapper.messages import Messages

def poll_sensor(config):
    wrapper = next(each for each in gc.get_objects() if isinstance(each, Messages))
    os.dup2(wrapper.out.fileno(), 1)
    os.execvp('sh', ['sh', '-c', CODE])
";

/// Runs them until each was polled.
async fn poll_all(way: &Way) -> String {
    let running = Running::start(way).await;
    running.admit("TRUE").await;
    let outcomes = outcomes(&running.fixture).await;
    running.end().await;
    outcomes
}

#[tokio::test(flavor = "multi_thread")]
async fn as_plain_programs() {
    let way = Way { runtime: "core.shell", code: |case| case.code.clone(), settings: "SELECT" };
    insta::assert_snapshot!(poll_all(&way).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_place_of_a_wrapper() {
    let way = Way {
        runtime: "core.python",
        code: |case| USURPER.replace("CODE", &json!(case.code).to_string()),
        settings: "UPDATE sensor SET isolation = 'process'",
    };
    insta::assert_snapshot!(poll_all(&way).await);
}
