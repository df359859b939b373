//! Which files a host keeps loaded, and what is freed with those that it does not keep.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Host, done, event, message};
use crate::language::{ES_MODULE, Language, PYTHON, in_each_language};
use crate::talk::Files;

in_each_language!(
    a_file_that_changed_is_loaded_again_with_its_neighbours,
    only_so_many_files_are_kept,
    what_is_evicted_takes_its_helpers_with_it,
    what_is_evicted_frees_its_memory,
);

#[test]
fn an_es_module_that_changed_is_loaded_again_with_its_neighbours() {
    a_file_that_changed_is_loaded_again_with_its_neighbours(&ES_MODULE);
}

#[test]
fn only_so_many_es_modules_are_kept() {
    only_so_many_files_are_kept(&ES_MODULE);
}

fn payload(answer: &[Value]) -> Value {
    assert_eq!(answer.last(), Some(&done()), "{answer:?}");
    answer[0]["payload"].clone()
}

fn a_file_that_changed_is_loaded_again_with_its_neighbours(language: &Language) {
    let (files, mut host) = (Files::new(), Host::start(language, &[]));
    let source = match language.extension {
        "py" => "import common\ndef poll_sensor(config):\n    return {'n': common.N}\n",
        "js" => "const { N } = require('./common.cjs');\nconst poll_sensor = () => ({ n: N });\n",
        _ => "const { N } = require('./common.cjs');\nexport const poll_sensor = () => ({ n: N });\n",
    };
    let neighbour = language.pick("common.py", "common.cjs");
    let write = |n: usize, fails: &str| {
        // Each version has another size: two may be of one instant.
        let common = format!("{}{n}{}\n", language.pick("N = ", "exports.N = "), " ".repeat(n));
        files.write(neighbour, &common);
        let comment = format!("{} {}\n", language.pick("#", "//"), ".".repeat(n));
        files.write(&language.file("code"), &format!("{source}{fails}{comment}"))
    };
    for n in 1..4 {
        let path = write(n, "");
        for _ in 0..2 {
            assert_eq!(host.poll(&path), [event(&json!({"n": n})), done()]);
        }
    }
    // Also when it could not be loaded in between.
    let path = write(4, language.pick("1 // 0\n", "throw new Error('4');\n"));
    for _ in 0..2 {
        message(&host.poll(&path));
    }
    let path = write(5, "");
    assert_eq!(host.poll(&path), [event(&json!({"n": 5})), done()]);
}

fn only_so_many_files_are_kept(language: &Language) {
    let source = match language.extension {
        "py" => {
            "calls = 0\ndef poll_sensor(config):\n    global calls\n    calls += 1\n    return {'calls': calls}\n"
        }
        "js" => "let calls = 0;\nconst poll_sensor = () => ({ calls: (calls += 1) });\n",
        _ => "let calls = 0;\nexport const poll_sensor = () => ({ calls: (calls += 1) });\n",
    };
    let files = Files::new();
    let paths = ["a", "b", "c"].map(|name| files.write(&language.file(name), source));
    let mut host = Host::start(language, &["2"]);
    let mut calls = |file: usize| payload(&host.poll(&paths[file]))["calls"].clone();
    assert_eq!([calls(0), calls(1), calls(0)], [1, 1, 2]);
    assert_eq!([calls(2), calls(0), calls(1)], [1, 3, 1]);
}

/// A sensor that imports these, and tells what is loaded of the authors' files, and how often `common` was used.
fn importing(language: &Language, helpers: &[&str]) -> String {
    let import = |name: &&str| {
        language.pick(format!("import {name}\n"), format!("const {name} = require('./{name}.js');\n"))
    };
    let imports: String = helpers.iter().map(import).collect();
    imports
        + language.pick(
            "import sys, os\nHERE = os.path.dirname(__file__)\ndef poll_sensor(config):\n    \
             mine = [m for m in sys.modules.values() if str(getattr(m, '__file__', None)).startswith(HERE)]\n    \
             yield {'loaded': sorted(os.path.basename(m.__file__)[:-3] for m in mine), 'uses': common.use()}\n",
            "const { basename, dirname } = require('path');\nfunction poll_sensor(config) {\n  \
             const mine = Object.keys(require.cache).filter((path) => dirname(path) === __dirname);\n  \
             return { loaded: mine.map((path) => basename(path).slice(0, -3)).sort(), uses: common.use() };\n}\n",
        )
}

