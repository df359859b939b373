//! Programs that are spoken with while they live.

use std::time::Duration;

use attune_process::{
    End, Finished, LaunchError, Outcome, Program, Said, Stream, Talk, TalkOut, memory, talk,
};

use crate::guest::{LONG, Mark, until};

/// A conversation without a time limit.
async fn talk_with(mut program: Program) -> Talk {
    program.limits.time = Duration::MAX;
    talk(program).await.unwrap()
}

/// Listens until standard output ends with this.
async fn hear(output: &mut TalkOut, end: &str) -> String {
    let mut heard = Vec::new();
    while !heard.ends_with(end.as_bytes()) {
        match output.next().await {
            Some(Said::Stdout(chunk)) => heard.extend_from_slice(chunk),
            Some(Said::Stderr(_) | Said::Closed(Stream::Stderr)) => {}
            other => panic!("it says {other:?} after {:?}", String::from_utf8_lossy(&heard)),
        }
    }
    String::from_utf8(heard).unwrap()
}

async fn ended_by_itself(output: TalkOut) -> Result<Finished, LaunchError> {
    output.end(End::Awaited(LONG)).await
}

#[tokio::test]
async fn it_answers_again_and_again_until_its_input_ends() {
    let mut program = Mark::new().shell("while read -r line; do echo \"[$line]\"; done; echo bye; exit 3");
    program.stdin = b"hello\n".into();
    let (mut input, mut output) = talk_with(program).await.split();
    assert_eq!(hear(&mut output, "]\n").await, "[hello]\n");
    for line in 0..3 {
        input.send(format!("{line}\n").as_bytes()).await.unwrap();
        assert_eq!(hear(&mut output, "]\n").await, format!("[{line}]\n"));
    }
    input.close();
    assert_eq!(hear(&mut output, "bye\n").await, "bye\n");
    assert_eq!(ended_by_itself(output).await.unwrap().outcome, Outcome::Exited(3));
}

#[tokio::test]
async fn both_ways_at_once_block_nobody() {
    let (mut input, mut output) = talk_with(Mark::new().program(&["/bin/cat"])).await.split();
    let sent = vec![b'x'; 3_000_000];
    let (length, expected) = (sent.len(), sent.len() + 1);
    let sending = tokio::spawn(async move {
        input.send(&sent).await.unwrap();
        input.send(b"\n").await.unwrap();
        input
    });
    assert_eq!(hear(&mut output, "\n").await.len(), expected, "of {length} bytes and a line's end");
    sending.await.unwrap().close();
    assert!(ended_by_itself(output).await.unwrap().outcome.is_success());
}

#[tokio::test]
async fn a_greeting_larger_than_a_pipe_is_read_whole_and_first() {
    let mut program = Mark::new().program(&["/usr/bin/wc", "-c"]);
    program.stdin = vec![b'x'; 1_000_000];
    let (mut input, mut output) = talk_with(program).await.split();
    input.send(b"yz").await.unwrap();
    input.close();
    assert_eq!(hear(&mut output, "\n").await.trim(), "1000002");
    let mut program = Mark::new().program(&["/usr/bin/wc", "-c"]);
    program.stdin = vec![b'x'; 1_000_000];
    let (input, mut output) = talk_with(program).await.split();
    input.close();
    assert_eq!(hear(&mut output, "\n").await.trim(), "1000000");
}

#[tokio::test]
async fn who_does_not_read_stops_the_program() {
    let mark = Mark::new();
    let script = "i=0; while :; do i=$((i+1)); echo $i >&2; head -c 65536 /dev/zero; done";
    let mut program = mark.shell(script);
    program.limits.stdout = attune_process::StreamLimit::truncate(0);
    let (_input, mut output) = talk_with(program).await.split();
    assert!(matches!(output.next().await, Some(Said::Stderr(_) | Said::Stdout(_))));
    // It is asleep in a write when the pipe's worth is written and nothing more comes.
    until("a writer that waits", || mark.bearers().iter().any(|pid| is_blocked_on_a_pipe(*pid)));
    let said = String::from_utf8(output.drain_stderr().to_vec()).unwrap();
    assert!(said.lines().count() < 10, "{said}");
    output.end(End::Now).await.unwrap();
}

