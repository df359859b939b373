//! The database by hand.

use attune_testkit::TestDb;

use crate::database::Database;
use crate::home::Home;

#[test]
fn the_schema_is_brought_up_to_date_as_often_as_it_is_asked_for() {
    let database = Database::for_test(TestDb::empty());
    let home = Home::on(&database.url);
    for _ in 0..2 {
        let answer = home.answer(home.command(&["db", "migrate"]));
        assert_eq!((answer.code, answer.stdout.as_str()), (0, "The schema is up to date\n"), "{answer}");
    }
    let refs = database.rows("SELECT ref FROM runtime ORDER BY ref");
    let refs: Vec<_> = refs.iter().filter_map(|row| row["ref"].as_str()).collect();
    assert_eq!(refs, ["core.native", "core.nodejs", "core.python", "core.sensor.builtin", "core.shell"]);
    assert_eq!(database.number("SELECT count(*) FROM action WHERE ref = 'core.run_command'"), 1);
}

#[test]
fn the_configured_address_is_printed_unless_a_data_directory_is_named() {
    let home = Home::on("postgresql://db.example/attune");
    let answer = home.answer(home.command(&["db", "url"]));
    assert_eq!(answer.to_string(), "postgresql://db.example/attune\n");
    std::fs::create_dir(home.data_dir()).unwrap();
    let private = home.attune(&["db", "url"]);
    assert!(private.stdout.starts_with("postgresql:///attune?host="), "{private}");
}
