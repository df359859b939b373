//! psql on a database, told in its environment where that is: its arguments can be read by every user of the machine, and the
//! address may hold a password.
//!
//! The parts of the address are those that Attune itself connects by. What psql does not know is left out.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;
use attune_process::find_on_path;
use percent_encoding::percent_decode_str;
use url::Url;

use crate::failure::Failure;

/// psql on this machine.
#[derive(Debug)]
pub(super) struct Psql(PathBuf);

impl Psql {
    /// On PATH, or beside the server's own programs.
    pub(super) fn find() -> anyhow::Result<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let beside = || {
            attune_localdb::find_server().ok().map(|server| server.bin.join("psql")).filter(|it| it.is_file())
        };
        let found = find_on_path("psql", &path).or_else(beside);
        Ok(Self(found.ok_or_else(|| {
            Failure::Failed(
                "psql is not installed here\nhint: apt-get install postgresql-client (Debian, Ubuntu), dnf install postgresql (Fedora), brew install libpq (macOS)"
                    .to_owned(),
            )
        })?))
    }

    /// A command that connects to the database of this address.
    pub(super) fn command(&self, url: &str, arguments: &[OsString]) -> anyhow::Result<Command> {
        let mut command = Command::new(&self.0);
        command.envs(environment(url)?).args(arguments);
        Ok(command)
    }
}

/// The address, as variables of libpq.
fn environment(url: &str) -> anyhow::Result<Vec<(&'static str, String)>> {
    // The reason could repeat a part of it.
    let url = Url::parse(url).ok().context("the database URL cannot be read")?;
    let mut found = Vec::new();
    let mut set = |name, value: &str| {
        found.retain(|(known, _)| *known != name);
        found.push((name, value.to_owned()));
    };
    let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
    let port = url.port().map(|port| port.to_string());
    let parts = [
        ("PGUSER", Some(url.username())),
        ("PGPASSWORD", url.password()),
        ("PGHOST", url.host_str()),
        ("PGPORT", port.as_deref()),
        ("PGDATABASE", Some(url.path().trim_start_matches('/'))),
    ];
    for (name, value) in parts {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            set(name, decoded(value).trim_matches(['[', ']']));
        }
    }
    let mut options = Vec::new();
    for (parameter, value) in url.query_pairs() {
        match variable(&parameter) {
            Some(name) => set(name, &value),
            None if parameter == "options" => options.push(value.into_owned()),
            None => options.extend(option(&parameter).map(|name| format!("-c {name}={value}"))),
        }
    }
    if !options.is_empty() {
        set("PGOPTIONS", &options.join(" "));
    }
    Ok(found)
}

/// The variable for a parameter of an address.
fn variable(parameter: &str) -> Option<&'static str> {
    Some(match parameter {
        "user" => "PGUSER",
        "password" => "PGPASSWORD",
        "host" => "PGHOST",
        "hostaddr" => "PGHOSTADDR",
        "port" => "PGPORT",
        "dbname" => "PGDATABASE",
        "application_name" => "PGAPPNAME",
        "sslmode" | "ssl-mode" => "PGSSLMODE",
        "sslrootcert" | "ssl-root-cert" | "ssl-ca" => "PGSSLROOTCERT",
        "sslcert" | "ssl-cert" => "PGSSLCERT",
        "sslkey" | "ssl-key" => "PGSSLKEY",
        _ => return None,
    })
}

/// The setting that `options[NAME]` names.
fn option(parameter: &str) -> Option<&str> {
    parameter.strip_prefix("options[")?.strip_suffix(']')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(url: &str) -> Vec<String> {
        environment(url).unwrap().into_iter().map(|(name, value)| format!("{name}={value}")).collect()
    }

    #[test]
    fn each_part_of_an_address_has_its_variable() {
        let whole =
            "postgresql://me:s3%26cret%21@db.example:6543/attune?sslmode=require&statement-cache-capacity=5";
        assert_eq!(
            told(whole),
            [
                "PGUSER=me",
                "PGPASSWORD=s3&cret!",
                "PGHOST=db.example",
                "PGPORT=6543",
                "PGDATABASE=attune",
                "PGSSLMODE=require"
            ]
        );
        assert_eq!(told("postgres://[::1]/a"), ["PGHOST=::1", "PGDATABASE=a"]);
        let socket = "postgresql:///attune?host=/run/attune-1&port=5432&user=attune";
        assert_eq!(
            told(socket),
            ["PGDATABASE=attune", "PGHOST=/run/attune-1", "PGPORT=5432", "PGUSER=attune"]
        );
        assert_eq!(told("postgresql://%2Frun%2Fdb/a"), ["PGHOST=/run/db", "PGDATABASE=a"]);
    }

    #[test]
    fn a_parameter_stands_for_a_part_and_settings_are_passed_on() {
        let url = "postgresql://me@db/a?user=other&options=-c%20jit%3Doff&options[search_path]=x";
        assert_eq!(told(url)[2..], ["PGUSER=other", "PGOPTIONS=-c jit=off -c search_path=x"]);
        assert!(!format!("{:#}", environment("secret").unwrap_err()).contains("secret"));
    }
}
