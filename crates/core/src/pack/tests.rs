use std::collections::BTreeMap;

use serde_json::json;

use super::*;

const GOOD: &[(&str, &str)] = &[
    ("pack.yaml", "ref: demo\nname: Demo\nversion: 1.2.0\nconfig: {limit: 3}\n"),
    (
        "runtimes/lua.yaml",
        "ref: demo.lua\nname: Lua\ndistributions:\n  verification:\n    commands:\n      - {binary: lua}\n\
         execution: {args: ['{pack}/lib/run.lua']}\naliases: [luajit]\n",
    ),
    ("lib/run.lua", ""),
    ("triggers/hot.yaml", "ref: demo.hot\npayload_schema:\n  type: object\n"),
    (
        "sensors/heat.yaml",
        "ref: demo.heat\nruntime: demo.lua\nentrypoint: sensors/heat.lua\ntriggers: [demo.hot]\n\
         poll_interval: 2\nconfig: {limit: 4}\nparam_schema: {properties: {limit: {type: integer}}}\n",
    ),
    ("sensors/heat.lua", ""),
    (
        "actions/cool.yaml",
        "ref: demo.cool\nruntime: core.shell\nentrypoint: actions/cool.sh\nenabled: false\n",
    ),
    ("actions/cool.sh", ""),
    (
        "rules/cool.yaml",
        "ref: demo.cool\ntrigger: demo.hot\naction: demo.cool\n\
         conditions:\n  - {field: payload.degrees, operator: greater_than, value: 30}\n\
         action_params:\n  text: \"{{ event.payload.degrees }}\"\n",
    ),
];

fn files(changes: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
    let all = GOOD.iter().chain(changes);
    all.map(|(path, content)| ((*path).to_owned(), content.as_bytes().to_vec())).collect()
}

/// The faults of the good pack with one file changed or added.
fn faults(path: &str, content: &str) -> Vec<String> {
    let faults = Pack::parse(&files(&[(path, content)])).unwrap_err();
    faults.iter().map(ToString::to_string).collect()
}

/// The only fault.
fn fault(path: &str, content: &str) -> String {
    let mut faults = faults(path, content);
    assert_eq!(faults.len(), 1, "{faults:#?}");
    faults.remove(0)
}

