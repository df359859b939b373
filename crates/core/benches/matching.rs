//! What an event costs before its transaction begins: 100 rules of three conditions on one trigger, of which two match and
//! render their parameters; and the parts of that alone.

use std::hint::black_box;

use attune_core::conditions::Conditions;
use attune_core::event::EventView;
use attune_core::output::parse_plain;
use attune_core::protocol::{Decoder, Poll};
use attune_core::template::{Context, Template};
use chrono::DateTime;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::{Value, json};

struct Rule {
    row: Value,
    conditions: Conditions,
    params: Template,
}

fn event() -> EventView {
    EventView {
        id: 1,
        trigger: "demo.cpu_high".into(),
        sensor: Some("demo.cpu".into()),
        source: None,
        key: None,
        payload: json!({"host": "web-7", "cpu_percent": 91.5, "tags": ["prod", "eu"], "disk": {"used": 12, "free": 88},
            "message": "load average 3.1 2.2 1.9 on web-7"}),
        trigger_params: None,
        created: DateTime::from_timestamp(1_770_000_000, 0).expect("a time that exists"),
    }
}

fn rule(number: usize) -> Rule {
    // Two in a hundred name the host of the event; the others fail at the last of their three conditions.
    let host = if number.is_multiple_of(50) { "web-7".to_owned() } else { format!("db-{number}") };
    let conditions = json!([
        {"field": "payload.cpu_percent", "operator": "greater_than", "value": 80},
        {"field": "payload.tags", "operator": "contains", "value": "prod"},
        {"field": "payload.host", "operator": "equals", "value": host},
    ]);
    let params = json!({"host": "{{ event.payload.host }}", "percent": "{{ event.payload.cpu_percent | round }}",
        "text": "{{ event.payload.host }} is at {{ event.payload.cpu_percent }}%", "channel": "ops", "retries": 3});
    Rule {
        row: json!({"ref": format!("demo.rule_{number}"), "id": number}),
        conditions: Conditions::compile(&conditions).expect("good conditions"),
        params: Template::compile(&params).expect("a good template"),
    }
}

fn decide(rules: &[Rule], event: &EventView, config: &Value) -> Vec<Value> {
    let matching = rules.iter().filter(|rule| rule.conditions.matches(event));
    let render = |rule: &Rule| rule.params.render(&Context { event, rule: &rule.row, pack_config: config });
    matching.map(|rule| render(rule).expect("parameters for every event")).collect()
}

fn matching(criterion: &mut Criterion) {
    let (event, config) = (event(), json!({}));
    let rules: Vec<Rule> = (0..100).map(rule).collect();
    assert_eq!(decide(&rules, &event, &config).len(), 2);

    let mut group = criterion.benchmark_group("matching");
    group.throughput(Throughput::Elements(1));
    group.bench_function("100 rules of 3 conditions, 2 match and render", |bencher| {
        bencher.iter(|| decide(black_box(&rules), black_box(&event), &config));
    });
    group.bench_function("1 rule of 3 conditions, no match", |bencher| {
        bencher.iter(|| rules[1].conditions.matches(black_box(&event)));
    });
    group.bench_function("1 template of a path, an expression and a text", |bencher| {
        let context = Context { event: &event, rule: &rules[0].row, pack_config: &config };
        bencher.iter(|| rules[0].params.render(black_box(&context)));
    });
    group.finish();
}

fn output(criterion: &mut Criterion) {
    let payload = event().payload;
    let plain = json!({"events": vec![&payload; 100]}).to_string();
    let lines = format!("{}\n", json!({"type": "event", "payload": payload})).repeat(100);

    let mut group = criterion.benchmark_group("output");
    group.throughput(Throughput::Elements(100));
    group.bench_function("100 events of a plain program", |bencher| {
        bencher.iter(|| parse_plain(black_box(plain.as_bytes())).expect("a good output"));
    });
    group.bench_function("100 events of a wrapper", |bencher| {
        bencher.iter(|| {
            let mut messages = Vec::new();
            Decoder::<Poll>::default().push(black_box(lines.as_bytes()), &mut messages).expect("good lines");
            messages
        });
    });
    group.finish();
}

criterion_group!(benches, matching, output);
criterion_main!(benches);
