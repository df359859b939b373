//! Streams that live on and say nothing.

use super::Watched;

const START: &str = r#"read -r start
echo '{"type":"event","payload":{}}'
while [ ! -e $DEAD ]; do echo '{"type":"heartbeat"}'; sleep 0.1; done
"#;

async fn stream(dies: &str) -> Watched {
    let watched = Watched::with_sensor("core.shell", &format!("{START}{dies}\n")).await;
    watched.execute("UPDATE sensor SET mode = 'stream'").await;
    watched
}

#[tokio::test]
async fn stdout_that_is_closed_while_the_process_lives() {
    let watched = stream("exec >&-; exec sleep 600 >/dev/null").await;
    let service = watched.start().await;
    let died = watched.die().await;
    watched
        .alarm("stdout closed, process living", died, "failing", "it closed its stdout and went on running%")
        .await;
    service.stop().await;
}

#[tokio::test]
async fn a_process_that_is_stopped() {
    let watched = stream("kill -STOP $$; exec sleep 600").await;
    let service = watched.start().await;
    let died = watched.die().await;
    watched
        .alarm(
            "stopped process",
            died,
            "failing",
            "it was silent for 1 s, longer than its time limit allows%",
        )
        .await;
    service.stop().await;
}
