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

/// Two at a time: each has the machine busy.
fn each_earns_what_it_is_worth(language: &str, run: &[&str]) {
    let home = &home_of(language);
    for pair in WORTH.chunks(2) {
        thread::scope(|scope| {
            for &(name, worth, fault) in pair {
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

fn all_faults(language: &str) {
    each_earns_what_it_is_worth(language, &["--seed", "1"]);
}

/// Those that end the program, with two more seeds.
fn deaths(language: &str) {
    for seed in ["2", "3"] {
        each_earns_what_it_is_worth(language, &["--seed", seed, "--only", "kill,lost-commit,lost-ack"]);
    }
}

#[test]
fn streams_in_python() {
    all_faults("python");
}

#[test]
fn streams_in_javascript() {
    all_faults("nodejs");
}

#[test]
fn streams_in_shell() {
    all_faults("shell");
}

#[test]
fn deaths_in_python() {
    deaths("python");
}

#[test]
fn deaths_in_javascript() {
    deaths("nodejs");
}

#[test]
fn deaths_in_shell() {
    deaths("shell");
}

#[test]
fn a_seed_repeats_the_fault_that_shows_it() {
    let home = home_of("python");
    let run = |options: &[&str]| tortured(&home, &stream("emits_first"), &[&LINES, options].concat()).0;
    // How many items it doubles depends on how many went into one commit.
    let proof = |ordeal: &serde_json::Value| {
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
