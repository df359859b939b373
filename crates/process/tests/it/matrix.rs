//! Every way to escape, on every rung that this host has: nobody is left, whether the program ends by itself, is
//! ended, or its launcher is killed.

use std::time::Duration;

use attune_process::{End, LaunchError, Level, Limits, Program, Rung, Said, TalkOut, talk};
use rustix::process::{Pid, Signal, kill_process};

use crate::guest::{DOUBLE_FORK, Mark, run_captured, until, zombies};

/// Each leaves processes behind and says so. None of them would end by itself, and none listens to SIGTERM.
fn escapes() -> Vec<(&'static str, String)> {
    let shell = |script: &str| format!("trap '' TERM; {script}");
    vec![
        ("child", shell("sleep 1000 & echo up")),
        ("grandchild", shell("sh -c 'sleep 1000 & wait' & echo up")),
        ("background child of a finished parent", shell("sh -c 'sleep 1000 & exit 0'; echo up")),
        ("setsid", shell("setsid sleep 1000 & echo up")),
        ("double fork", shell(&format!("python3 -c '{DOUBLE_FORK}'; echo up"))),
        ("storm of 40", shell("i=0; while [ $i -lt 40 ]; do i=$((i+1)); setsid sleep 1000 & done; echo up")),
    ]
}

/// The rungs of this host, each with limits that stand on it.
async fn rungs() -> Vec<(Rung, Limits)> {
    let quick = Limits { grace: Duration::from_millis(50), drain: Duration::ZERO, ..Limits::default() };
    let alone = Limits { grouped: false, ..quick.clone() };
    let mut rungs = vec![(Rung::Subreaper, alone.clone())];
    if Rung::of(&quick).await == Rung::Cgroup {
        rungs.push((Rung::Cgroup, quick));
    }
    if Level::available().await.contains(&Level::Namespace) {
        rungs.push((Rung::PidNamespace, Limits { sandbox: Level::Namespace, ..alone }));
    }
    for (rung, limits) in &rungs {
        assert_eq!(Rung::of(limits).await, *rung);
    }
    rungs
}

fn escape(mark: &Mark, script: &str, limits: &Limits) -> Program {
    Program { limits: limits.clone(), ..mark.shell(script) }
}

async fn hear_it_is_up(output: &mut TalkOut) {
    while !matches!(output.next().await.unwrap(), Said::Stdout(_)) {}
}

#[tokio::test]
async fn nobody_survives_the_end_of_the_program() {
    for (rung, limits) in rungs().await {
        for (name, script) in escapes() {
            let mark = Mark::new();
            let (finished, _, stderr) = run_captured(escape(&mark, &script, &limits)).await;
            let finished = finished.unwrap();
            assert!(finished.outcome.is_success(), "{name}: {finished:?} {stderr}");
            assert_eq!((finished.survivors, mark.bearers()), (0, vec![]), "{name}, {rung:?}");
        }
    }
    until("no zombie", || zombies().is_empty());
}

#[tokio::test]
async fn nobody_survives_being_ended() {
    for (rung, limits) in rungs().await {
        for (name, script) in escapes() {
            for how in [End::Polite, End::Now] {
                let mark = Mark::new();
                let program = escape(&mark, &format!("{script}; sleep 1001"), &limits);
                let (_input, mut output) = talk(program).await.unwrap().split();
                hear_it_is_up(&mut output).await;
                let finished = output.end(how).await.unwrap();
                assert_eq!((finished.survivors, mark.bearers()), (0, vec![]), "{name}, {rung:?}, {how:?}");
            }
        }
    }
    until("no zombie", || zombies().is_empty());
}

#[tokio::test]
async fn nobody_survives_the_launcher_on_the_rungs_of_the_kernel() {
    for (rung, limits) in rungs().await {
        for (name, script) in escapes().into_iter().filter(|_| rung != Rung::Subreaper) {
            let mark = Mark::new();
            let program = escape(&mark, &format!("{script}; sleep 1001"), &limits);
            let talk = talk(program).await.unwrap();
            let launcher = Pid::from_raw(talk.launcher_pid().cast_signed()).unwrap();
            let (_input, mut output) = talk.split();
            hear_it_is_up(&mut output).await;
            kill_process(launcher, Signal::KILL).unwrap();
            let ended = output.end(End::Awaited(Duration::MAX)).await;
            assert!(matches!(ended, Err(LaunchError::LauncherLost { all_killed: true, .. })), "{ended:?}");
            mark.await_bearers(0);
            until(name, || zombies().is_empty());
        }
    }
}

#[tokio::test]
async fn a_group_is_used_again_and_again() {
    let limits = Limits::default();
    for turn in 0..200 {
        let mark = Mark::new();
        // Every other one is killed, and then its group is not.
        let script = if turn % 2 == 0 { "exit 0" } else { "sleep 1000 >/dev/null 2>&1 & exit 0" };
        let (finished, ..) = run_captured(escape(&mark, script, &limits)).await;
        assert!(finished.unwrap().outcome.is_success());
        assert_eq!(mark.bearers(), []);
    }
}
