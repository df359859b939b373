//! The complete environment of a program. Nothing is inherited but what is named here or in the runtime's row, so that
//! the worker's own secrets, its database's address among them, never reach other people's code.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// Where programs are looked for when the worker has no PATH.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What of the worker's environment every program gets.
const PASSED: &[&str] = &["PATH", "HOME", "TZ"];

/// Composes an environment: the passed variables, what the row allows, a fixed locale, a private directory for temporary
/// files, and last, so that nothing overrides it, what is given: by the row, the environment of dependencies and the run itself.
///
/// Of the locale only the characters are named. In all else `C.UTF-8` is as no locale at all, but a program that is told of
/// it by `LANG` reads a file for each of its dozen parts first, which takes a shell half as long again to start.
pub fn variables(
    inherited: impl Fn(&str) -> Option<OsString>,
    allowed: &[String],
    working_directory: &Path,
    given: impl IntoIterator<Item = (OsString, OsString)>,
) -> Vec<(OsString, OsString)> {
    let mut all = BTreeMap::from([
        (OsString::from("PATH"), OsString::from(DEFAULT_PATH)),
        (OsString::from("HOME"), working_directory.as_os_str().to_owned()),
    ]);
    let passed = PASSED.iter().copied().chain(allowed.iter().map(String::as_str));
    all.extend(passed.filter_map(|name| Some((OsString::from(name), inherited(name)?))));
    all.insert("LC_CTYPE".into(), "C.UTF-8".into());
    all.insert("TMPDIR".into(), working_directory.as_os_str().to_owned());
    all.extend(given);
    all.into_iter().collect()
}

/// The environment of this process, for [`variables`].
pub fn of_this_process(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Where programs are looked for, before there is an environment.
pub fn path(inherited: impl Fn(&str) -> Option<OsString>) -> OsString {
    inherited("PATH").unwrap_or_else(|| DEFAULT_PATH.into())
}

/// The PATH of an environment that [`variables`] composed.
pub fn path_of(variables: &[(OsString, OsString)]) -> &OsStr {
    variables.iter().find(|(name, _)| name == "PATH").map_or(OsStr::new(DEFAULT_PATH), |(_, path)| path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn composed(
        worker: &[(&str, &str)],
        allowed: &[&str],
        given: &[(&str, &str)],
    ) -> BTreeMap<String, String> {
        let allowed: Vec<String> = allowed.iter().map(ToString::to_string).collect();
        let find =
            |name: &str| worker.iter().find(|(n, _)| *n == name).map(|(_, value)| OsString::from(value));
        let given = given.iter().map(|(name, value)| (name.into(), value.into()));
        variables(find, &allowed, Path::new("/w"), given)
            .into_iter()
            .map(|(name, value)| (name.into_string().unwrap(), value.into_string().unwrap()))
            .collect()
    }

    #[test]
    fn only_what_is_named_gets_through() {
        let worker =
            [("PATH", "/p"), ("HOME", "/h"), ("TZ", "UTC"), ("LANG", "de"), ("SECRET", "s"), ("PROXY", "x")];
        let all = composed(&worker, &["PROXY", "ABSENT"], &[("ATTUNE_ACTION", "a.b")]);
        let expected = [
            ("ATTUNE_ACTION", "a.b"),
            ("HOME", "/h"),
            ("LC_CTYPE", "C.UTF-8"),
            ("PATH", "/p"),
            ("PROXY", "x"),
            ("TMPDIR", "/w"),
            ("TZ", "UTC"),
        ];
        assert_eq!(all, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    }

    #[test]
    fn a_bare_worker_still_gives_a_path_and_the_run_has_the_last_word() {
        let all = composed(&[], &["TMPDIR"], &[("LC_CTYPE", "fr")]);
        assert_eq!(all["PATH"], DEFAULT_PATH);
        assert_eq!(all["HOME"], "/w");
        assert_eq!(all["LC_CTYPE"], "fr");
    }

    #[test]
    fn the_path_is_found_again() {
        let all = variables(|_| None, &[], Path::new("/w"), [("PATH".into(), "/only".into())]);
        assert_eq!(path_of(&all), "/only");
        assert_eq!(path_of(&[]), DEFAULT_PATH);
    }
}
