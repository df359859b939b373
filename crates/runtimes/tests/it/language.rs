//! The languages that have a host in the core pack. What one of them promises all do.

use std::process::Command;

use crate::program::packs;

/// One of them.
#[derive(Debug)]
pub(crate) struct Language {
    /// Of its runtime.
    pub(crate) r#ref: &'static str,
    pub(crate) extension: &'static str,
    pub(crate) binary: &'static str,
    /// Options of the interpreter.
    options: &'static [&'static str],
    /// In the core pack.
    pub(crate) host: &'static str,
    pub(crate) wrapper: &'static str,
}

pub(crate) static PYTHON: Language = Language {
    r#ref: "core.python",
    extension: "py",
    binary: "python3",
    options: &["-u"],
    host: "runtimes/python/host.py",
    wrapper: "runtimes/python/run.py",
};
pub(crate) static NODEJS: Language = Language {
    r#ref: "core.nodejs",
    extension: "js",
    binary: "node",
    options: &[],
    host: "runtimes/nodejs/host.cjs",
    wrapper: "runtimes/nodejs/run.cjs",
};
/// The same in files of another kind.
pub(crate) static ES_MODULE: Language = Language { extension: "mjs", ..NODEJS };

impl Language {
    /// What is written in this language.
    pub(crate) fn pick<T>(&self, python: T, javascript: T) -> T {
        if self.extension == PYTHON.extension { python } else { javascript }
    }

    pub(crate) fn file(&self, stem: &str) -> String {
        format!("{stem}.{}", self.extension)
    }

    /// The arguments of its host, below a core pack in this place.
    pub(crate) fn host_args(&self, pack: &str) -> Vec<String> {
        let options = self.options.iter().map(|option| (*option).to_owned());
        options.chain([format!("{pack}/{}", self.host)]).collect()
    }

    pub(crate) fn start_host(&self, args: &[&str]) -> Command {
        let mut command = Command::new(self.binary);
        let pack = packs().join("core");
        command.args(self.host_args(pack.to_str().unwrap())).args(args);
        command
    }
}

/// Makes a test of each function for each language.
macro_rules! in_each_language {
    ($($name:ident),* $(,)?) => {$(
        mod $name {
            #[test]
            fn python() {
                super::$name(&crate::language::PYTHON);
            }
            #[test]
            fn nodejs() {
                super::$name(&crate::language::NODEJS);
            }
        }
    )*};
    (async $($name:ident),* $(,)?) => {$(
        mod $name {
            #[tokio::test]
            async fn python() {
                super::$name(&crate::language::PYTHON).await;
            }
            #[tokio::test]
            async fn nodejs() {
                super::$name(&crate::language::NODEJS).await;
            }
        }
    )*};
}
pub(crate) use in_each_language;
