//! Whatever an author writes, it is refused in words or works: nothing panics, and the same input has the same outcome.

mod mutated;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use attune_core::event::EventView;
use attune_core::pack::Pack;
use attune_core::schedule::Timer;
use attune_core::schema::Schema;
use attune_core::template::{Context, Template};
use chrono::{DateTime, TimeDelta};
use mutated::{few, mutated};
use proptest::prelude::*;
use serde_json::{Value, json};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// All files below a directory of the repository: path from there, and content.
fn files(directory: &str) -> BTreeMap<String, Vec<u8>> {
    let (top, mut found) = (root().join(directory), BTreeMap::new());
    let mut open = vec![top.clone()];
    while let Some(directory) = open.pop() {
        for path in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(&top).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read(path).unwrap());
            }
        }
    }
    found
}

fn seeds(directory: &str) -> Vec<Vec<u8>> {
    files(directory).into_values().collect()
}

fn schemas() -> Vec<Vec<u8>> {
    let hostile = seeds("corpus/schemas/hostile");
    let ordinary = seeds("corpus/schemas/ordinary").into_iter().map(|case| {
        let case: Value = serde_json::from_slice(&case).unwrap();
        case["schema"].to_string().into_bytes()
    });
    ordinary.chain(hostile).collect()
}

fn templates() -> Vec<Vec<u8>> {
    let text = fs::read_to_string(root().join("corpus/templates/hostile.yaml")).unwrap();
    let hostile: BTreeMap<String, String> = serde_saphyr::from_str(&text).unwrap();
    let ordinary = [
        "{{ event.payload.name }} is {{ event.payload.n | round(1) }}",
        "{% for x in event.payload.list if x > 2 %}{{ loop.index }}: {{ x }}{% else %}none{% endfor %}",
        "{{ event.payload.list | map('string') | join(', ') | upper }}",
    ];
    hostile.into_values().chain(ordinary.map(str::to_owned)).map(String::into_bytes).collect()
}

fn event() -> EventView {
    EventView {
        id: 7,
        trigger: "demo.high".to_owned(),
        sensor: None,
        source: None,
        key: None,
        payload: json!({"n": 99_999_999_999_999_u64, "name": "nginx", "list": [1, 2, 3], "text": "é\u{202e}", "objects": [{"n": 1}]}),
        trigger_params: None,
        created: DateTime::UNIX_EPOCH,
    }
}

fn rendered(text: &str) -> Result<Value, String> {
    let template = Template::compile(&json!({"p": text})).map_err(|fault| fault.to_string())?;
    let event = event();
    let context = Context { event: &event, rule: &json!({}), pack_config: &json!({"a": 1}) };
    template.render(&context).map_err(|error| error.to_string())
}

fn judged(document: &Value) -> Result<Vec<String>, String> {
    let schema = Schema::compile(document).map_err(|fault| fault.to_string())?;
    let values = [
        document.clone(),
        json!({"a": {"key": "s3cret"}, "x": [1, "s", null]}),
        json!([1, 1.0, "1"]),
        json!("a"),
    ];
    let verdict = |mut value: Value| {
        let filled = schema.fill_defaults(&mut value).is_ok();
        let valid = schema.validate(&value).map_err(|violation| violation.to_string());
        format!("{filled} {valid:?} {}", schema.mask(&value))
    };
    Ok(values.map(verdict).into())
}

proptest! {
    #![proptest_config(few())]

    #[test]
    fn templates_give_or_refuse(bytes in mutated(templates())) {
        let text = String::from_utf8_lossy(&bytes);
        prop_assert_eq!(rendered(&text), rendered(&text));
    }

    #[test]
    fn schemas_judge_or_are_refused(bytes in mutated(schemas())) {
        if let Ok(document) = serde_json::from_slice(&bytes) {
            let _ = judged(&document);
        }
    }

    #[test]
    fn packs_load_or_their_faults_have_places(which: prop::sample::Index, bytes in mutated(seeds("packs"))) {
        let mut files = files("packs/examples");
        let names: Vec<_> = files.keys().filter(|name| is_yaml(name)).cloned().collect();
        files.insert(which.get(&names).clone(), bytes);
        if let Err(faults) = Pack::parse(&files) {
            prop_assert!(!faults.is_empty());
            for fault in faults {
                prop_assert!(!fault.message.is_empty() && is_yaml(&fault.file), "{:?}", fault);
            }
        }
    }

    #[test]
    fn lines_mean_the_same_however_they_are_cut(bytes in mutated(seeds("corpus/protocol"))) {
        for (_, outcome) in crate::corpus::outcomes(&bytes) {
            prop_assert!(!outcome.contains(|c: char| c.is_control()), "{:?}", outcome);
        }
    }

    #[test]
    fn timers_go_forward_or_are_refused(bytes in mutated(vec![
        b"*/5 * * * *".to_vec(), b"0 0 29 2 1".to_vec(), b"30 2 L * 5#3".to_vec(), b"@weekly".to_vec(), b"0 9 * jan-mar mon".to_vec(),
    ])) {
        let params = json!({"cron": String::from_utf8_lossy(&bytes), "timezone": "Europe/Berlin"});
        if let Ok(timer) = Timer::read("core.cron_timer", &params).unwrap() {
            let (anchor, mut at) = (DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH + TimeDelta::days(20_000));
            for _ in 0..5 {
                let Some(next) = timer.next_after(anchor, at) else { break };
                prop_assert!(next > at);
                at = next;
            }
        }
    }
}

fn is_yaml(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, kind)| kind == "yaml")
}
