//! Names of runtimes as people give them by hand: in an environment variable or a configuration file.
//!
//! People write `Alpha`, `alpha3` or `core.alpha` and mean one runtime; a name finds every runtime that it fits.

/// Names with commas between them, one by one and as they were written.
pub fn split(list: &str) -> Vec<String> {
    list.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Names trimmed and lower-cased, without blanks and doubles, in the order given.
pub fn normalise<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut normalised: Vec<String> = Vec::new();
    for name in names {
        let name = name.trim().to_lowercase();
        if !name.is_empty() && !normalised.contains(&name) {
            normalised.push(name);
        }
    }
    normalised
}

/// What a runtime is called.
#[derive(Debug, Clone, Copy)]
pub struct Called<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its dotted ref.
    pub r#ref: &'a str,
    /// What else people call it.
    pub aliases: &'a [String],
}

impl Called<'_> {
    /// Whether `name`, in whatever case, means this runtime: its name, its ref, the last part of that, or an alias.
    pub fn answers_to(&self, name: &str) -> bool {
        let name = name.trim().to_lowercase();
        let last_part = self.r#ref.rsplit('.').next().unwrap_or_default();
        let known =
            [self.name, self.r#ref, last_part].into_iter().chain(self.aliases.iter().map(String::as_str));
        !name.is_empty() && known.into_iter().any(|known| known.trim().to_lowercase() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_split_at_commas() {
        assert_eq!(split(" Alpha, beta,, ,gamma "), ["Alpha", "beta", "gamma"]);
        assert!(split(" , ").is_empty());
    }

    #[test]
    fn names_lose_case_blanks_and_doubles_but_not_their_order() {
        assert_eq!(normalise([" Shell", "python", "", "  ", "SHELL", "Node"]), ["shell", "python", "node"]);
    }

    #[test]
    fn a_runtime_answers_to_its_name_its_ref_and_its_aliases() {
        let aliases = ["sh".to_owned(), "Bash".to_owned()];
        let called = Called { name: "Shell Scripts", r#ref: "core.shell", aliases: &aliases };
        for name in ["shell scripts", "Shell Scripts", "core.shell", "CORE.SHELL", "shell", " SH ", "bash"] {
            assert!(called.answers_to(name), "{name}");
        }
        for name in ["", " ", "core", "scripts", "shel", "other.shell"] {
            assert!(!called.answers_to(name), "{name}");
        }
    }
}
