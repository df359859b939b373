//! A sensor from nothing: written, tested, loaded, at work.

use serde_json::json;

use crate::home::{Home, assert_terminal};

/// Runtimes that have a template, as people call them.
const RUNTIMES: [&str; 3] = ["node", "python", "sh"];

#[test]
fn a_new_pack_is_valid_and_passes_its_own_tests() {
    let home = Home::new();
    let written =
        home.terminal(&[&["sensor", "new", "--runtime", "python", "shop"], &["pack", "test", "shop"]]);
    assert_terminal!("new_sensor", written);
    for runtime in RUNTIMES {
        let name = format!("by_{runtime}.watch");
        let new = home.json(&["sensor", "new", "--runtime", runtime, &name]);
        let pack = new["pack"].as_str().unwrap();
        assert_eq!(home.json(&["pack", "validate", pack])["valid"], true);
        let test = home.json(&["pack", "test", pack]);
        assert_eq!((&test["passed"], &test["failed"]), (&json!(4), &json!(0)), "{test:#}");
        let sensor = format!("{pack}/{}", new["sensor"].as_str().unwrap());
        let first = home.json(&["sensor", "test", &sensor]);
        assert_eq!(
            (first["events"].as_array().unwrap().len(), &first["events"][0]["refused"]),
            (1, &json!(null))
        );
        let second = home.json(&[
            "sensor",
            "test",
            &sensor,
            "--config",
            r#"{"directory": "/"}"#,
            "--state",
            r#"{"count": 0}"#,
        ]);
        assert_eq!(second["events"][0]["payload"]["before"], 0, "{second:#}");
        assert_eq!(
            home.json(&["sensor", "new", "--runtime", "sh", "second", "--pack", pack])["sensor"],
            "sensors/second.yaml"
        );
        assert_eq!(home.json(&["pack", "test", pack])["passed"], 8);
    }
}

#[test]
fn nothing_is_overwritten_and_every_refusal_is_explained() {
    let home = Home::new();
    std::fs::create_dir(home.path().join("taken")).unwrap();
    home.json(&["sensor", "new", "--runtime", "sh", "shop"]);
    let terminal = home.terminal(&[
        &["sensor", "new", "--runtime", "sh", "taken"],
        &["sensor", "new", "--runtime", "sh", "shop", "--pack", "shop"],
        &["sensor", "new", "--runtime", "sh", "till", "--pack", "taken"],
        &["sensor", "new", "--runtime", "cobol", "new"],
        &["sensor", "new", "--runtime", "native", "new"],
        &["sensor", "new", "--runtime", "sh", "New Pack"],
        &["sensor", "new", "--runtime", "sh", "404"],
    ]);
    assert_terminal!("new_sensor_refused", terminal);
    assert!(std::fs::read_dir(home.path().join("taken")).unwrap().next().is_none());
    assert!(!home.path().join("new").exists());
}

#[test]
fn a_new_pack_works_when_it_is_loaded() {
    let (home, database) = Home::with_database();
    let _up = home.up(&[]);
    for runtime in RUNTIMES {
        let pack = format!("by_{runtime}");
        home.json(&["sensor", "new", "--runtime", runtime, &pack]);
        home.json(&["pack", "load", &pack]);
    }
    for runtime in RUNTIMES {
        database.eventually(&format!(
            "SELECT 1 FROM execution WHERE rule_ref = 'by_{runtime}.by_{runtime}_tell' AND status = 'succeeded'"
        ));
    }
}

#[test]
fn tests_that_fail_say_how() {
    let home = Home::new();
    home.json(&["sensor", "new", "--runtime", "sh", "shop"]);
    let write = |file: &str, text: &str| std::fs::write(home.path().join("shop").join(file), text).unwrap();
    write("tests/a.yaml", "sensor: shop.shop\nconfig: {directory: /}\nexpect: {events: [{before: 7}]}\n");
    write("tests/b.yaml", "sensor: shop.shop\nconfig: {directory: 7}\nexpect: {at_least: 1}\n");
    write("tests/c.yaml", "sensor: shop.shop\nexpect: {error: broken}\n");
    write("tests/d.yaml", "rule: shop.shop_tell\nevent: {count: 0, directory: /}\nexpect: {fires: true}\n");
    write("tests/e.yaml", "rule: shop.shop_tell\nevent: {count: none}\nexpect: {fires: true}\n");
    let failing = home.terminal(&[&["pack", "test", "shop"]]);
    write("tests/f.yaml", "sensor: shop.shpo\nexpect: {errors: none}\n");
    assert_terminal!("pack_test_fails", [failing, home.terminal(&[&["pack", "test", "shop"]])].concat());
}
