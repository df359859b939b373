//! The tree of commands as a page: each with its usage, its arguments and its examples, in the order of the help.

use clap::{Arg, Command, CommandFactory as _};

use crate::arguments::Arguments;

const HEAD: &str = "\
# Commands

Every command, as `--help` has it. `make docs` writes this page from the definition of the commands.
";
/// They are said once for all.
const EVERYWHERE: &[&str] = &["help", "version"];

/// The page `docs/cli.md`.
pub(super) fn page() -> String {
    let mut root = Arguments::command().term_width(0);
    root.build();
    let mut page = HEAD.to_owned();
    add(&mut page, &root, 2);
    page
}

/// A command, then those below it.
fn add(page: &mut String, command: &Command, depth: usize) {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    page.extend([format!("\n{} {name}\n\n{}\n", "#".repeat(depth), about(command))]);
    page.extend([format!("\n```text\n{}\n```\n", usage(command))]);
    let is_root = depth == 2;
    let own: Vec<_> = command.get_arguments().filter(|arg| is_said_here(arg, is_root)).collect();
    if !own.is_empty() {
        page.push_str("\n| argument | what it does |\n|---|---|\n");
        page.extend(own.into_iter().map(row));
    }
    if let Some(examples) = command.get_after_help() {
        page.extend([format!("\n```text\n{examples}\n```\n")]);
    }
    for below in command.get_subcommands().filter(|below| !below.is_hide_set() && below.get_name() != "help")
    {
        add(page, below, (depth + 1).min(3));
    }
}

fn about(command: &Command) -> String {
    command.get_long_about().or_else(|| command.get_about()).map(ToString::to_string).unwrap_or_default()
}

fn usage(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    usage.trim_start_matches("Usage: ").trim_end().to_owned()
}

/// Global options stand at the root only.
fn is_said_here(arg: &Arg, is_root: bool) -> bool {
    !arg.is_hide_set() && !EVERYWHERE.contains(&arg.get_id().as_str()) && (is_root || !arg.is_global_set())
}

fn row(arg: &Arg) -> String {
    let short = arg.get_short().map_or_else(String::new, |short| format!("-{short}, "));
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    format!("| `{short}{}` | {}{} |\n", cell(&arg.to_string()), cell(&help), cell(&notes(arg)))
}

/// What may be said, and what counts when nothing is said.
fn notes(arg: &Arg) -> String {
    let mut notes = String::new();
    let takes_value = arg.get_action().takes_values();
    let choices: Vec<_> = arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    if takes_value && !choices.is_empty() {
        notes.extend([format!("; one of `{}`", choices.join("`, `"))]);
    }
    if let (true, [default]) = (takes_value, arg.get_default_values()) {
        notes.extend([format!("; default `{}`", default.display())]);
    }
    if let Some(variable) = arg.get_env() {
        notes.extend([format!("; variable `{}`", variable.display())]);
    }
    notes
}

/// Text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
