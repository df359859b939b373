//! A template means with its guards what it means without: minijinja alone is asked, and gives the same.

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde_json::{Value, json};

use crate::event::tests::event;
use crate::template::engine::syntax;
use crate::template::{Context, Template, WORK_LIMIT, rewrite};
use crate::work;

fn payload() -> Value {
    json!({"name": "nginx", "count": 3, "load": 1.5, "on": true, "no": null, "minus": -2, "empty": [], "text": "a b\nc d",
        "items": [{"name": "b", "n": 1}, {"name": "a", "n": 2}, {"name": "c", "n": 2}], "map": {"x": 1, "y": [1, 2]},
        "numbers": [3, 1, 2]})
}

/// What minijinja says, without guards and without budgets.
fn plainly(text: &str) -> Result<String, ()> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_syntax(syntax());
    environment.set_fuel(Some(20_000));
    environment.render_str(text, context()).map_err(drop)
}

/// The same engine, but with the guards written in.
fn guarded(text: &str) -> Result<String, ()> {
    let mut environment = crate::template::engine::environment();
    environment.set_formatter(minijinja::escape_formatter);
    let text = rewrite::text(text).map_err(drop)?;
    work::within(WORK_LIMIT as u64, || environment.render_str(&text, context()).map_err(drop)).value()
}

fn context() -> minijinja::Value {
    minijinja::Value::from(Serde(&json!({"event": {"payload": payload()}, "p": payload()})))
}

