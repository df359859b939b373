//! Four streams in each of three languages: an honest one and three planted ones.

use std::thread;

use super::{LINES, bore, home_of, shown_by, stream, tortured};

/// What each is worth, and what shows that it is worth no more.
const WORTH: [(&str, &str, Option<&str>); 4] = [
    ("honest", "exactly once", None),
    ("emits_first", "at least once", Some("lost-ack")),
    ("checkpoints_first", "may lose", Some("restart")),
    ("no_checkpoint", "at least once", Some("restart")),
];

/// All faults with one seed, and those that end the program with two more.
const RUNS: [&[&str]; 3] = [
    &["--seed", "1"],
    &["--seed", "2", "--only", "kill,lost-commit,lost-ack"],
    &["--seed", "3", "--only", "kill,lost-commit,lost-ack"],
];

fn each_earns_what_it_is_worth(language: &str) {
    let home = home_of(language);
    for run in RUNS {
        thread::scope(|scope| {
            for (name, worth, fault) in WORTH {
                let home = &home;
                scope.spawn(move || {
                    let (ordeal, code) = tortured(home, &stream(name), &[&LINES, run].concat());
                    let earned = (ordeal["earned"].as_str(), shown_by(&ordeal), code);
                    assert_eq!(earned, (Some(worth), fault, 0), "{language} {name} {run:?}: {ordeal:#}");
                    let untried: Vec<_> =
                        bore(&ordeal).into_iter().filter(|(_, bore)| *bore == "not_tried").collect();
                    assert_eq!(untried, [], "{ordeal:#}");
                });
            }
        });
    }
}

#[test]
fn streams_in_python() {
    each_earns_what_it_is_worth("python");
}

#[test]
fn streams_in_javascript() {
    each_earns_what_it_is_worth("nodejs");
}

#[test]
fn streams_in_shell() {
    each_earns_what_it_is_worth("shell");
}

#[test]
fn a_seed_repeats_the_fault_that_shows_it() {
    let home = home_of("python");
    let run = |options: &[&str]| tortured(&home, &stream("emits_first"), &[&LINES, options].concat()).0;
    let proof = |ordeal: &serde_json::Value| {
        let tried = &ordeal["shown_by"];
        (tried["fault"].clone(), tried["what"].clone(), tried["doubled"].as_array().unwrap().len())
    };
    let first = run(&["--seed", "11", "--only", "lost-commit,lost-ack,kill"]);
    let fault = shown_by(&first).unwrap();
    let order = bore(&first);
    let again = run(&["--seed", "11", "--only", "lost-commit,lost-ack,kill"]);
    assert_eq!((proof(&again), bore(&again)), (proof(&first), order));
    let alone = run(&["--seed", "11", "--only", fault]);
    assert_eq!(proof(&alone), proof(&first));
}
