//! Templates that want too much end as an error that says so, or as what they ask for when that is little.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::event::tests::event;
use crate::template::{Context, Template};

fn hostile() -> BTreeMap<String, String> {
    let text = include_str!("../../../../../corpus/templates/hostile.yaml");
    serde_saphyr::from_str(text).unwrap()
}

fn payload() -> Value {
    include!("../../../../../corpus/templates/payload.rs")
}

#[test]
fn each_ends_within_its_budget() {
    let event = event(payload());
    let endings: BTreeMap<_, _> = hostile()
        .into_iter()
        .map(|(name, template)| {
            let rendered = Template::compile(&json!({"p": template}))
                .map_err(|fault| fault.to_string())
                .and_then(|template| {
                    let context = Context { event: &event, rule: &json!({}), pack_config: &json!({}) };
                    template.render(&context).map_err(|error| error.to_string())
                });
            (name, rendered.map_or_else(|error| error, |value| shortened(&value.to_string())))
        })
        .collect();
    insta::assert_json_snapshot!(endings);
}

fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}

#[test]
fn what_is_too_long_is_refused_before_it_is_parsed() {
    let refused = |text: String| Template::compile(&json!(text)).unwrap_err().message;
    assert!(refused(format!("{{{{ 1{} }}}}", "+1".repeat(100_000))).contains("at most 1000"));
    assert!(refused(format!("{{{{ {} }}}}", "not ".repeat(100_000) + "1")).contains("at most 1000"));
    assert!(refused(format!("{{{{ event{} }}}}", "['a']".repeat(50_000))).contains("at most 1000"));
    assert!(refused(format!("{{{{ event{} }}}}", "|d".repeat(50_000))).contains("at most 1000"));
    let branches = "{% elif 1 %}".repeat(1000);
    assert!(refused(format!("{{% if 1 %}}{branches}{{% endif %}}")).contains("at most 200"));
    assert!(refused("{{ 1 }}".repeat(5_000)).contains("at most 10000"));
    let many = vec!["{{1+1+1+1+1}}"; 30_000];
    assert!(Template::compile(&json!(many)).unwrap_err().message.contains("at most 200000"));
}

/// On a thread with as little stack as a service's threads have.
#[test]
fn the_longest_that_is_allowed_fits_into_a_threads_stack() {
    let longest = [
        format!("{{{{ 1{} }}}}", "+1".repeat(490)),
        format!("{{{{ 'a'{} }}}}", "~'a'".repeat(490)),
        format!("{{{{ event{} }}}}", ".a".repeat(490)),
        format!("{{{{ event{} }}}}", "|d".repeat(490)),
        format!("{{{{ event is {} }}}}", vec!["defined"; 490].join(" is ")),
        format!("{{{{ {} 1 }}}}", "not ".repeat(900)),
        format!("{{% if 1 %}}{}{{% endif %}}", "{% elif 1 %}".repeat(190)),
    ];
    let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(move || {
        for text in longest {
            let event = event(json!({}));
            let context = Context { event: &event, rule: &json!({}), pack_config: &json!({}) };
            // Whether it is nested too deep for the parser is the parser's to say.
            if let Ok(template) = Template::compile(&json!(text)) {
                let _ = template.render(&context);
            }
        }
    });
    thread.unwrap().join().unwrap();
}

/// What a rule does in a day's work stays far within the budget.
#[test]
fn what_people_write_is_not_refused() {
    let event = event(payload());
    let render = |template: &str| {
        let context = Context { event: &event, rule: &json!({}), pack_config: &json!({}) };
        Template::compile(&json!(template)).unwrap().render(&context)
    };
    for template in [
        "{{ event.payload.objects | map(attribute='name') | join(', ') }}",
        "{{ event.payload.objects | selectattr('n', 'gt', 1990) | list }}",
        "{{ event.payload.objects | tojson(indent=2) }}",
        "{{ event.payload.list | sort(reverse=true) | first }}",
        "{{ event.payload.list | sum }}",
        "{{ event.payload.long | length }}",
        "{{ event.payload.long | upper | replace('X', 'yy') | length }}",
        "{% for o in event.payload.objects[:1500] %}{{ loop.index }}: {{ o.name }}\n{% endfor %}",
        "{% set ns = namespace(all=[]) %}{% for o in event.payload.objects[:1000] %}{% set ns.all = ns.all + [o.n] %}{% endfor %}{{ ns.all }}",
    ] {
        render(template).unwrap_or_else(|error| panic!("{template}: {error}"));
    }
}
