// The payload of the event that hostile templates are rendered for, as an expression: tests and measurements include it.
{
    let deep = (0..90).fold(json!([]), |inner, _| json!([inner]));
    let objects: Vec<_> = (0..2000).map(|n| json!({"name": format!("name-{n}"), "n": n})).collect();
    json!({"n": 99_999_999_999_999_u64, "text": "text", "long": "x".repeat(200_000),
        "list": (0..20_000).collect::<Vec<_>>(), "objects": objects, "deep": deep})
}
