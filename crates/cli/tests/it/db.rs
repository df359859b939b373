//! The database by hand.

use std::os::unix::fs::PermissionsExt as _;

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
    for command in [&["db", "url"], &["db", "shell"]] {
        let none = home.attune(command);
        assert_eq!(none.code, 3, "{none}");
        assert!(
            none.stderr.contains("there is no private database in [home]/data yet; `attune up`"),
            "{none}"
        );
    }
    std::fs::create_dir_all(home.data_dir().join("postgres")).unwrap();
    let private = home.attune(&["db", "url"]);
    assert!(private.stdout.starts_with("postgresql:///attune?host="), "{private}");
}

#[test]
fn psql_gets_the_address_where_no_other_user_can_read_it() {
    let home = Home::on("postgresql://me:s3cret%21@db.example:6543/attune?statement-cache-capacity=5");
    let psql = home.path().join("psql");
    std::fs::write(&psql, "#!/bin/sh\ntr '\\0' '\\n' < /proc/$$/cmdline\nenv | grep ^PG | sort\n").unwrap();
    std::fs::set_permissions(&psql, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = home.command(&["db", "shell", "--", "-c", "SELECT 1"]);
    let path = format!("{}:{}", home.path().display(), std::env::var("PATH").unwrap());
    command.env("PATH", path);
    let told = home.answer(command);
    let lines: Vec<_> = told.stdout.lines().collect();
    let wanted = [
        "/bin/sh",
        "[home]/psql",
        "-c",
        "SELECT 1",
        "PGDATABASE=attune",
        "PGHOST=db.example",
        "PGPASSWORD=s3cret!",
        "PGPORT=6543",
        "PGUSER=me",
    ];
    assert_eq!(lines, wanted, "{told}");
}
