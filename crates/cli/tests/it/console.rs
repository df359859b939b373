//! Documents as a reader follows them: the commands of their `console` blocks are typed in order, in one place, and what the
//! document prints has to appear.
//!
//! Numbers and the width of gaps differ from run to run, so both sides are compared without them. A line `...` stands for any
//! lines. `attune up` is left running, as in a terminal of its own. A block `FILE` in the info string is what an editor saves.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::eventually::eventually;
use crate::home::Home;
use crate::up::Up;

/// What a reader does, one after the other.
#[derive(Debug, PartialEq)]
enum Step {
    /// A command, and what the document says it prints.
    Type { line: usize, command: String, expected: Vec<String> },
    /// A file that is saved in an editor.
    Save { path: String, text: String },
}

/// A reader at work.
pub(crate) struct Reader<'a> {
    home: &'a Home,
    directory: PathBuf,
    variables: Vec<(&'static str, String)>,
    up: Option<Up>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(home: &'a Home) -> Self {
        let bin = home.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_attune"), bin.join("attune")).unwrap();
        Self { home, directory: home.path().to_owned(), variables: Vec::new(), up: None }
    }

    /// With these variables in the environment as well.
    pub(crate) fn with(self, variables: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        Self { variables: variables.into_iter().collect(), ..self }
    }

    /// Follows a whole document; gives the number of commands and the seconds that they took.
    pub(crate) fn follow(&mut self, document: &str) -> (usize, f64) {
        let steps = steps(document);
        let (start, mut commands) = (Instant::now(), 0);
        for step in &steps {
            match step {
                Step::Save { path, text } => std::fs::write(self.directory.join(path), text).unwrap(),
                Step::Type { line, command, expected } => {
                    commands += 1;
                    self.enter(*line, command, expected);
                }
            }
        }
        (commands, start.elapsed().as_secs_f64())
    }

    fn enter(&mut self, line: usize, command: &str, expected: &[String]) {
        if command.starts_with("attune up") {
            let up = self.bash(&format!("exec {command}"));
            self.up = Some(Up::ready(up, self.home));
            return;
        }
        // What only looks may be asked again: it is the world that is not ready yet.
        let looks =
            [" list", " show", " logs", " doctor", " --last"].iter().any(|look| command.contains(look));
        let mut last = String::new();
        let mut attempt = || {
            let (code, output) = self.run(command);
            last.clone_from(&output);
            (code == 0 && contains(&output, expected)).then_some(())
        };
        if looks {
            eventually(&format!("line {line}: $ {command}"), attempt);
        } else if attempt().is_none() {
            panic!("line {line}: $ {command}\nexpected: {expected:#?}\nbut it said:\n{last}");
        }
        self.directory = std::fs::read_to_string(self.home.path().join("pwd")).unwrap().trim().into();
    }

    /// Runs a command to its end: its exit code and all that it printed.
    fn run(&self, command: &str) -> (i32, String) {
        let path = self.home.path().join("output");
        let file = File::create(&path).unwrap();
        let script = format!("{command}\ncode=$?; pwd >'{}/pwd'; exit $code", self.home.path().display());
        let status = self.bash(&script).stdout(file.try_clone().unwrap()).stderr(file).status().unwrap();
        (status.code().unwrap(), std::fs::read_to_string(path).unwrap())
    }

    fn bash(&self, script: &str) -> Command {
        let command = self.home.command::<&str>(&[]);
        let (path, home) = (std::env::var("PATH").unwrap(), self.home.path());
        let mut bash = Command::new("bash");
        bash.env_clear()
            .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .env("PATH", format!("{}/bin:{path}", home.display()))
            .env("ATTUNE__DATA_DIR", self.home.data_dir())
            .env("ATTUNE__SERVER__PORT", "0")
            .env("ATTUNE__SENSOR__WORKER_NAME", "sensor-vm")
            .env("ATTUNE__WORKER__WORKER_NAME", "worker-vm")
            .env("XDG_CACHE_HOME", home.join("caches"))
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .args(["-c", script]);
        bash
    }
}

/// Whether the expected lines stand among the printed ones, in order.
fn contains(output: &str, expected: &[String]) -> bool {
    let printed: Vec<String> = output.lines().map(plain).collect();
    let mut rest = printed.iter();
    expected.iter().filter(|line| *line != "...").all(|line| {
        let wanted = plain(line);
        rest.any(|line| *line == wanted)
    })
}

/// A line without what differs from run to run.
fn plain(line: &str) -> String {
    let digits = line.chars().map(|c| if c.is_ascii_digit() { '#' } else { c });
    let text: String = digits.collect();
    let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for number in ["##", "#.#"] {
        while text.contains(number) {
            text = text.replace(number, "#");
        }
    }
    text
}

fn steps(document: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lines = document.lines().enumerate();
    while let Some((_, line)) = lines.next() {
        let Some(info) = line.strip_prefix("```").filter(|info| !info.is_empty()) else { continue };
        let block: Vec<_> = lines.by_ref().take_while(|(_, line)| *line != "```").collect();
        if info == "console" {
            steps.extend(commands(&block));
        } else if let Some((_, path)) = info.split_once(' ') {
            let text = block.iter().flat_map(|(_, line)| [line, "\n"]).collect();
            steps.push(Step::Save { path: path.to_owned(), text });
        }
    }
    steps
}

fn commands(block: &[(usize, &str)]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (number, text) in block {
        match (text.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => {
                steps.push(Step::Type {
                    line: number + 1,
                    command: command.to_owned(),
                    expected: Vec::new(),
                });
            }
            (None, Some(Step::Type { command, expected, .. })) => {
                if let Some(more) = text.strip_prefix("> ") {
                    command.push('\n');
                    command.push_str(more);
                } else if !text.is_empty() {
                    expected.push((*text).to_owned());
                }
            }
            (None, _) => panic!("line {}: output before any command", number + 1),
        }
    }
    steps
}

/// The document of this name in the repository.
pub(crate) fn document(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::read_to_string(root.join(name)).unwrap()
}

#[test]
fn a_document_becomes_steps() {
    let steps = steps(
        "a\n```console\n$ one\nsays 1\n\n$ two \\\n> more\n```\n```python x.py\npass\n```\n```sh\nno\n```\n",
    );
    let typed = |line, command: &str, expected: &[&str]| Step::Type {
        line,
        command: command.to_owned(),
        expected: expected.iter().map(ToString::to_string).collect(),
    };
    let saved = Step::Save { path: "x.py".to_owned(), text: "pass\n".to_owned() };
    assert_eq!(steps, [typed(3, "one", &["says 1"]), typed(6, "two \\\nmore", &[]), saved]);
}

#[test]
fn what_a_document_prints_has_to_appear_in_its_order() {
    let expected = |lines: &[&str]| lines.iter().map(ToString::to_string).collect::<Vec<_>>();
    let output = "ID  AT\n7   2026-01-02 in 3.5 s\nend";
    assert!(contains(output, &expected(&["ID AT", "...", "12 2027-11-12 in 14 s"])));
    assert!(!contains(output, &expected(&["end", "ID AT"])));
    assert!(!contains(output, &expected(&["another"])));
}
