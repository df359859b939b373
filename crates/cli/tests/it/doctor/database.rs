//! The database: gone, too old, too new, torn.

use attune_testkit::TestDb;

use super::{findings, finds, section};
use crate::database::Database;
use crate::home::{Home, assert_terminal};

#[test]
fn one_that_does_not_answer_is_a_problem_and_skips_what_needs_it() {
    let home = Home::on("postgresql://me:secret@127.0.0.1:1/facts");
    let answer = home.attune(&["doctor"]);
    assert_eq!(answer.code, 1);
    assert!(!answer.stdout.contains("secret"), "{answer}");
    assert_terminal!("doctor_no_database", [section(&home, "database"), section(&home, "schema")].concat());
}

#[test]
fn an_older_schema_a_newer_one_and_a_torn_one() {
    let database = Database::for_test(TestDb::migrated_to(20_260_131_000_001));
    let home = Home::on(&database.url);
    finds(&home, "schema", "warning", "it is older than this program: 20260202000001 ");
    // What the schema lacks is no reason to fall over.
    assert_eq!(findings(&home, "sensors")[0].0, "warning");

    let (home, database) = Home::with_database();
    assert_eq!(findings(&home, "schema"), [("ok".to_owned(), "up to date".to_owned())]);
    database.execute(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (99990101000000, 'from the future', true, '', 0)",
    );
    database.execute("UPDATE _sqlx_migrations SET checksum = '' WHERE version = 20260131000001");
    database.execute("UPDATE _sqlx_migrations SET success = false WHERE version = 20260203000001");
    assert_eq!(home.attune(&["doctor"]).code, 1);
    assert_terminal!("doctor_schema", section(&home, "schema"));
}

#[test]
fn an_empty_one_is_to_be_migrated() {
    let database = Database::for_test(TestDb::empty());
    finds(&Home::on(&database.url), "schema", "warning", "it is older than this program");
}
