//! Lists of more bytes than the API sends at once.

use serde_json::Value;

use crate::home::Home;

#[test]
fn a_list_is_whole_however_many_pages_it_takes() {
    let (home, database) = Home::with_database();
    let _up = home.up(&[]);
    database.execute(
        "INSERT INTO event (trigger_ref, payload)
         SELECT 'demo.note', jsonb_build_object('n', n, 'text', repeat('x', 900000)) FROM generate_series(1, 12) n",
    );
    let list = |limit: &str| -> Vec<i64> {
        let rows = home.json(&["event", "list", "--where", "trigger_ref=demo.note", "-n", limit]);
        rows.as_array().unwrap().iter().map(|row| row["payload"]["n"].as_i64().unwrap()).collect()
    };
    assert_eq!(list("20"), (1..=12).rev().collect::<Vec<_>>());
    assert_eq!(list("11"), (2..=12).rev().collect::<Vec<_>>());
}

#[test]
fn things_go_on_after_a_name() {
    let (home, _database) = Home::with_database();
    let _up = home.up(&[]);
    let refs = |arguments: &[&str]| -> Vec<Value> {
        let rows = home.json(&[&["runtime", "list"], arguments].concat());
        rows.as_array().unwrap().iter().map(|row| row["ref"].clone()).collect()
    };
    let all = refs(&[]);
    let first = refs(&["-n", "2"]);
    assert_eq!(refs(&["--after", first[1].as_str().unwrap()]), all[2..]);
}
