//! Polled sensors, and sources of other kinds.

use std::path::Path;
use std::thread;

use super::{LINES, shown_by, tortured};
use crate::home::Home;
use crate::pack;

const HONEST: &str = "def poll_sensor(config, state):\n    with open(config['file'], 'rb') as file:\n        file.seek(state.get('offset', 0))\n        \
                      for line in iter(file.readline, b''):\n            if not line.endswith(b'\\n'):\n                break\n            \
                      yield {'line': line.decode().rstrip('\\n')}\n            state['offset'] = file.tell()\n";
const OWN_CURSOR: &str = "const fs = require('fs');\nfunction poll_sensor({ file, cursor }) {\n  \
                          const place = fs.existsSync(cursor) ? Number(fs.readFileSync(cursor)) : 0;\n  \
                          const text = fs.readFileSync(file, 'utf8').slice(place);\n  const whole = text.slice(0, text.lastIndexOf('\\n') + 1);\n  \
                          fs.writeFileSync(cursor, String(place + whole.length));\n  \
                          return whole.split('\\n').slice(0, -1).map((line) => ({ line }));\n}\n";
/// What the source holds, each time; a line without its end is not whole.
const ALL: &str = r#"file=$(sed 's/.*"file":"\([^"]*\)".*/\1/')
head -n "$(wc -l <"$file")" "$file" | tr -d '\000' | awk '
  BEGIN { ORS = ""; print "{\"events\":[" }
  { print comma "{\"line\":\"" $0 "\"KEY}"; comma = "," }
  END { print "]}\n" }'
"#;

#[test]
fn polled_sensors_earn_what_they_are_worth() {
    let home = Home::new();
    let keyed = ALL.replace("KEY", r#",\"event_key\":\"" NR "\""#);
    let all = ALL.replace("KEY", "");
    pack::write(
        home.path(),
        ".",
        &[("honest.py", HONEST), ("cursor.js", OWN_CURSOR), ("all.sh", &all), ("keyed.sh", &keyed)],
    );
    thread::scope(|scope| {
        for (file, worth, fault) in [
            ("honest.py", "exactly once", None),
            ("cursor.js", "may lose", Some("lost-commit")),
            ("all.sh", "at least once", Some("none")),
            ("keyed.sh", "exactly once", None),
        ] {
            let home = &home;
            scope.spawn(move || {
                // The fault that is meant comes first whatever the seed says.
                let only = if file == "cursor.js" { &["--only", "lost-commit,hang"][..] } else { &[] };
                let (ordeal, code) =
                    tortured(home, Path::new(file), &[&LINES[..], &["--seed", "4"], only].concat());
                let earned = (ordeal["earned"].as_str(), shown_by(&ordeal), code);
                assert_eq!(earned, (Some(worth), fault, 0), "{file}: {ordeal:#}");
            });
        }
    });
}

#[test]
fn a_program_of_the_author_can_fill_the_source() {
    let home = Home::new();
    let fill = "#!/bin/sh\nread -r order\ntable=$(expr \"$order\" : '.*\"table\":\"\\([^\"]*\\)\"')\n\
                printf '%s' \"$order\" | grep -o 'item-[0-9a-f]*' >>\"$table\"\n";
    let sensor = HONEST.replace("config['file']", "config['table']");
    pack::write(
        home.path(),
        ".",
        &[("fill", fill), ("table.py", &sensor), ("broken", "#!/bin/sh\necho no table >&2\nexit 3\n")],
    );
    let table = home.path().join("table");
    std::fs::write(&table, "").unwrap();
    let config = serde_json::json!({"table": table}).to_string();
    let options =
        ["--source", "command:fill", "--config", &config, "--seed", "1", "--only", "kill,torn-line"];
    let (ordeal, _) = tortured(&home, Path::new("table.py"), &options);
    assert_eq!(ordeal["earned"], "exactly once", "{ordeal:#}");
    let torn =
        ordeal["faults"].as_array().unwrap().iter().find(|tried| tried["fault"] == "torn-line").unwrap();
    assert_eq!(
        (&torn["bore"], &torn["what"]),
        (&"not_tried".into(), &"its source takes whole items only".into())
    );

    let answer = home.attune(&["sensor", "test", "table.py", "--torture", "--source", "command:broken"]);
    assert_eq!(answer.code, 1);
    assert!(answer.stderr.contains("broken exited with code 3: no table"), "{answer}");
}
