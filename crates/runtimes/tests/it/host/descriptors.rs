//! What an author's code can reach of the conversation between its host and the service.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::{Host, done, event, with_host};
use crate::language::{Language, PYTHON, in_each_language};
use crate::program::{Script, packs, run};
use crate::talk::Files;

in_each_language!(
    what_is_printed_is_log_and_stdin_is_empty,
    the_conversation_has_numbers_of_its_own_that_nobody_inherits,
    a_number_that_was_closed_is_given_back,
    garbage_by_any_low_number_reaches_nobody,
);

const PRINTS_PYTHON: &str = r#"
import ctypes, os, subprocess, sys
print('module')
libc = ctypes.CDLL(None)
def poll_sensor(config):
    print('{"type":"event"}')
    sys.__stdout__.write('original\n')
    os.write(1, b'raw\n')
    libc.puts(b'of C')
    libc.fflush(None)
    with open('/dev/stdout', 'a') as file: file.write('by name\n')
    os.system('echo child; cat')
    subprocess.run('echo inheriting', shell=True, close_fds=False)
    yield {'stdin': sys.stdin.read()}
"#;
const PRINTS_JAVASCRIPT: &str = r#"
const fs = require('fs');
const { spawnSync } = require('child_process');
console.log('module');
function poll_sensor(config) {
  console.log('{"type":"event"}');
  process.stdout.write('original\n');
  fs.writeSync(1, 'raw\n');
  console.info('of C');
  fs.appendFileSync('/dev/stdout', 'by name\n');
  spawnSync('sh', ['-c', 'echo child; cat'], { stdio: 'inherit' });
  spawnSync('echo', ['inheriting'], { stdio: [0, 1, 2] });
  return { stdin: fs.readFileSync(0, 'utf8') };
}
"#;

fn what_is_printed_is_log_and_stdin_is_empty(language: &Language) {
    let files = Files::new();
    let source = language.pick(PRINTS_PYTHON, PRINTS_JAVASCRIPT);
    let path = files.write(&language.file("code"), source);
    let mut host = Host::start(language, &[]);
    for _ in 0..2 {
        assert_eq!(host.poll(&path), [event(&json!({"stdin": ""})), done()]);
    }
    let poll = "{\"type\":\"event\"}\noriginal\nraw\nof C\nby name\nchild\ninheriting\n";
    assert_eq!(host.talk.end(), format!("module\n{poll}{poll}"));
}

/// What the numbers of its process are, and of a child that inherits what it can.
const LISTS_PYTHON: &str = r"
import json, os, subprocess
def poll_sensor(config):
    child = subprocess.run('ls -l /proc/self/fd', shell=True, close_fds=False, stdout=subprocess.PIPE)
    yield {'pid': os.getpid(), 'child': child.stdout.decode()}
";
const LISTS_JAVASCRIPT: &str = r"
const poll_sensor = () => ({
  pid: process.pid,
  child: require('child_process').execSync('ls -l /proc/self/fd', { encoding: 'utf8' }),
});
";

fn the_conversation_has_numbers_of_its_own_that_nobody_inherits(language: &Language) {
    with_host(language, LISTS_PYTHON, LISTS_JAVASCRIPT, |host, path| {
        let (input, output) = host.talk.descriptors();
        let pipes = [input, output].map(|number| link(&format!("/proc/self/fd/{number}")));
        let seen = host.poll(path)[0]["payload"].clone();
        let child = seen["child"].as_str().unwrap();
        assert!(child.contains("-> ") && !pipes.iter().any(|pipe| child.contains(pipe)), "{child}");
        let (mut found, process) = (0, format!("/proc/{}", seen["pid"]));
        for entry in fs::read_dir(format!("{process}/fd")).unwrap() {
            let number = entry.unwrap().file_name().into_string().unwrap();
            if pipes.contains(&link(&format!("{process}/fd/{number}"))) {
                found += 1;
                assert!(number.parse::<u32>().unwrap() > 255, "{number}");
                let info = fs::read_to_string(format!("{process}/fdinfo/{number}")).unwrap();
                let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap().trim();
                let close_on_exec = u32::from_str_radix(flags, 8).unwrap() & 0o2_000_000;
                assert_ne!(close_on_exec, 0, "{number}: {info}");
            }
        }
        assert_eq!(found, 2);
    });
}

fn link(path: &str) -> String {
    fs::read_link(path).unwrap().into_os_string().into_string().unwrap()
}

