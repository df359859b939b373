// Large and deep values, as large as an event may be, by name, as an expression: tests and measurements include it.
{
    let nested = |depth: usize, around: &dyn Fn(Value) -> Value| {
        (0..depth).fold(json!({"key": "s3cret"}), |inside, _| around(inside))
    };
    let letters = ["a", "b", "x"];
    let mixed = (0..100)
        .fold(json!({"key": "s3cret"}), |inside, level| json!({letters[level % 7 % 3]: inside}));
    let values: Vec<(&'static str, Value)> = vec![
        ("deep", nested(120, &|inside| json!({"x": inside}))),
        ("mixed", mixed),
        ("deep lists", nested(120, &|inside| json!([inside, 1, "s"]))),
        ("numbers", json!((0..50_000).collect::<Vec<_>>())),
        ("objects", json!(vec![json!({"p7": 7, "x": {"x": 1}}); 5_000])),
        ("lists", json!(vec![json!([(0..20).collect::<Vec<_>>(), 999]); 1_000])),
        ("texts", json!(vec!["a".repeat(200); 1_000])),
        ("text", json!("a".repeat(1_000_000))),
        ("members", (0..5_000).map(|i| (format!("k{i}"), json!("a".repeat(20)))).collect::<Value>()),
    ];
    values
}
