//! `attune sensor test --torture`: what a sensor earns when things go wrong around it.

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::time::Duration;

use attune_executor::unloaded::Library;
use attune_sensor::workbench::{Bore, Fault, Guarantee, Ordeal, Piece, SourceKind, Trial, Tried, Workbench};
use clap::{Args, ValueEnum};
use serde_json::Value;

use crate::arguments::Format;
use crate::commands::action::parse_object;
use crate::output::{self, printable};

/// Bytes of a state that are shown; -o json has all of it.
const STATE: usize = 100;

/// What is asked of the laboratory.
#[derive(Debug, Args)]
#[command(next_help_heading = "Laboratory")]
pub(crate) struct Torture {
    /// Kill it between event and checkpoint, make the database slow, tear lines, and so on, and tell the guarantee that it earns
    #[arg(long = "torture", id = "torture", conflicts_with_all = ["watch", "state"])]
    is_asked: bool,
    /// Where items are put for it to find: lines:KEY (a file whose path is that key of its configuration), files:KEY (a
    /// directory), command:PROGRAM (which puts them there). Without it nothing is judged
    #[arg(long, value_name = "KIND[:KEY]", requires = "torture")]
    source: Option<SourceKind>,
    /// What a rule asks of the sensor's first trigger. Here and in --config, {source} is the path of the source and {scratch}
    /// that of a directory of this run
    #[arg(long, value_name = "JSON", value_parser = parse_object, requires = "torture")]
    trigger_params: Option<Value>,
    /// Repeats the run of that seed; without it one is drawn
    #[arg(long, value_name = "N", requires = "torture")]
    seed: Option<u64>,
    /// Try these faults alone, after an undisturbed run and a restart
    #[arg(long, value_name = "FAULT", value_delimiter = ',', requires = "torture")]
    only: Vec<Fault>,
    /// Exit with 1 when it earns less
    #[arg(long, value_name = "GUARANTEE", requires = "torture")]
    require: Option<Required>,
}

/// A guarantee as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Required {
    /// None lost, none doubled
    ExactlyOnce,
    /// None lost
    AtLeastOnce,
}

impl Required {
    fn is_met_by(self, earned: Option<Guarantee>) -> bool {
        earned
            >= Some(match self {
                Self::ExactlyOnce => Guarantee::ExactlyOnce,
                Self::AtLeastOnce => Guarantee::AtLeastOnce,
            })
    }
}

impl Torture {
    pub(super) fn is_asked(&self) -> bool {
        self.is_asked
    }

    /// Runs the sensor through it, with this put over its configuration and this time limit.
    pub(super) async fn run(
        &self,
        format: Format,
        bench: &Workbench,
        piece: &Piece,
        library: &Library<'_>,
        (config, time): (&Value, Option<Duration>),
    ) -> anyhow::Result<ExitCode> {
        let trial = Trial {
            config: config.clone(),
            params: self.trigger_params.clone(),
            source: self.source.clone(),
            seed: self.seed,
            only: self.only.clone(),
            time,
        };
        let ordeal = bench.torture(piece, library, &trial, &tell).await.map_err(super::explain)?;
        match format {
            Format::Json => output::json(&serde_json::to_value(&ordeal)?)?,
            Format::Table => output::text(&lines(&ordeal).join("\n"))?,
        }
        let is_enough = self.require.is_none_or(|required| required.is_met_by(ordeal.earned));
        Ok(if is_enough { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Who waits at a terminal sees how far it is.
fn tell(tried: &Tried) {
    if std::io::stderr().is_terminal() {
        output::note(&format!("{}: {}", tried.fault, tried.what));
    }
}

fn lines(ordeal: &Ordeal) -> Vec<String> {
    let Ordeal { sensor, seed, items, seconds, .. } = ordeal;
    let mut lines = vec![format!("{sensor}: items {items}, seconds {seconds}, seed {seed}")];
    lines.extend(ordeal.faults.iter().map(line));
    lines.extend(ordeal.notes.iter().map(|note| format!("note: {note}")));
    match (ordeal.earned, &ordeal.not_judged) {
        (Some(earned), _) => lines.push(format!("earned: {}", earned.name())),
        (None, reason) => {
            lines.push(format!("not judged: {}", printable(reason.as_deref().unwrap_or_default())));
        }
    }
    lines.extend(ordeal.shown_by.iter().flat_map(|tried| proof(tried, *seed)));
    lines
}

fn line(tried: &Tried) -> String {
    let word = match tried.bore {
        Bore::Held => "held",
        Bore::RanOn => "ran on",
        Bore::Doubled => "DOUBLED",
        Bore::Lost => "LOST",
        Bore::NotTried => "-",
    };
    let what = printable(&tried.what);
    let what = if tried.bore == Bore::NotTried { format!("not tried: {what}") } else { what };
    format!("  {word:<8} {:<15} {what}", tried.fault)
}

/// As much of a state as fits on a line.
fn short(state: &str) -> String {
    let end = state.floor_char_boundary(STATE);
    let more = if end < state.len() { "..." } else { "" };
    printable(&state[..end]) + more
}

/// The first fault that shows it, what it did, and how to see it again.
fn proof(tried: &Tried, seed: u64) -> [String; 3] {
    let Tried { fault, what, lost, doubled, state, .. } = tried;
    let (what, state) = (printable(what), short(&state.to_string()));
    let came = match (&lost[..], &doubled[..]) {
        ([first, ..], _) => format!("{} lost, {first} first", lost.len()),
        ([], [first, ..]) => format!("{} stored more than once, {first} first", doubled.len()),
        ([], []) => "nothing".to_owned(),
    };
    [
        format!("shown by {fault}: {what}; the committed state was {state}"),
        format!("  {came}"),
        format!("again: --seed {seed} --only {fault}"),
    ]
}
