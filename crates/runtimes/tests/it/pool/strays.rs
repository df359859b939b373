//! What an author's code writes into the conversation of its host, which it has to look for. That costs the host and the poll
//! whose turn it is, and is never an event, a state or an end of another sensor.

use serde_json::json;

use super::machine::{Machine, Pack, settings, until};
use crate::language::{Language, in_each_language};

in_each_language!(
    async what_is_written_in_its_own_turn_costs_this_poll,
    what_is_written_in_the_turn_of_another_is_no_answer,
    what_is_written_between_two_turns_costs_nobody,
    who_closes_what_is_not_its_own_costs_its_poll_and_writes_nowhere,
);

/// `stray(text)` writes to whatever may be the conversation.
const PYTHON: &str = r"
import builtins, os, threading
def stray(text):
    for number in map(int, os.listdir('/proc/self/fd')):
        try:
            if number > 2 and os.readlink('/proc/self/fd/%d' % number).startswith('pipe:'): os.write(number, text.encode())
        except OSError:
            pass
";
const JAVASCRIPT: &str = r"
const fs = require('fs');
function stray(text) {
  // The pipes of the engine itself have lower numbers.
  for (const number of fs.readdirSync('/proc/self/fd').map(Number)) {
    try {
      if (number > 255 && fs.readlinkSync(`/proc/self/fd/${number}`).startsWith('pipe:')) fs.writeSync(number, text);
    } catch {}
  }
}
";
const NO_ANSWER: &str = "its warm host said what is no answer: ";
/// What is no message, and what would be one: an event, a state, and the end of a turn, of any or of the first.
const TEXTS: &[&str] = &[
    "garbage\\n",
    "{\"type\":\"event\",\"payload\":{\"forged\":true}}\\n",
    "{\"type\":\"event\",\"id\":1,\"payload\":{\"forged\":true}}\\n",
    "{\"type\":\"event\",\"payl",
    "{\"type\":\"state\",\"state\":{\"forged\":true}}\\n",
    "{\"type\":\"contact\"}\\n",
    "{\"type\":\"done\"}\\n",
    "{\"type\":\"done\",\"id\":1}\\n",
    "{\"type\":\"unfit\",\"reason\":\"forged\"}\\n",
];

fn code(language: &Language, python: &str, javascript: &str) -> String {
    language.pick(format!("{PYTHON}{python}"), format!("{JAVASCRIPT}{javascript}"))
}

fn honest(language: &Language) -> String {
    code(
        language,
        "def poll_sensor(config):\n    yield {'honest': True, 'pid': os.getpid()}\n",
        "const poll_sensor = () => ({ honest: true, pid: process.pid });\n",
    )
}

/// The honest sensor is polled well, and says which process does it.
async fn honest_pid(machine: &Machine, pack: &Pack) -> u64 {
    let mut events = machine.poll(pack, 1, "honest").await.events;
    let pid = events[0].as_object_mut().unwrap().remove("pid").unwrap();
    assert_eq!(events, [json!({"honest": true})]);
    pid.as_u64().unwrap()
}

async fn what_is_written_in_its_own_turn_costs_this_poll(language: &'static Language) {
    let machine = Machine::new(settings());
    for text in TEXTS {
        let strays = code(
            language,
            &format!("def poll_sensor(config):\n    stray('{text}')\n    return []\n"),
            &format!("const poll_sensor = () => stray('{text}');\n"),
        );
        let pack = machine.pack(language, &[("strays", &strays), ("honest", &honest(language))]).await;
        let before = honest_pid(&machine, &pack).await;
        let (error, _) = machine.error(&pack, 2, "strays").await;
        assert!(error.starts_with(NO_ANSWER), "{text}: {error}");
        assert_ne!(honest_pid(&machine, &pack).await, before);
    }
}

