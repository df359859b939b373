//! What kind of system this is, for hints how to install what it lacks.

use std::path::Path;
use std::sync::LazyLock;

use attune_core::runtime::installation::Advice;

use crate::models::Runtime;

/// Where systems say what they are, the first that exists.
const FILES: [&str; 2] = ["/etc/os-release", "/usr/lib/os-release"];

/// How to install this runtime here; how to do so anywhere when the row does not know this system.
pub fn advice(runtime: &Runtime) -> Advice {
    static HERE: LazyLock<Vec<String>> = LazyLock::new(|| {
        let text = FILES.iter().find_map(|file| std::fs::read_to_string(Path::new(file)).ok());
        names(&text.unwrap_or_default())
    });
    Advice::choose(runtime.installation.as_ref(), &HERE)
}

/// How to install this runtime on any system, for who does not know where that will be.
pub fn advice_for_all(runtime: &Runtime) -> Advice {
    Advice::choose(runtime.installation.as_ref(), &[])
}

/// `ID`, then what `ID_LIKE` names, then the kernel.
fn names(os_release: &str) -> Vec<String> {
    let value = |key: &str| {
        let lines = os_release.lines().filter_map(|line| line.split_once('='));
        lines
            .filter(|(name, _)| name.trim() == key)
            .map(|(_, value)| value.trim().trim_matches(['"', '\'']))
            .next_back()
    };
    let names = value("ID").into_iter().chain(value("ID_LIKE").into_iter().flat_map(str::split_whitespace));
    names.chain([std::env::consts::OS]).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_system_goes_by_its_own_name_and_those_of_its_relatives() {
        let text = "NAME=\"Mint\"\nID=linuxmint\n# ID=no\nID_LIKE=\"ubuntu debian\"\nVERSION_ID='21'\n";
        assert_eq!(names(text), ["linuxmint", "ubuntu", "debian", std::env::consts::OS]);
    }

    #[test]
    fn a_file_that_says_nothing_leaves_the_kernel() {
        assert_eq!(names("\0garbage\nIDENTITY=x"), [std::env::consts::OS]);
    }
}
