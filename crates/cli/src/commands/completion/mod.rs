//! `attune completion`: what a shell needs to complete commands, options and the names of things.
//!
//! The script that is printed asks this program anew at each completion, so it never has to be renewed. Names come from the
//! API that runs; where none does, there are none, and nothing is said about it in the middle of somebody's line.

mod names;

use clap::{CommandFactory as _, Subcommand};
use clap_complete::engine::ArgValueCandidates;
use clap_complete::env::{CompleteEnv, Shells};

use super::noun::Noun;
use crate::arguments::Arguments;
use crate::output;

/// By which variable a shell asks for candidates instead of running a command.
const VARIABLE: &str = "ATTUNE_COMPLETE";

/// For which shell.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum Command {
    /// Put into ~/.bashrc:  source <(attune completion bash)
    Bash,
    /// Put into ~/.zshrc, after compinit:  source <(attune completion zsh)
    Zsh,
    /// Put into ~/.config/fish/config.fish:  attune completion fish | source
    Fish,
}

impl Command {
    fn shell(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
        }
    }
}

/// Answers a shell that asks for candidates, and ends the process then.
pub(crate) fn answer() {
    CompleteEnv::with_factory(command).var(VARIABLE).complete();
}

/// Prints the script.
pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    let program = std::env::current_exe()?;
    let mut script = Vec::new();
    let shells = Shells::builtins();
    let shell = shells.completer(command.shell()).expect("the library knows the three shells");
    shell.write_registration(VARIABLE, "attune", "attune", &program.to_string_lossy(), &mut script)?;
    output::bytes(&script)
}

/// Everything that can be typed, with the names that stand where a thing is meant.
fn command() -> clap::Command {
    Noun::ALL.into_iter().fold(Arguments::command(), |command, noun| {
        command.mut_subcommand(noun.name(), |group| {
            group.mut_subcommands(|verb| verb.mut_args(|argument| with_candidates(argument, noun)))
        })
    })
}

fn with_candidates(argument: clap::Arg, noun: Noun) -> clap::Arg {
    match argument.get_id().as_str() {
        "name" | "refs" | "id" | "ids" => of_things(argument, noun),
        "action" => of_things(argument, Noun::Action),
        "trigger" => of_things(argument, Noun::Trigger),
        "filters" => argument.add(ArgValueCandidates::new(move || names::columns(noun))),
        _ => argument,
    }
}

fn of_things(argument: clap::Arg, noun: Noun) -> clap::Arg {
    argument.add(ArgValueCandidates::new(move || names::of(noun)))
}