fn is_blocked_on_a_pipe(pid: u32) -> bool {
    let read = |file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
    read("comm").trim() == "head" && read("wchan").contains("pipe")
}

#[tokio::test]
async fn waiting_can_be_given_up_without_losing_a_word() {
    let script = "i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo $i; done; read -r line; exit 0";
    let (mut input, mut output) = talk_with(Mark::new().shell(script)).await.split();
    let mut heard = Vec::new();
    while !heard.ends_with(b"\n300\n") {
        tokio::select! {
            biased;
            said = output.next() => if let Some(Said::Stdout(chunk)) = said { heard.extend_from_slice(chunk) },
            () = tokio::task::yield_now() => {}
        }
    }
    let lines = String::from_utf8(heard).unwrap();
    assert!(lines.lines().map(|line| line.parse::<u32>().unwrap()).eq(1..=300), "{lines}");
    input.send(b"\n").await.unwrap();
    assert!(ended_by_itself(output).await.unwrap().outcome.is_success());
}

#[tokio::test]
async fn what_it_logged_before_its_answer_is_there_with_the_answer() {
    let script = "while read -r line; do echo \"log $line\" >&2; echo \"done $line\"; done";
    let (mut input, mut output) = talk_with(Mark::new().shell(script)).await.split();
    for turn in 0..50 {
        input.send(format!("{turn}\n").as_bytes()).await.unwrap();
        let (mut log, mut answer) = (Vec::new(), Vec::new());
        while !answer.ends_with(b"\n") {
            match output.next().await.unwrap() {
                Said::Stdout(chunk) => answer.extend_from_slice(chunk),
                Said::Stderr(chunk) => log.extend_from_slice(chunk),
                closed @ Said::Closed(_) => panic!("{closed:?}"),
            }
        }
        log.extend_from_slice(output.drain_stderr());
        assert_eq!(String::from_utf8(log).unwrap(), format!("log {turn}\n"));
    }
    assert_eq!(output.end(End::Polite).await.unwrap().outcome, Outcome::Stopped);
}

#[tokio::test]
async fn a_program_that_is_gone_is_an_error_for_who_sends() {
    let (mut input, mut output) = talk_with(Mark::new().shell("exit 7")).await.split();
    while output.next().await.is_some() {}
    // The system closes the streams of a process in no order, so the first may still go into the pipe.
    let error = loop {
        if let Err(error) = input.send(b"anybody there?\n").await {
            break error;
        }
    };
    assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    assert_eq!(ended_by_itself(output).await.unwrap().outcome, Outcome::Exited(7));
}

#[tokio::test]
async fn a_program_that_is_gone_is_an_error_also_for_who_waits_to_send() {
    let (mut input, output) = talk_with(Mark::new().shell("echo up; sleep 1000")).await.split();
    let sending = tokio::spawn(async move { input.send(&vec![b'x'; 1_000_000]).await });
    assert_eq!(output.end(End::Now).await.unwrap().outcome, Outcome::Stopped);
    assert_eq!(sending.await.unwrap().unwrap_err().kind(), std::io::ErrorKind::BrokenPipe);
}

#[tokio::test]
async fn a_program_that_could_not_start_is_a_named_error_at_the_end() {
    let (_input, mut output) = talk_with(Mark::new().program(&["/does/not/exist"])).await.split();
    while output.next().await.is_some() {}
    assert!(matches!(ended_by_itself(output).await, Err(LaunchError::NotFound { .. })));
}

#[tokio::test]
async fn an_end_leaves_nothing_of_the_tree() {
    for how in [End::Polite, End::Now, End::Awaited(Duration::from_millis(20))] {
        let mark = Mark::new();
        let script = "setsid sleep 1000 & (sleep 1001 &) ; sleep 1002 & echo up; wait";
        let (_input, mut output) = talk_with(mark.shell(script)).await.split();
        assert_eq!(hear(&mut output, "up\n").await, "up\n");
        let outcome = output.end(how).await.unwrap().outcome;
        let expected = if matches!(how, End::Awaited(_)) { Outcome::TimedOut } else { Outcome::Stopped };
        assert_eq!((outcome, mark.bearers()), (expected, vec![]), "{how:?}");
    }
}