#[test]
fn a_good_pack_becomes_definitions() {
    let pack = Pack::parse(&files(&[])).unwrap();
    assert_eq!((pack.manifest.r#ref.as_str(), pack.manifest.version.as_str()), ("demo", "1.2.0"));
    let sensor = &pack.sensors[0];
    assert_eq!(
        sensor.definition(),
        json!({
            "label": null, "description": null, "runtime": "demo.lua", "entrypoint": "sensors/heat.lua",
            "triggers": ["demo.hot"], "config": {"limit": 4},
            "param_schema": {"properties": {"limit": {"type": "integer"}}}, "mode": "poll", "isolation": null, "sandbox": null, "expect": null, "pause_after": null,
            "missed": "skip", "jitter": null, "canary": null,
            "poll_interval": 2.0, "timeout": null, "limits": {}, "labels": {}, "api": [], "max_per_minute": null
        })
    );
    assert_eq!(Sensor::from_definition("demo.heat", sensor.definition()).unwrap(), *sensor);
    assert!(sensor.enabled && !pack.actions[0].enabled);
    assert_eq!(pack.rules[0].conditions[0]["operator"], "greater_than");
}

#[test]
fn a_runtime_has_the_shape_that_the_migrations_remember() {
    let pack = Pack::parse(&files(&[])).unwrap();
    assert_eq!(
        pack.runtimes[0].definition(),
        json!({
            "name": "Lua", "description": null, "installation": null, "aliases": ["luajit"],
            "distributions": {"verification": {"commands": [{"binary": "lua"}]}},
            "execution": {"args": ["{pack}/lib/run.lua"]}
        })
    );
}

#[test]
fn refs_into_other_packs_are_handed_out_with_their_place() {
    let pack = Pack::parse(&files(&[])).unwrap();
    let [external] = pack.external_refs() else { panic!("{:?}", pack.external_refs()) };
    assert_eq!(
        (external.from, external.kind, external.r#ref.as_str()),
        (Kind::Action, Kind::Runtime, "core.shell")
    );
    assert_eq!(external.fault("is gone").to_string(), "actions/cool.yaml:2: runtime: is gone");
}

#[test]
fn a_later_check_can_point_at_the_lines_too() {
    let pack = Pack::parse(&files(&[])).unwrap();
    let fault = pack.fault(Kind::Rule, "demo.cool", "conditions[0].value", "is odd");
    assert_eq!(fault.to_string(), "rules/cool.yaml:5: conditions[0].value: is odd");
}

#[test]
fn faults_of_a_trigger_have_their_lines() {
    let of = |content| fault("triggers/hot.yaml", content);
    for (content, expected) in [
        ("ref: demo.hot\nlable: x\n", "2: lable: is no known key (did you mean label?)"),
        ("ref: demo.hot\nlabel: 5\n", "2: label: must be text, not the number 5; put it in quotes"),
        ("ref: demo.hot\n\nenabled: yes\n", "3: enabled: must be true or false, not the text \"yes\""),
        ("ref: demo.hot\nref: demo.hot\n", "2: the key ref is there twice"),
        ("# nothing\nref: demo.hot\nparam_schema: []\n", "3: param_schema: must be a mapping, not a list"),
    ] {
        let faults = faults("triggers/hot.yaml", content);
        assert!(faults.contains(&format!("triggers/hot.yaml:{expected}")), "{faults:#?}");
    }
    let schema = of("ref: demo.hot\nparam_schema:\n  type: object\n  properties:\n    a: {type: strin}\n");
    assert!(schema.starts_with("triggers/hot.yaml:5: param_schema.properties.a"), "{schema}");
}

#[test]
fn polls_and_runs_have_bounds() {
    let sensor = "ref: demo.heat\nruntime: demo.lua\nentrypoint: sensors/heat.lua\ntriggers: [demo.hot]\npoll_interval: 1e-9\n";
    let expected = "sensors/heat.yaml:5: poll_interval: must be at least 0.1 seconds, not 0.000000001";
    assert_eq!(fault("sensors/heat.yaml", sensor), expected);
    let action = |lines: &str| {
        let action = Pack::parse(&files(&[])).unwrap().actions[0].clone();
        let text = format!(
            "ref: {}\nruntime: {}\nentrypoint: {}\n{lines}",
            action.r#ref, action.runtime, action.entrypoint
        );
        Pack::parse(&files(&[("actions/cool.yaml", &text)]))
            .map(|pack| (pack.actions[0].max_concurrent, pack.actions[0].overlap))
            .map_err(|faults| faults[0].to_string())
    };
    assert_eq!(action(""), Ok((None, Overlap::Queue)));
    assert_eq!(action("max_concurrent: 3\noverlap: skip\n"), Ok((Some(3), Overlap::Skip)));
    assert!(action("max_concurrent: 0\n").unwrap_err().contains("max_concurrent: must be from 1"));
    assert!(action("overlap: skp\n").unwrap_err().contains("did you mean skip?"));
}

#[test]
fn faults_of_a_sensor_are_all_told() {
    let content = "ref: other.heat\nruntime: demo.lau\nentrypoint: sensors/heat.lu\ntriggers:\n  - demo.hot\n  - demo.flooded\n\
                   poll_interval: 0\nmode: pol\nconfig:\n  limit: high\nparam_schema: {properties: {limit: {type: integer}}}\n";
    let expected = [
        "1: ref: \"other.heat\" must begin with its pack: demo.",
        "2: runtime: the pack has no runtime \"demo.lau\" (did you mean demo.lua?)",
        "3: entrypoint: the pack has no file \"sensors/heat.lu\" (did you mean sensors/heat.lua?)",
        "6: triggers[1]: the pack has no trigger \"demo.flooded\"",
        "7: poll_interval: must be greater than zero, not 0",
        "8: mode: \"pol\" is none of poll, stream, builtin (did you mean poll?)",
    ];
    let found = faults("sensors/heat.yaml", content);
    assert_eq!(found[..6], expected.map(|fault| format!("sensors/heat.yaml:{fault}")));
    assert!(found[6].starts_with("sensors/heat.yaml:10: config.limit: "), "{found:#?}");
    assert_eq!(found.len(), 7);
}

#[test]
fn what_is_expected_of_a_sensor_are_times() {
    let sensor = |more: &str| {
        format!(
            "ref: demo.heat\nruntime: demo.lua\nentrypoint: sensors/heat.lua\ntriggers: [demo.hot]\n{more}\n"
        )
    };
    let good = sensor("expect: {event: 10m, contact: 30}\npause_after: 5");
    let pack = Pack::parse(&files(&[("sensors/heat.yaml", &good)])).unwrap();
    let definition = pack.sensors[0].definition();
    assert_eq!(
        (&definition["expect"], &definition["pause_after"]),
        (&json!({"event": "10m", "contact": 30}), &json!(5))
    );
    for (more, expected) in [
        (
            "expect: {event: often}",
            "sensors/heat.yaml:5: expect.event: must be a time such as 90s, 10m or 1h 30m, not \"often\"",
        ),
        ("expect: {events: 5m}", "sensors/heat.yaml:5: expect.events: is no known key: event, contact"),
        ("expect: 10m", "sensors/heat.yaml:5: expect: must be a mapping"),
        ("pause_after: 0", "sensors/heat.yaml:5: pause_after: must be from 1"),
    ] {
        let fault = fault("sensors/heat.yaml", &sensor(more));
        assert!(fault.starts_with(expected), "{fault}");
    }
}

#[test]
fn ticks_are_for_sensors_that_are_polled() {
    let sensor = |more: &str| {
        format!(
            "ref: demo.heat\nruntime: demo.lua\nentrypoint: sensors/heat.lua\ntriggers: [demo.hot]\n{more}\n"
        )
    };
    let good = sensor("missed: all\njitter: 1m 30s\npoll_interval: 90");
    let definition = Pack::parse(&files(&[("sensors/heat.yaml", &good)])).unwrap().sensors[0].definition();
    assert_eq!((&definition["missed"], &definition["jitter"]), (&json!("all"), &json!(90.0)));
    for (more, expected) in [
        ("missed: twice", "5: missed: \"twice\" is none of skip, once, all"),
        ("jitter: often", "5: jitter: must be a time such as 90s, 10m or 1h 30m, not \"often\""),
        ("poll_interval: 9\njitter: 10s", "6: jitter: must be at most poll_interval, which is 9 seconds"),
        (
            "mode: stream\njitter: 1",
            "6: jitter: is for sensors that are polled; one of mode stream has no ticks",
        ),
        (
            "mode: stream\nmissed: skip",
            "6: missed: is for sensors that are polled; one of mode stream has no ticks",
        ),
    ] {
        let fault = fault("sensors/heat.yaml", &sensor(more));
        assert!(fault.starts_with(&format!("sensors/heat.yaml:{expected}")), "{fault}");
    }
}

#[test]
fn an_isolation_is_one_of_two_words() {
    for (text, expected) in [("warm", Isolation::Warm), ("process", Isolation::Process)] {
        let content =
            format!("ref: demo.cool\nruntime: core.shell\nentrypoint: actions/cool.sh\nisolation: {text}\n");
        let pack = Pack::parse(&files(&[("actions/cool.yaml", &content)])).unwrap();
        let action = &pack.actions[0];
        assert_eq!(action.isolation, Some(expected));
        assert_eq!(action.definition()["isolation"], text);
        assert_eq!(Isolation::of_column(Some(text)), Some(expected));
    }
    let content = "ref: demo.heat\nruntime: demo.lua\nentrypoint: sensors/heat.lua\ntriggers: [demo.hot]\nisolation: worm\n";
    assert_eq!(
        fault("sensors/heat.yaml", content),
        "sensors/heat.yaml:5: isolation: \"worm\" is none of warm, process (did you mean warm?)"
    );
}

#[test]
fn what_runs_may_ask_is_a_list_of_known_words() {
    let action =
        |api: &str| format!("ref: demo.cool\nruntime: core.shell\nentrypoint: actions/cool.sh\n{api}");
    let pack = Pack::parse(&files(&[("actions/cool.yaml", &action("api: [event.send]\n"))])).unwrap();
    assert_eq!(pack.actions[0].api, [Permission::EventSend]);
    assert_eq!(pack.actions[0].definition()["api"], json!(["event.send"]));
    let mut before = pack.actions[0].definition();
    before.as_object_mut().unwrap().remove("api");
    assert_eq!(Action::from_definition("demo.cool", before).unwrap().api, []);
    for (api, expected) in [
        ("api: [event.sent]\n", "api[0]: \"event.sent\" is none of event.send (did you mean event.send?)"),
        ("api: event.send\n", "api: must be a list, not the text \"event.send\""),
        ("api: [event.send, event.send]\n", "api[1]: \"event.send\" is there twice"),
    ] {
        let fault = fault("actions/cool.yaml", &action(api));
        assert!(fault.ends_with(expected), "{fault}");
    }
}

#[test]
fn a_host_that_the_pack_lacks_is_a_fault() {
    let content = "ref: demo.lua\nname: Lua\ndistributions: {verification: {always_available: true}}\n\
                   execution:\n  host:\n    args: ['{pack}/lib/hots.lua']\n";
    let fault = fault("runtimes/lua.yaml", content);
    assert!(
        fault.starts_with("runtimes/lua.yaml:6: execution.host.args[0]: the pack has no file"),
        "{fault}"
    );
}

#[test]
fn what_a_schema_requires_an_operator_may_still_give() {
    let content = "ref: demo.heat\nruntime: demo.lua\nentrypoint: sensors/heat.lua\ntriggers: [demo.hot]\n\
                   param_schema: {required: [token], properties: {token: {type: string}}}\n";
    Pack::parse(&files(&[("sensors/heat.yaml", content)])).unwrap();
}

#[test]
fn required_keys_are_asked_for() {
    let found = faults("sensors/heat.yaml", "label: x\n");
    let keys = ["ref: is missing", "runtime: is missing", "entrypoint: is missing", "triggers: must list"];
    assert!(keys.iter().all(|key| found.iter().any(|fault| fault.contains(key))), "{found:#?}");
    assert!(fault("runtimes/lua.yaml", "ref: demo.lua\nname: Lua\n").contains("distributions: is missing"));
    assert!(fault("triggers/new.yaml", "").contains("must be a mapping, not nothing"));
}

#[test]
fn conditions_and_templates_point_at_each_fault() {
    let content = "ref: demo.cool\ntrigger: demo.hot\naction: demo.cool\nconditions:\n  \
                   - {field: payload.a, operator: equals, value: 1}\n  \
                   - field: payload.a\n    operator: grater_than\n    value: 1\n  \
                   - any:\n      - {field: payload.a, operator: matches, value: '('}\n\
                   action_params:\n  good: x\n  text: \"{{ event. }}\"\n  list:\n    - \"{{ nope(\"\n";
    let found = faults("rules/cool.yaml", content);
    let starts = [
        "rules/cool.yaml:7: conditions[1].operator: ",
        "rules/cool.yaml:10: conditions[2].any[0].value: ",
        "rules/cool.yaml:13: action_params.text: ",
        "rules/cool.yaml:15: action_params.list[0]: ",
    ];
    assert!(starts.iter().zip(&found).all(|(start, fault)| fault.starts_with(start)), "{found:#?}");
    assert_eq!(found.len(), 4);
}

#[test]
fn runtimes_are_checked_to_the_last_argument() {
    let content = "ref: demo.lua\nname: Lua\ndistributions:\n  min_version: [1]\n  verification:\n    commands:\n      \
                   - {binary: lua}\n      - {args: [x]}\nexecution:\n  args:\n    - -x\n    - '{pack}/lib/rum.lua'\n";
    let found = faults("runtimes/lua.yaml", content);
    let starts = [
        "runtimes/lua.yaml:4: distributions.min_version: ",
        "runtimes/lua.yaml:8: distributions.verification.commands[1]: ",
        "runtimes/lua.yaml:12: execution.args[1]: the pack has no file \"lib/rum.lua\" (did you mean lib/run.lua?)",
    ];
    assert!(starts.iter().zip(&found).all(|(start, fault)| fault.starts_with(start)), "{found:#?}");
    assert_eq!(found.len(), 3);
    let execution = "ref: demo.lua\nname: L\ndistributions: {verification: {check_required: false}}\nexecution:\n  argz: []\n";
    assert!(fault("runtimes/lua.yaml", execution).starts_with("runtimes/lua.yaml:5: execution.argz: "));
}

#[test]
fn retry_policies_are_checked() {
    let content = "ref: demo.cool\nruntime: core.shell\nentrypoint: actions/cool.sh\nretry:\n  delay: -1\n";
    assert!(fault("actions/cool.yaml", content).starts_with("actions/cool.yaml:5: retry.delay: "));
}

#[test]
fn limits_and_sandboxes_are_checked() {
    let of = |more| {
        fault(
            "actions/cool.yaml",
            &format!("ref: demo.cool\nruntime: core.shell\nentrypoint: actions/cool.sh\n{more}\n"),
        )
    };
    assert_eq!(
        of("limits:\n  memory: lots"),
        "actions/cool.yaml:5: limits.memory: is a number of bytes of at least 1, or a text like 256M, 1G or 500K"
    );
    assert!(
        of("limits: {ram: 1}").starts_with("actions/cool.yaml:4: limits.ram: unknown key; there are memory,")
    );
    assert_eq!(
        of("sandbox: stict"),
        "actions/cool.yaml:4: sandbox: \"stict\" is none of none, process, namespace, strict (did you mean strict?)"
    );
}

#[test]
fn one_ref_in_two_files_is_told_at_the_second() {
    assert_eq!(
        fault("triggers/other.yaml", "label: x\nref: demo.hot\n"),
        "triggers/other.yaml:2: ref: \"demo.hot\" is defined in triggers/hot.yaml as well"
    );
}

#[test]
fn entrypoints_stay_in_the_pack() {
    for path in ["/bin/sh", "../x", "actions/../actions/cool.sh"] {
        let content = format!("ref: demo.cool\nruntime: core.shell\nentrypoint: {path}\n");
        assert!(fault("actions/cool.yaml", &content).contains("plain path from the pack's root"));
    }
}

#[test]
fn the_manifest_is_checked_like_the_rest() {
    let version = fault("pack.yaml", "ref: demo\nname: Demo\nversion: 1.2\n");
    assert_eq!(version, "pack.yaml:3: version: must be text, not the number 1.2; put it in quotes");
    let version = fault("pack.yaml", "ref: demo\nname: Demo\nversion: new\n");
    assert!(version.starts_with("pack.yaml:3: version: \"new\" is no semantic version"), "{version}");
    let dotted = faults("pack.yaml", "ref: demo.x\nname: Demo\nversion: 1.0.0\n");
    assert!(dotted[0].starts_with("pack.yaml:1: ref: \"demo.x\" is no ref of a pack"), "{dotted:#?}");
}

#[test]
fn the_commands_that_a_pack_requires_are_checked_one_by_one() {
    const START: &str = "ref: demo\nname: Demo\nversion: 1.0.0\n";
    let content = format!(
        "{START}requires:\n  - jq\n  - /usr/bin/jq\n  - ''\n  - {{command: curl, instal: get curl}}\n  - jq\n  - command: jq -r\n    install: [x]\n  - 7\n"
    );
    let expected = [
        "6: requires[1]: \"/usr/bin/jq\" must be the plain name of a command, such as jq",
        "7: requires[2]: is empty",
        "8: requires[3].instal: is no known key (did you mean install?)",
        "9: requires[4]: \"jq\" is there twice",
        "10: requires[5].command: \"jq -r\" must be the plain name of a command, such as jq",
        "11: requires[5].install: must be text",
        "12: requires[6]: must be the name of a command, or a mapping with command and install",
    ];
    assert_eq!(faults("pack.yaml", &content), expected.map(|fault| format!("pack.yaml:{fault}")));
    let nul = fault("pack.yaml", &format!("{START}requires: [\"j\\0q\"]\n"));
    assert_eq!(nul, "pack.yaml:4: the database can not store the character NUL");
    assert_eq!(
        fault("pack.yaml", &format!("{START}requires: jq\n")),
        "pack.yaml:4: requires: must be a list of commands"
    );
}

#[test]
fn the_commands_that_a_pack_requires_may_have_hints() {
    let content =
        "ref: demo\nname: Demo\nversion: 1.0.0\nrequires:\n  - jq\n  - {command: curl, install: get curl}\n";
    let pack = Pack::parse(&files(&[("pack.yaml", content)])).unwrap();
    assert_eq!(
        json!(pack.manifest.requires),
        json!([{"command": "jq"}, {"command": "curl", "install": "get curl"}])
    );
}

#[test]
fn a_pack_without_its_manifest_says_where_it_might_be() {
    let nested: BTreeMap<_, _> =
        files(&[]).into_iter().map(|(path, c)| (format!("demo/{path}"), c)).collect();
    let faults = Pack::parse(&nested).unwrap_err();
    let expected = "pack.yaml: is missing: it must lie at the root of the pack, but is at demo/pack.yaml";
    assert_eq!(faults.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
}

#[test]
fn only_definitions_are_read_as_such() {
    let extra = [("sensors/data/table.yaml", "a: [1"), ("notes.yaml", ": :"), ("lib/x.yml", "")];
    Pack::parse(&files(&extra)).unwrap();
    assert_eq!(fault("sensors/more.yml", "x: 1"), "sensors/more.yml: definitions end in .yaml");
}

#[test]
fn many_definitions_are_refused_before_they_cost_much() {
    let list = format!("ref: demo.x\nconfig: [{}]\n", "1,".repeat(10_000));
    let many = (0..50).map(|n| (format!("sensors/{n}.yaml"), list.clone().into_bytes()));
    let mut all: BTreeMap<_, _> = files(&[]).into_iter().chain(many).collect();
    let faults = Pack::parse(&all).unwrap_err();
    assert!(faults.iter().any(|fault| fault.message.contains("have more than 200000 values")), "{faults:#?}");
    all.clear();
    let keys = (0..9_000).map(|n| format!("k{n}: 1\n")).collect::<Vec<_>>().concat();
    all.insert("pack.yaml".to_owned(), keys.into_bytes());
    let faults = Pack::parse(&all).unwrap_err();
    assert_eq!(faults.len(), 501);
    assert_eq!(faults[500].to_string(), "and more: only 500 faults are listed");
}

#[test]
fn tests_are_read_and_are_no_definitions() {
    let tests = [
        (
            "tests/heat.yaml",
            "sensor: demo.heat\nconfig: {limit: 1}\nexpect:\n  events: [{degrees: 31}]\n  state: {seen: 1}\n",
        ),
        (
            "tests/cool.yaml",
            "rule: demo.cool\nevent: {degrees: 31}\nexpect: {fires: true, params: {text: '31'}}\n",
        ),
    ];
    let pack = Pack::parse(&files(&tests)).unwrap();
    assert_eq!(pack.tests.iter().map(PackTest::name).collect::<Vec<_>>(), ["cool", "heat"]);
    assert_eq!(pack.defined_in("sensors/heat.yaml"), Some((Kind::Sensor, "demo.heat")));
    assert_eq!(pack.defined_in("tests/heat.yaml"), None);
    assert_eq!(pack.columns(Kind::Action, "demo.cool").unwrap()["enabled"], false);
}

#[test]
fn tests_are_checked_like_the_rest() {
    let found = faults(
        "tests/heat.yaml",
        "sensor: demo.haet\nconfig: 1\nexpect:\n  events: [1]\n  at_leest: 2\n  at_least: -1\n",
    );
    assert_eq!(
        found,
        [
            "tests/heat.yaml:1: sensor: the pack has no sensor \"demo.haet\" (did you mean demo.heat?)",
            "tests/heat.yaml:2: config: must be a mapping, not the number 1",
            "tests/heat.yaml:4: expect.events[0]: must be a mapping, not the number 1",
            "tests/heat.yaml:5: expect.at_leest: is no known key (did you mean at_least?)",
            "tests/heat.yaml:6: expect.at_least: must be a whole number, not the number -1",
        ]
    );
    for (content, expected) in [
        ("rule: demo.cool\nstate: {}\nexpect: {fires: true}\n", ":2: state: is no known key"),
        ("rule: demo.cool\nexpect: {}\n", ":2: expect.fires: is missing: true or false"),
        ("rule: demo.cool\nexpect: {fires: false, params: {}}\n", ":2: expect.params: needs `fires: true`"),
        ("rule: demo.cool\n", ":1: expect: is missing"),
        ("sensor: demo.heat\nexpect: {}\n", ":2: expect: expects nothing"),
        ("sensor: demo.heat\nexpect: {error: x, events: []}\n", ":2: expect.error: stands alone"),
        ("expect: {at_least: 1}\n", ":1: sensor: is missing"),
    ] {
        let fault = fault("tests/new.yaml", content);
        assert!(fault.starts_with(&format!("tests/new.yaml{expected}")), "{fault}");
    }
    assert_eq!(fault("tests/more.yml", "x: 1"), "tests/more.yml: definitions end in .yaml");
}

#[test]
fn a_template_is_a_directory_of_the_pack() {
    let with = |template: &str| {
        let head = "ref: demo.lua\nname: L\ndistributions: {verification: {check_required: false}}\n";
        format!("{head}execution:\n  extensions: [lua]\n  template: {template}\n")
    };
    let template = ("lib/new/sensors/x.lua", "");
    let good = with("[lib, lib/new]");
    Pack::parse(&files(&[template, ("runtimes/lua.yaml", good.as_str())])).unwrap();
    assert_eq!(
        fault("runtimes/lua.yaml", &with("libs")),
        "runtimes/lua.yaml:6: execution.template: the pack has no directory \"libs\" (did you mean lib?)"
    );
}
