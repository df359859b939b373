//! Templates of new packs: directories of a runtime's own pack whose names and contents hold placeholders.
//!
//! Several directories lie one over the other, so that what is alike for all languages is written once. A placeholder is
//! `@pack@`, `@name@`, `@runtime@` or `@extension@`; every other text between two `@` stays as it is.

use crate::files::{Files, FilesError};

/// What stands for the placeholders.
#[derive(Clone, Debug)]
pub struct Values {
    /// The ref of the pack.
    pub pack: String,
    /// The name of the sensor in it.
    pub name: String,
    /// The ref of the runtime.
    pub runtime: String,
    /// How the files of its language end.
    pub extension: String,
}

/// The files that a template gives, from the directories `template` of `files`; later ones count more.
pub fn fill(files: &Files, template: &[String], values: &Values) -> Result<Files, FilesError> {
    let mut filled = Files::default();
    let sources = files.contents().iter().filter_map(|(path, content)| {
        let (layer, rest) = template.iter().enumerate().rev().find_map(|(layer, directory)| {
            Some((layer, path.strip_prefix(directory.as_str())?.strip_prefix('/')?))
        })?;
        let is_covered =
            template[layer + 1..].iter().any(|over| files.contents().contains_key(&format!("{over}/{rest}")));
        (!is_covered).then_some((path, rest, content))
    });
    for (path, rest, content) in sources {
        let content = match std::str::from_utf8(content) {
            Ok(text) => values.put_into(text).into_bytes(),
            Err(_) => content.clone(),
        };
        filled.insert(&values.put_into(rest), content, files.is_executable(path))?;
    }
    Ok(filled)
}

impl Values {
    fn put_into(&self, text: &str) -> String {
        let pairs = [
            ("@pack@", &self.pack),
            ("@name@", &self.name),
            ("@runtime@", &self.runtime),
            ("@extension@", &self.extension),
        ];
        pairs.into_iter().fold(text.to_owned(), |text, (placeholder, value)| text.replace(placeholder, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_filled_and_later_ones_count_more() {
        let mut files = Files::default();
        for (path, content) in [
            ("t/all/pack.yaml", "ref: @pack@\nmail: me@home@x\n"),
            ("t/all/@name@.@extension@", "general"),
            ("t/one/@name@.@extension@", "for @runtime@"),
            ("t/other/x", ""),
        ] {
            files.insert(path, content.into(), path.contains("one")).unwrap();
        }
        let values = Values {
            pack: "shop".into(),
            name: "till".into(),
            runtime: "core.ruby".into(),
            extension: "rb".into(),
        };
        let filled = fill(&files, &["t/all".into(), "t/one".into()], &values).unwrap();
        let text = |path: &str| String::from_utf8(filled.contents()[path].clone()).unwrap();
        assert_eq!(filled.contents().keys().collect::<Vec<_>>(), ["pack.yaml", "till.rb"]);
        assert_eq!(
            (text("pack.yaml"), text("till.rb")),
            ("ref: shop\nmail: me@home@x\n".into(), "for core.ruby".into())
        );
        assert!(filled.is_executable("till.rb"));
    }
}
