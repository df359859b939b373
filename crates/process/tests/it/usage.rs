//! What programs take, however it comes about.

use attune_process::{End, Finished, Said, running, talk};

use crate::guest::{LONG, Mark, run_captured, until};

/// Counts for a while.
const BURN: &str = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";

async fn finished(script: &str) -> Finished {
    let mut program = Mark::new().shell(script);
    program.limits.drain = LONG;
    run_captured(program).await.0.unwrap()
}

#[tokio::test]
async fn it_counts_whoever_did_the_work() {
    let idle = finished("true").await.usage.cpu();
    let ways = [BURN.to_owned(), format!("({BURN}) & wait"), format!("( ({BURN}; echo last) & )")];
    for script in ways {
        let burnt = finished(&script).await.usage.cpu();
        assert!(burnt > idle * 5, "{script}: {burnt:?}, and nothing takes {idle:?}");
    }
}

#[tokio::test]
async fn memory_is_that_of_the_largest_and_output_that_of_both_streams() {
    let small = finished("true").await.usage;
    let hold = "x=$(head -c 40000000 /dev/zero | tr '\\0' x); echo ${#x}; printf 12345 >&2";
    let large = finished(hold).await.usage;
    assert!(large.max_rss_bytes > small.max_rss_bytes + 40_000_000, "{small:?} {large:?}");
    assert_eq!((small.output_bytes, large.output_bytes), (0, "40000000\n12345".len() as u64));
}

#[tokio::test]
async fn one_that_runs_shows_what_it_took_so_far() {
    let script = format!("read -r go; ({BURN}); {BURN}; echo burnt; read -r end");
    let talk = talk(Mark::new().shell(&script)).await.unwrap();
    let launcher = talk.launcher_pid();
    let (mut input, mut output) = talk.split();
    let before = running(launcher).unwrap();
    input.send(b"go\n").await.unwrap();
    while !matches!(output.next().await.unwrap(), Said::Stdout(b"burnt\n")) {}
    let meanwhile = running(launcher).unwrap();
    assert!(meanwhile.cpu > before.cpu && meanwhile.memory > 0, "{before:?} {meanwhile:?}");
    input.send(b"end\n").await.unwrap();
    let finished = output.end(End::Awaited(LONG)).await.unwrap();
    // The kernel's ticks are coarse.
    let all = finished.usage.cpu();
    assert!(all * 2 >= meanwhile.cpu && all <= meanwhile.cpu * 2, "{meanwhile:?} {finished:?}");
    until("it is gone", || running(launcher).is_none());
}