#[tokio::test]
async fn a_grandchild_that_holds_the_streams_delays_the_end_by_the_drain_only() {
    let mark = Mark::new();
    let mut program = mark.shell("sleep 1000 & echo up; exit 4");
    program.limits.drain = Duration::from_millis(200);
    let (_input, mut output) = talk_with(program).await.split();
    assert_eq!(hear(&mut output, "up\n").await, "up\n");
    while output.next().await.is_some() {}
    let finished = ended_by_itself(output).await.unwrap();
    assert_eq!(finished.outcome, Outcome::Exited(4));
    assert!(finished.wall >= Duration::from_millis(200) && finished.wall < LONG, "{finished:?}");
    assert_eq!(mark.bearers(), []);
}

#[tokio::test]
async fn a_program_that_says_nothing_more_and_lives_on_can_be_ended() {
    let mark = Mark::new();
    let (_input, mut output) =
        talk_with(mark.shell("exec >&-; echo closed >&2; exec 2>&-; exec sleep 1000")).await.split();
    let mut closed = Vec::new();
    while let Some(said) = output.next().await {
        if let Said::Closed(stream) = said {
            closed.push(stream);
        }
    }
    closed.sort_by_key(|stream| *stream == Stream::Stderr);
    assert_eq!(closed, [Stream::Stdout, Stream::Stderr]);
    assert_eq!(mark.bearers().len(), 2, "the program and its launcher");
    assert_eq!(output.end(End::Polite).await.unwrap().outcome, Outcome::Stopped);
    assert_eq!(mark.bearers(), []);
}

#[tokio::test]
async fn time_runs_out_for_who_listens() {
    let mut program = Mark::new().shell("sleep 1000");
    program.limits.time = Duration::from_millis(50);
    let (_input, mut output) = talk(program).await.unwrap().split();
    while output.next().await.is_some() {}
    assert_eq!(ended_by_itself(output).await.unwrap().outcome, Outcome::TimedOut);
}

#[tokio::test]
async fn dropping_either_half_kills() {
    let script = "trap '' TERM; setsid sleep 1000 & sleep 1001";
    let mark = Mark::new();
    let (input, _output) = talk_with(mark.shell(script)).await.split();
    mark.await_bearers(4);
    drop(input);
    mark.await_bearers(0);
    let mark = Mark::new();
    let (_input, output) = talk_with(mark.shell(script)).await.split();
    mark.await_bearers(4);
    drop(output);
    mark.await_bearers(0);
}

#[tokio::test]
async fn what_a_terminal_sends_to_the_service_does_not_reach_the_launcher() {
    let talk = talk_with(Mark::new().shell("echo up; sleep 1000")).await;
    let launcher = talk.launcher_pid();
    let (_input, mut output) = talk.split();
    hear(&mut output, "up\n").await;
    let stat = std::fs::read_to_string(format!("/proc/{launcher}/stat")).unwrap();
    let group = stat.rsplit_once(") ").unwrap().1.split(' ').nth(2).unwrap();
    assert_eq!(group, launcher.to_string(), "it leads a process group of its own");
    output.end(End::Now).await.unwrap();
}

#[tokio::test]
async fn memory_is_that_of_the_whole_tree() {
    let mark = Mark::new();
    let hog = "import time; held = bytearray(30_000_000); print('up', flush=True); time.sleep(1000)";
    let talk = talk_with(mark.shell(&format!("python3 -c \"{hog}\" & wait"))).await;
    let launcher = talk.launcher_pid();
    let (_input, mut output) = talk.split();
    hear(&mut output, "up\n").await;
    let bytes = memory(launcher).unwrap();
    assert!((30_000_000..200_000_000).contains(&bytes), "{bytes}");
    output.end(End::Now).await.unwrap();
    assert_eq!(memory(launcher), None);
}