fn a_number_that_was_closed_is_given_back(language: &Language) {
    let files = Files::new();
    let write = |name: &str, python: &str, javascript: &str| {
        files.write(&language.file(name), language.pick(python, javascript))
    };
    let prints = write(
        "prints",
        "import sys\ndef poll_sensor(config):\n    print('out', flush=True)\n    print('err', file=sys.stderr)\n    \
         yield {'stdin': sys.stdin.read()}\n",
        "const fs = require('fs');\nfunction poll_sensor() {\n  fs.writeSync(1, 'out\\n');\n  console.error('err');\n  \
         return { stdin: fs.readFileSync(0, 'utf8') };\n}\n",
    );
    let mut host = Host::start(language, &[]);
    for numbers in ["0", "1", "2", "0, 1, 2"] {
        let closes = write(
            &format!("closes{}", numbers.len() + numbers.matches('1').count()),
            &format!(
                "import os\ndef poll_sensor(config):\n    for number in [{numbers}]: os.close(number)\n    return []\n"
            ),
            &format!("const poll_sensor = () => [{numbers}].forEach(require('fs').closeSync);\n"),
        );
        assert_eq!(host.poll(&closes).last(), Some(&done()), "{numbers}");
        assert_eq!(host.poll(&prints), [event(&json!({"stdin": ""})), done()], "{numbers}");
    }
    assert_eq!(host.talk.end(), "out\nerr\n".repeat(4));
}

fn garbage_by_any_low_number_reaches_nobody(language: &Language) {
    // The engine of Node.js has numbers of its own from 3 on, which have to do with no conversation.
    with_host(
        language,
        "import os\ndef poll_sensor(config):\n    for number in range(3, 256):\n        \
         try: os.write(number, b'garbage\\n')\n        except OSError: pass\n    yield {'n': 1}\n",
        "const fs = require('fs');\nfunction poll_sensor() {\n  const own = fs.readdirSync('/proc/self/fd').map(Number);\n  \
         for (let number = 3; number < 256; number++) {\n    if (own.includes(number)) continue;\n    \
         try { fs.writeSync(number, 'garbage\\n'); } catch {}\n  }\n  return { n: 1 };\n}\n",
        |host, path| {
            for _ in 0..2 {
                assert_eq!(host.poll(path), [event(&json!({"n": 1})), done()]);
            }
        },
    );
}

/// Another thread has whatever number is free for a moment, again and again, as the C library in the engine's threads does.
const THREAD: &str = r"
const { readlinkSync } = require('fs');
const { Worker } = require('worker_threads');
const { replace } = require(process.argv[2]);
const opens = `
  const { closeSync, openSync } = require('fs');
  require('worker_threads').parentPort.postMessage('it begins');
  for (;;) closeSync(openSync('/dev/zero', 'r'));
`;
new Worker(opens, { eval: true }).once('message', () => {
  for (let n = 0; n < 10000; n++) replace(0, '/dev/null', 'r');
  console.log(readlinkSync('/proc/self/fd/0'));
  process.exit(0);
});
";

#[test]
fn a_number_that_a_thread_takes_in_between_is_had_nevertheless() {
    let script = Script::named("thread.cjs", THREAD);
    let mut node = Command::new("node");
    node.arg(&script.path).arg(packs().join("core/runtimes/nodejs/number.cjs"));
    let done = run(&mut node, "");
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), "/dev/null\n"), "{}", done.log);
}

/// A process that is forked goes on as if it were the host; it says so much that no buffer holds it back.
#[test]
fn who_forks_is_heard_once() {
    let source = "import os\ndef poll_sensor(config):\n    pid = FORK\n    for n in range(100):\n        \
                  yield {'n': n, 'text': 'x' * 2000}\n    if pid != 0: os.waitpid(pid, 0)\n";
    for fork in ["os.fork()", "__import__('ctypes').CDLL(None).fork()"] {
        let files = Files::new();
        let path = files.write("code.py", &source.replace("FORK", fork));
        let mut host = Host::start(&PYTHON, &[]);
        for _ in 0..2 {
            let answer = host.poll(&path);
            let numbers: Vec<Value> = answer.iter().map(|each| each["payload"]["n"].clone()).collect();
            let expected: Vec<Value> = (0..100).map(Value::from).chain([Value::Null]).collect();
            assert_eq!(numbers, expected, "{fork}");
        }
    }
}