async fn what_is_written_in_the_turn_of_another_is_no_answer(language: &'static Language) {
    let machine = Machine::new(settings());
    for text in TEXTS {
        // A thread of the first, or a callback, that waits for the second.
        let leaves = code(
            language,
            &format!(
                "go, gone = threading.Event(), threading.Event()\nbuiltins.left = go, gone\n\
                 def wait():\n    go.wait()\n    stray('{text}')\n    gone.set()\n\
                 def poll_sensor(config):\n    threading.Thread(target=wait, daemon=True).start()\n    return []\n"
            ),
            &format!("const poll_sensor = () => void (globalThis.left = () => stray('{text}'));\n"),
        );
        let meets = code(
            language,
            "def poll_sensor(config):\n    go, gone = builtins.left\n    go.set()\n    gone.wait()\n    yield {'honest': True}\n",
            "function* poll_sensor() {\n  left();\n  yield { honest: true };\n}\n",
        );
        let files = [("leaves", &*leaves), ("meets", &*meets), ("honest", &*honest(language))];
        let pack = machine.pack(language, &files).await;
        machine.poll(&pack, 2, "leaves").await;
        let (answer, heard) = machine.try_poll(&pack, 3, "meets").await;
        let error = answer.unwrap_err().to_string();
        assert!(error.starts_with(NO_ANSWER), "{text}: {error}");
        assert!(heard.events.iter().all(|event| *event == json!({"honest": true})), "{heard:?}");
        honest_pid(&machine, &pack).await;
    }
}

async fn what_is_written_between_two_turns_costs_nobody(language: &'static Language) {
    let machine = Machine::new(settings());
    let leaves = code(
        language,
        "def late():\n    stray('{\"type\":\"done\"}\\n')\n    open(__file__ + '.written', 'w').close()\n\
         def poll_sensor(config):\n    threading.Timer(0.1, late).start()\n    yield {'pid': os.getpid()}\n",
        "function late() {\n  stray('{\"type\":\"done\"}\\n');\n  fs.writeFileSync(`${__filename}.written`, '');\n}\n\
         const poll_sensor = () => (setTimeout(late, 100), { pid: process.pid });\n",
    );
    let pack = machine.pack(language, &[("leaves", &leaves), ("honest", &honest(language))]).await;
    let before = machine.pid(&pack, 2, "leaves").await;
    let mut written = pack.path("leaves").into_os_string();
    written.push(".written");
    until("it has written", || std::path::Path::new(&written).exists()).await;
    assert_ne!(honest_pid(&machine, &pack).await, before);
}

/// As a daemon closes all from 3 on; and then the numbers are those of a file.
async fn who_closes_what_is_not_its_own_costs_its_poll_and_writes_nowhere(language: &'static Language) {
    let machine = Machine::new(settings());
    let closes = code(
        language,
        "def poll_sensor(config):\n    os.closerange(3, 2000)\n    file = os.open(__file__ + '.file', os.O_CREAT | os.O_RDWR)\n    \
         for number in range(900, 1020): os.dup2(file, number)\n    yield {'pid': 0}\n",
        // The engine ends by itself without the numbers that it has from 3 on.
        "function poll_sensor() {\n  for (let number = 256; number < 270; number++) {\n    try { fs.closeSync(number); } catch {}\n  }\n  \
         for (let n = 0; n < 300; n++) fs.openSync(`${__filename}.file`, 'a');\n  return { pid: 0 };\n}\n",
    );
    let pack = machine.pack(language, &[("closes", &closes), ("honest", &honest(language))]).await;
    let before = honest_pid(&machine, &pack).await;
    let (error, log) = machine.error(&pack, 2, "closes").await;
    assert_eq!(error, "its warm host exited with code 1");
    assert_eq!(log, "the code closed descriptors that are not its own, by which it speaks with Attune\n");
    let mut file = pack.path("closes").into_os_string();
    file.push(".file");
    assert_eq!(std::fs::read(file).unwrap(), b"");
    assert_ne!(honest_pid(&machine, &pack).await, before);
}