const EXPRESSIONS: &[&str] = &[
    "1 + 2",
    "1 + 2 * 3",
    "(1 + 2) * 3",
    "2 ** 3 ** 2",
    "-p.count",
    "- (1 - 2)",
    "1 - 2 - 3",
    "7 // 2 % 2",
    "7 / 2",
    "p.minus * 2",
    "2 * p.load",
    "'ab' * 3",
    "3 * 'ab'",
    "[1] * 2",
    "p.items[0].name * p.count",
    "1 + p.load",
    "'a' + p.name + 'b'",
    "p.items + [1]",
    "[1] + [2] + [3]",
    "'a' ~ 1 ~ true ~ none ~ [1, 'x'] ~ {'a': 1}",
    "p.name ~ p.count + 1",
    "p.count + 1 ~ p.name",
    "1 < 2",
    "1 < p.count < 5",
    "3 > p.count >= 3",
    "p.count == 3.0",
    "p.items[0] == {'name': 'b', 'n': 1}",
    "p.name != 'x' and p.on",
    "p.no or 'x'",
    "not p.on or p.count",
    "not (p.on and p.no)",
    "'g' in p.name",
    "2 in p.numbers",
    "5 not in p.numbers",
    "'x' in p.map",
    "p.name if p.on else 'off'",
    "p.name if p.no",
    "1 if p.no else 2 if p.on else 3",
    "p.text[0]",
    "p.text[-1]",
    "p.text[1:3]",
    "p.numbers[1:]",
    "p.numbers[::-1]",
    "p.numbers[:2][0]",
    "p.map.y[1]",
    "p.map['y'][0]",
    "p['map']['x']",
    "p.numbers[p.count - 1]",
    "p.nothing is defined",
    "p.name is defined",
    "p.count is odd",
    "p.count is divisibleby 3",
    "p.count is divisibleby(2)",
    "p.name is not none",
    "p.name is startingwith('ng')",
    "p.numbers is sequence",
    "p.map is mapping",
    "p.name is in ['nginx']",
    "p.name is eq 'nginx'",
    "p.name | upper",
    "p.name | upper | lower | title",
    "p.text | split",
    "p.text | split('\n') | length",
    "p.text | lines",
    "p.text | indent(2)",
    "p.text | indent(2, true)",
    "p.text | indent(width=3, first=true)",
    "p.text | replace('a', 'xyz')",
    "p.text | trim",
    "p.name | capitalize",
    "p.name | length",
    "p.numbers | length",
    "p.name | list",
    "p.numbers | sort",
    "p.numbers | sort(reverse=true) | first",
    "p.numbers | last",
    "p.numbers | min",
    "p.numbers | max",
    "p.numbers | sum",
    "p.numbers | join('-')",
    "p.numbers | join",
    "p.numbers | reverse | list",
    "p.numbers | batch(2)",
    "p.numbers | batch(2, 0)",
    "p.numbers | slice(2)",
    "p.numbers | slice(2, 0)",
    "p.numbers | unique",
    "p.items | map(attribute='name') | list",
    "p.items | map(attribute='name') | join(', ')",
    "p.numbers | map('string') | list",
    "p.items | selectattr('n', 'eq', 2) | list",
    "p.items | rejectattr('n', 'eq', 2) | list",
    "p.numbers | select('odd') | list",
    "p.numbers | reject('odd') | list",
    "p.items | sort(attribute='name')",
    "p.items | groupby('n')",
    "p.items | sum(attribute='n')",
    "p.map | dictsort",
    "p.map | items",
    "p.map | tojson",
    "p.map | tojson(true)",
    "p.items | tojson(indent=2)",
    "p.map | pprint",
    "p.load | round",
    "p.load | round(1)",
    "p.load | int",
    "p.count | float",
    "'12' | int",
    "'x' | int(3)",
    "p.minus | abs",
    "p.no | default('d')",
    "p.nothing | default('d')",
    "p.nothing | d('d')",
    "p.no | default('d', true)",
    "p.on | bool",
    "p.name | string",
    "'<a>' | escape",
    "'<a>' | e",
    "'<a>' | safe",
    "p.numbers | zip([1, 2, 3]) | list",
    "p.numbers | chain([9]) | list",
    "p.items | first | attr('name')",
    "p.map | attr('x')",
    "'%05.1f|%s|%d' | format(p.load, p.name, 3)",
    "'%*d' | format(5, 3)",
    "range(5) | list",
    "range(1, 10, 3) | list",
    "range(3)[1]",
    "range(5)[1:3]",
    "dict(a=1, b=p.count)",
    "dict({'a': 1}, b=2)",
    "[1, p.count, 'x'][1]",
    "(1, 2)[0]",
    "(1,)",
    "()",
    "{'a': p.count, 'b': {'c': [1]}}",
    "{'a': 1}.a",
    "[]",
    "{}",
    "[p.items, p.numbers] | length",
    "'}}' ~ '{{' ~ '%}' ~ '#}'",
    "'a\\\\b\\n\\t\\'\"' | length",
    "1.5e3",
    "1e308",
    "100000000000000000000",
    "true and none",
    "'é' ~ '日本'",
    "p.nothing",
    "p.nothing.more",
    "p.nothing | upper",
    "p.name | nope",
    "p.name is nope",
    "nope(1)",
    "p.name.nope()",
    "1 / 0",
    "'a' * 'b'",
    "'a' + 1",
    "p.items < 1",
    "[*p.numbers, 1]",
    "range(*[1, 4]) | list",
    "dict(**p.map)",
    "'' + 'a'",
    "p.numbers|map('upper')|first",
    "p.text|split(' ')|map('trim')|list",
    "1 in [1] == true",
    "(p.numbers | sort)[0] + 1",
    "p.count | string + 'x'",
    "p.name[1:][1:]",
    "-1 | abs",
    "(-1) | abs",
];