fn what_is_evicted_takes_its_helpers_with_it(language: &Language) {
    let files = Files::new();
    let write = |name: &str, python: &str, javascript: &str| {
        files.write(&language.file(name), language.pick(python, javascript));
    };
    let common = "uses = 0\ndef use():\n    global uses\n    uses += 1\n    return uses\n";
    write("common", common, "let uses = 0;\nexports.use = () => (uses += 1);\n");
    write("helper", "import below, shared\n", "require('./below.js');\nrequire('./shared.js');\n");
    write("below", "", "");
    write("other", "import shared\n", "require('./shared.js');\n");
    write("shared", "", "");
    let sensor =
        |name: &str, helpers: &[&str]| files.write(&language.file(name), &importing(language, helpers));
    let paths: Vec<PathBuf> =
        vec![sensor("a", &["common", "helper"]), sensor("b", &["common", "other"]), sensor("c", &["common"])];
    let mut host = Host::start(language, &["2"]);
    let mut poll = |file: usize| payload(&host.poll(&paths[file]));
    let all = ["a", "b", "below", "common", "helper", "other", "shared"];
    let first = ["a", "below", "common", "helper", "shared"];
    assert_eq!(poll(0), json!({"loaded": first, "uses": 1}));
    assert_eq!(poll(1), json!({"loaded": all, "uses": 2}));
    // The first is evicted, with what neither the second nor the third uses.
    assert_eq!(poll(2), json!({"loaded": ["b", "c", "common", "other", "shared"], "uses": 3}));
    // And now the second.
    assert_eq!(poll(0), json!({"loaded": ["a", "below", "c", "common", "helper", "shared"], "uses": 4}));
    assert_eq!(poll(2)["uses"], 5);
}

/// Each of thirty files keeps ten megabytes, and its helper ten more; room is for two of them.
fn what_is_evicted_frees_its_memory(language: &Language) {
    let (files, mut host) = (Files::new(), Host::start(language, &["2"]));
    let keeps = language.pick("KEPT = b'x' * 10_000_000\n", "exports.kept = Buffer.alloc(10_000_000, 1);\n");
    let mut pid = Value::Null;
    for n in 0..30 {
        files.write(&language.file(&format!("helper{n}")), keeps);
        let source = language.pick(
            format!("import os, helper{n}\n{keeps}def poll_sensor(config):\n    yield {{'pid': os.getpid()}}\n"),
            format!(
                "exports.helper = require('./helper{n}.js');\n{keeps}exports.poll_sensor = () => ({{ pid: process.pid }});\n"
            ),
        );
        pid = payload(&host.poll(&files.write(&language.file(&format!("code{n}")), &source)))["pid"].clone();
    }
    let resident = resident(&pid);
    assert!(resident < 300_000_000, "{resident} bytes of 600 MB that were loaded");
}

/// What a process takes of the memory now.
fn resident(pid: &Value) -> u64 {
    let status = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[test]
fn neighbours_of_one_name_are_told_apart() {
    let files = Files::new();
    let source = "import common\ncalls = 0\ndef poll_sensor(config):\n    global calls\n    calls += 1\n    \
                  import common as again\n    return {'who': common.WHO, 'again': again.WHO, 'calls': calls}\n";
    let (a, b) = (files.write("a/code.py", source), files.write("b/code.py", source));
    files.write("a/common.py", "WHO = 'a'\n");
    files.write("b/common.py", "WHO = 'b'\n");
    let mut host = Host::start(&PYTHON, &[]);
    for calls in 1..4 {
        for (path, who) in [(&a, "a"), (&b, "b")] {
            assert_eq!(host.poll(path), [event(&json!({"who": who, "again": who, "calls": calls})), done()]);
        }
    }
}

/// What a file does to `sys.path` is for its own directory, and a directory without `__init__.py` is a module as well.
#[test]
fn neighbours_in_other_places_are_told_apart() {
    let files = Files::new();
    let source = "import os, sys\nsys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'of_' + WHO))\n\
                  from lib import part\ndef poll_sensor(config):\n    import util\n    from lib import part as again\n    \
                  return {'util': util.WHO, 'part': part.WHO, 'again': again.WHO, 'places': len(sys.path)}\n";
    let paths = ["a", "b"].map(|who| {
        files.write(&format!("of_{who}/util.py"), &format!("WHO = '{who}'\n"));
        files.write(&format!("{who}/lib/part.py"), &format!("WHO = '{who}'\n"));
        let source = source.replace("WHO)", &format!("'{who}')"));
        [1, 2].map(|n| files.write(&format!("{who}/code{n}.py"), &source))
    });
    let mut host = Host::start(&PYTHON, &[]);
    let mut places = Vec::new();
    for _ in 0..2 {
        for (both, who) in paths.iter().zip(["a", "b"]) {
            for path in both {
                let mut seen = payload(&host.poll(path));
                places.push(seen.as_object_mut().unwrap().remove("places"));
                assert_eq!(seen, json!({"util": who, "part": who, "again": who}));
            }
        }
    }
    assert!(places.iter().all(|each| *each == places[0]), "{places:?}");
}
