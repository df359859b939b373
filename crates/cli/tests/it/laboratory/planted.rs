//! Four streams in each of three languages: an honest one and three planted ones.

use std::thread;

use attune_testkit::trial;
use serde_json::Value;

use super::{LINES, bore, home_of, shown_by, stream, tortured};

/// What each is worth, and what shows that it is worth no more.
const WORTH: [(&str, &str, Option<&str>); 4] = [
    ("honest", "exactly once", None),
    ("emits_first", "at least once", Some("lost-ack")),
    ("checkpoints_first", "may lose", Some("restart")),
    ("no_checkpoint", "at least once", Some("restart")),
];

/// The faults that end the program.
const DEATHS: &str = "kill,lost-commit,lost-ack";

/// Runs each with the options for what shows its worth. Two at a time: each has the machine busy.
fn each_earns_what_it_is_worth(language: &str, options: impl Fn(Option<&'static str>) -> Vec<&'static str>) {
    let home = &home_of(language);
    for pair in WORTH.chunks(2) {
        thread::scope(|scope| {
            for &(name, worth, fault) in pair {
                let run = options(fault);
                scope.spawn(move || {
                    let (ordeal, code) = tortured(home, &stream(name), &[&LINES, &run[..]].concat());
                    let earned = (ordeal["earned"].as_str(), shown_by(&ordeal), code);
                    assert_eq!(earned, (Some(worth), fault, 0), "{language} {name} {run:?}: {ordeal:#}");
                    nothing_is_untried(&ordeal);
                });
            }
        });
    }
}

fn nothing_is_untried(ordeal: &Value) {
    let untried: Vec<_> = bore(ordeal).into_iter().filter(|(_, bore)| *bore == "not_tried").collect();
    assert_eq!(untried, [], "{ordeal:#}");
}

/// The gate tries what shows the worth of each, and what ends the honest one. A trial tries all faults, and then those
/// that end the program with two more seeds.
fn streams_in(language: &str) {
    if !trial::is_whole() {
        return each_earns_what_it_is_worth(language, |fault| {
            vec!["--seed", "1", "--only", fault.unwrap_or(DEATHS)]
        });
    }
    each_earns_what_it_is_worth(language, |_| vec!["--seed", "1"]);
    for seed in ["2", "3"] {
        each_earns_what_it_is_worth(language, |_| vec!["--seed", seed, "--only", DEATHS]);
    }
}

#[test]
fn streams_in_python() {
    streams_in("python");
}

#[test]
fn streams_in_javascript() {
    streams_in("nodejs");
}

#[test]
fn streams_in_shell() {
    streams_in("shell");
}

/// Those in Python are tried on the streams that are ready for use.
#[test]
fn an_honest_stream_in_javascript_bears_every_fault() {
    let home = home_of("nodejs");
    let (ordeal, code) = tortured(&home, &stream("honest"), &[&LINES[..], &["--seed", "1"]].concat());
    assert_eq!((ordeal["earned"].as_str(), code), (Some("exactly once"), 0), "{ordeal:#}");
    nothing_is_untried(&ordeal);
}

#[test]
fn a_seed_repeats_the_fault_that_shows_it() {
    let home = home_of("python");
    let run = |options: &[&str]| tortured(&home, &stream("emits_first"), &[&LINES, options].concat()).0;
    // How many items it doubles depends on how many went into one commit.
    let proof = |ordeal: &Value| {
        let tried = &ordeal["shown_by"];
        (tried["fault"].clone(), tried["what"].clone())
    };
    let first = run(&["--seed", "11", "--only", "lost-commit,lost-ack,kill"]);
    let fault = shown_by(&first).unwrap();
    let order = bore(&first);
    let again = run(&["--seed", "11", "--only", "lost-commit,lost-ack,kill"]);
    assert_eq!((proof(&again), bore(&again)), (proof(&first), order));
    let alone = run(&["--seed", "11", "--only", fault]);
    assert_eq!(proof(&alone), proof(&first));
}