const TEXTS: &[&str] = &[
    "plain",
    "a{{ p.name }}b",
    "{% for i in p.items %}{{ i.name }}{% if not loop.last %}, {% endif %}{% endfor %}",
    "{% for i in p.empty %}x{% else %}none{% endfor %}",
    "{% for k, v in p.map | items %}{{ k }}={{ v }};{% endfor %}",
    "{% for i in p.numbers if i > 1 %}{{ loop.index }}{{ i }}{% endfor %}",
    "{% set x = p.name %}{{ x }}",
    "{% set x, y = 1, p.count %}{{ x + y }}",
    "{% set x %}in {{ p.name }}{% endset %}{{ x | upper }}",
    "{% set x | upper %}in {{ p.name }}{% endset %}{{ x }}",
    "{% with a = 1, b = p.count %}{{ a + b }}{% endwith %}",
    "{% filter upper | trim %} a {{ p.name }} {% endfilter %}",
    "{% if p.count > 5 %}a{% elif p.count > 2 %}b{% else %}c{% endif %}",
    "{% if p.no %}a{% elif p.no %}b{% elif p.on %}c{% endif %}",
    "{% if p.no %}a{% else %}{% if p.on %}b{% endif %}c{% endif %}",
    "{% set ns = namespace(n=0) %}{% for i in p.numbers %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}",
    "{% for i in p.numbers %}{{ loop.cycle('a', 'b') }}{{ loop.changed(i) }}{% endfor %}",
    "{% for i in [[1, [2, 3]]] recursive %}{% if i is sequence %}({{ loop(i) }}){% else %}{{ i }}{% endif %}{% endfor %}",
    "{% autoescape 'html' %}{{ '<a>' }}{% endautoescape %}",
    "  {%- if p.on -%}  x  {%- endif -%}  ",
    "{# a comment #}x",
    "{% raw %}{{ p }}{% endraw %}",
    "{% raw %}{%{% endraw %}{% raw %}{#{% endraw %}",
    "a {{# c #}{ p }}",
    "{ {{ p.name }} } % # }} %}",
    "{% if p.on %}{% raw %}{{% endraw %}{% raw %}{ 1 }}{% endraw %}{% endif %}",
    "{% for i in p.numbers %}{% raw %}{{ i }}{% endraw %}, {% endfor %}",
    "{{ p.name }}\n",
    "line\n{{ p.name }}\n\n",
    "\t\u{7f}{{ 1 }}\r\n",
    "{% for a in p.numbers %}{% for b in p.numbers %}{{ a * b }} {% endfor %}{% endfor %}",
    "{% for i in p.name if p.on else 1 %}{{ i }}{% endfor %}",
    "{% do namespace() %}x",
    "{{ 'a' 'b' }}",
    "{% set x = 1 if p.no else 2 %}{{ x }}",
];

#[test]
fn guards_change_nothing() {
    let expressions = EXPRESSIONS.iter().map(|expression| format!("x{{{{ {expression} }}}}"));
    for text in expressions.chain(TEXTS.iter().map(ToString::to_string)) {
        assert_eq!(guarded(&text), plainly(&text), "{text}\n{:?}", rewrite::text(&text));
    }
}

/// What stands alone keeps its type, so it is another way through the engine.
#[test]
fn a_sole_expression_means_what_it_means_in_text() {
    let mut compared = 0;
    for expression in EXPRESSIONS {
        let render = |text: String| {
            let event = event(payload());
            let context = Context { event: &event, rule: &json!({}), pack_config: &json!({}) };
            Template::compile(&json!(text)).ok().and_then(|template| template.render(&context).ok())
        };
        // A plain path knows indexes of lists only.
        if *expression == "p.text[0]" {
            continue;
        }
        let expression = expression.replace("p.", "event.payload.").replace("p[", "event.payload[");
        let alone = render(format!("{{{{ {expression} }}}}"));
        let in_text = render(format!("{{{{ [{expression}] }}}} "));
        if let (Some(alone), Some(Value::String(in_text))) = (alone, in_text) {
            assert_eq!(serde_json::from_str::<Value>(&in_text).unwrap(), json!([alone]), "{expression}");
            compared += 1;
        }
    }
    // The others are refused, or render nothing that is JSON.
    assert!(compared >= 150, "{compared} of {} were compared", EXPRESSIONS.len());
}
