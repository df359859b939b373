//! What templates give, and what they refuse.

#![expect(clippy::needless_pass_by_value, reason = "literals of JSON read better without a `&`")]

mod corpus;
mod meaning;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::event::tests::event;

fn render_for(payload: Value, template: Value) -> Result<Value, TemplateError> {
    let (rule, pack_config) =
        (json!({"ref": "demo.rule", "id": 3}), json!({"token": "s3cret", "retries": 2}));
    let context = Context { event: &event(payload), rule: &rule, pack_config: &pack_config };
    Template::compile(&template).unwrap().render(&context)
}

fn render(template: impl Into<Value>) -> Result<Value, TemplateError> {
    let payload = json!({"name": "nginx", "count": 3, "load": 1.0, "big": u64::MAX, "on": true, "no": null,
        "items": [{"name": "a"}, {"name": "b"}], "nested": {"a.b": 1}, "{{x}}": 1});
    render_for(payload, template.into())
}

fn ok(template: impl Into<Value>) -> Value {
    render(template).unwrap()
}

fn error(template: impl Into<Value>) -> String {
    render(template).unwrap_err().to_string()
}

#[test]
fn one_expression_keeps_its_type() {
    assert_eq!(ok("{{ event.payload.count }}"), json!(3));
    assert_eq!(ok("{{event.payload.load}}").to_string(), "1.0");
    assert_eq!(ok("{{ event.payload.big }}"), json!(u64::MAX));
    assert_eq!(ok("{{ event.payload.on }}"), json!(true));
    assert_eq!(ok("{{- event.payload.items -}}"), json!([{"name": "a"}, {"name": "b"}]));
    assert_eq!(ok("{{ event.payload.items[1].name }}"), json!("b"));
    assert_eq!(ok("{{ event.payload.count + 1 }}"), json!(4));
    assert_eq!(ok("{{ event.payload.count / 2 }}"), json!(1.5));
    assert_eq!(ok("{{ event.payload.big | abs }}"), json!(u64::MAX));
    assert_eq!(ok("{{ event.payload.items | map(attribute='name') | list }}"), json!(["a", "b"]));
    assert_eq!(ok("{{ {'a': {'b': event.payload.load}} }}").to_string(), r#"{"a":{"b":1.0}}"#);
    assert_eq!(ok("{{ '}} and {{' }}"), json!("}} and {{"));
    assert_eq!(ok("{{ rule.ref }}"), json!("demo.rule"));
    assert_eq!(ok("{{ pack.config.retries }}"), json!(2));
    assert_eq!(ok("{{ pack }}"), json!({"config": {"token": "s3cret", "retries": 2}}));
    assert_eq!(ok("{{ event.created }}"), json!("2026-02-02T02:40:00.123Z"));
    assert_eq!(ok("{{ event.sensor | upper }}"), json!("DEMO.CPU"));
    assert_eq!(ok("{{ event.id + 1 }}"), json!(8));
    assert_eq!(ok("{{ event }}")["trigger_params"], json!({"period": 5}));
}

#[test]
fn a_letter_is_the_same_alone_and_in_a_text() {
    for (path, expected) in [
        ("event.payload.name[0]", "n"),
        ("event.payload.name[4]", "x"),
        ("event.payload.items[1].name[0]", "b"),
        ("event.payload.name[1][0][0]", "g"),
        ("event.trigger[5]", "c"),
        ("rule.ref[1]", "e"),
        ("pack.config.token[1]", "3"),
    ] {
        assert_eq!(ok(format!("{{{{ {path} }}}}")), json!(expected), "{path}");
        assert_eq!(ok(format!("{{{{ {path} }}}}!")), json!(format!("{expected}!")), "{path}");
    }
    for path in [
        "event.payload.name[5]",
        "event.payload.name[0][1]",
        "event.payload.name[0].x",
        "event.payload.count[0]",
    ] {
        assert_eq!(ok(format!("{{{{ {path} }}}}")), json!(null), "{path}");
        assert!(error(format!("{{{{ {path} }}}}!")).contains("undefined"), "{path}");
    }
}

#[test]
fn undefined_as_a_whole_is_null() {
    for template in [
        "{{ event.payload.nothing }}",
        "{{ event.payload.nothing.at.all[3] }}",
        "{{ event.nothing }}",
        "{{ nothing }}",
        "{{ event.payload['nothing'] }}",
        "{{ event.payload.name.nothing }}",
        "{{ 1 if event.payload.nothing }}",
    ] {
        assert_eq!(ok(template), json!(null), "{template}");
    }
    assert_eq!(ok("{{ event.payload.nothing | default(1) }}"), json!(1));
    assert_eq!(ok("{{ event.payload.nothing.at.all | default(1) }}"), json!(1));
    assert_eq!(ok("{{ event.payload.no.thing | default(1) }}"), json!(1));
    assert_eq!(ok("{{ event.payload.nothing is defined }}"), json!(false));
}

#[test]
fn undefined_inside_text_is_an_error_that_names_it() {
    for template in [
        "Hello {{ event.payload.nothing }}",
        "{{ event.payload.nothing }} ",
        "{{ event.payload.nothing | upper }}",
    ] {
        let message = error(template);
        assert!(message.contains("event.payload.nothing"), "{message}");
    }
    assert!(error("{% for x in event.payload.nothing %}{% endfor %}").contains("undefined"));
    assert_eq!(ok("a{{ 'x' if event.payload.nothing }}b"), json!("ab"));
}

#[test]
fn text_shows_json() {
    let text = "{{ event.payload.name }} {{ event.payload.on }} {{ event.payload.no }} {{ event.payload.load }} \
        {{ event.payload.big }} {{ event.payload.items }} {{ ['é', 1.5, none] }}";
    let expected =
        format!(r#"nginx true null 1.0 {} [{{"name":"a"}},{{"name":"b"}}] ["é",1.5,null]"#, u64::MAX);
    assert_eq!(ok(text), json!(expected));
}

#[test]
fn text_is_otherwise_untouched() {
    assert_eq!(ok("<{{ '<&>' }}>\n"), json!("<<&>>\n"));
    assert_eq!(ok(" {{ event.payload.count }}"), json!(" 3"));
    assert_eq!(ok("{{ event.payload.count }}\n"), json!("3\n"));
    assert_eq!(ok("{{ event.payload.count }}{{ event.payload.count }}"), json!("33"));
    assert_eq!(ok("} { }} %}"), json!("} { }} %}"));
    assert_eq!(ok("{% for i in event.payload.items %}{{ i.name }},{% endfor %}"), json!("a,b,"));
    assert_eq!(ok("{% set e = event %}{{ e.payload.name }}"), json!("nginx"));
    assert_eq!(ok(json!({"page.html": "x{{ '<b>' }}"})), json!({"page.html": "x<b>"}));
}

#[test]
fn renders_inside_lists_and_objects_but_not_keys() {
    let template = json!({"{{ event.payload.name }}": [{"n": "{{ event.payload.count }}"}, 1.0, null], "plain": {"a": [true]}});
    let expected = json!({"{{ event.payload.name }}": [{"n": 3}, 1.0, null], "plain": {"a": [true]}});
    assert_eq!(ok(template), expected);
}

#[test]
fn what_an_event_says_is_never_a_template() {
    let payload = json!({"name": "{{ pack.config.token }}", "deep": {"x": "{% raw %}"}});
    assert_eq!(render_for(payload.clone(), json!("{{ event.payload }}")).unwrap(), payload);
    assert_eq!(
        render_for(payload, json!("is {{ event.payload.name }}")).unwrap(),
        json!("is {{ pack.config.token }}")
    );
}

#[test]
fn faults_name_their_place() {
    let fault = |template: Value| Template::compile(&template).unwrap_err();
    for text in ["{{ event.payload. }}", "a {{ b", "{% if x %}", "{{ }}", "{% include 'x' %}", "{{ a b }}"] {
        let fault = fault(json!({"body": ["", {"text": text}]}));
        assert_eq!(fault.at, "body[1].text", "{text}: {fault}");
    }
    assert!(fault(json!("x".repeat(SIZE_LIMIT))).message.contains("larger than 1048576 bytes"));
}

#[test]
fn errors_name_their_place_and_quote_no_value() {
    let error = render(json!({"body": [{"text": "{{ pack.config.token + 1 }}"}]})).unwrap_err();
    assert_eq!(error.at, "body[0].text");
    for template in [
        "{{ pack.config.token | int }}",
        "x{{ pack.config.token | nope }}",
        "{{ pack.config.token() }}",
        "{{ [pack.config.token] | sum }}",
        "{{ pack.config.token | float }}",
    ] {
        let message = render(template).unwrap_err().to_string();
        assert!(!message.contains("s3cret"), "{message}");
    }
}

#[test]
fn fuel_size_and_depth_are_limited() {
    assert!(error("{% for i in range(100000) %}{% endfor %}").contains("fuel"));
    assert!(error("{{ 'x' * 2000000 }}").contains("larger than"));
    assert!(error("x{{ 'x' * 2000000 }}").contains("larger than"));
    assert!(error("{{ [event.payload.items] * 200000 }}").contains("larger than"));
    assert!(error("x{{ [event.payload.items] * 200000 }}").contains("larger than"));
    assert!(error("{{ [event.payload.items] * 10000000 }}").contains("fuel"));
    assert!(error("{{ 'x' * 100000000000 }}").contains("fuel"));
    assert!(error("{{ range(1000000000) }}").contains("range"));
    let nested = "{% set ns = namespace(x=[]) %}{% for i in range(1000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}";
    assert!(error(nested).contains("deep"), "{}", error(nested));
    let half = format!("{{{{ 'x' * {} }}}}", SIZE_LIMIT / 2);
    assert!(render(half.clone()).is_ok());
    assert_eq!(render(json!([half, half])).unwrap_err().at, "[1]");
}

#[test]
fn numbers_that_json_lacks_are_errors() {
    for template in
        ["{{ 1e308 * 10 }}", "x{{ 1e308 * 10 }}", "{{ event.payload.big + 1 }}", "{{ [1e308 * 10] }}"]
    {
        assert!(error(template).contains("number"), "{template}");
    }
}

#[test]
fn nothing_but_the_context_is_in_reach() {
    assert_eq!(ok("{{ env }}"), json!(null));
    assert!(render("{{ debug() }}").is_err());
    assert!(Template::compile(&json!("{% import '/etc/passwd' as x %}")).is_err());
}

#[test]
fn warns_of_names_that_no_template_knows() {
    let warnings = |text: &str| Template::compile(&json!({"a": text})).unwrap().warnings().to_vec();
    assert_eq!(warnings("{{ evnt.payload }}")[0].at, "a");
    assert!(warnings("{{ evnt.payload }}")[0].message.contains("`evnt`"));
    assert!(
        warnings("x{{ event }}{{ rule }}{{ pack }}{% for i in range(3) %}{{ i }}{% endfor %}").is_empty()
    );
}

#[test]
fn a_template_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Template>();
}

proptest! {
    #[test]
    fn a_payload_goes_through_unchanged(payload in any_json()) {
        let template = json!({"path": "{{ event.payload }}", "expression": "{{ (event.payload) }}", "all": "{{ event }}"});
        let rendered = render_for(payload.clone(), template).unwrap();
        prop_assert_eq!(&rendered["path"], &payload);
        prop_assert_eq!(&rendered["expression"], &payload);
        prop_assert_eq!(&rendered["all"]["payload"], &payload);
    }

    #[test]
    fn never_panics(text in r"[{}%#a-z0-9 .|'()\[\]*+~-]{0,40}") {
        if let Ok(template) = Template::compile(&json!(text)) {
            let event = event(json!({"a": 1}));
            let _ = template.render(&Context { event: &event, rule: &json!({}), pack_config: &json!({}) });
        }
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let finite = any::<f64>().prop_filter("JSON", |float| float.is_finite());
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        finite.prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

#[test]
fn a_slice_reads_what_it_slices() {
    let payload = json!({"s": "hello", "list": [1, 2, 3]});
    assert_eq!(render_for(payload.clone(), json!("{{ event.payload.s[0:2] }}")).unwrap(), json!("he"));
    assert_eq!(
        render_for(payload.clone(), json!("begins {{ event.payload.s[:2] }}")).unwrap(),
        json!("begins he")
    );
    assert_eq!(render_for(payload, json!("{{ event.payload.list[1:] }}")).unwrap(), json!([2, 3]));
}
