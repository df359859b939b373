//! `attune sensor test`: one poll of a sensor, or some seconds of a stream, here.

use std::fs::File;
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use attune_executor::unloaded::{Library, Running};
use attune_runtimes::directory::{self, DirectoryError, Stamp};
use attune_runtimes::pack_directory::PackDirectory;
use attune_sensor::workbench::{Given, Piece, Report, Workbench};
use clap::Args;
use serde_json::{Value, json};

use super::running::{Api, dynamic};
use super::sensor_torture::Torture;
use crate::arguments::{Format, Global};
use crate::commands::action::parse_object;
use crate::commands::pack;
use crate::failure::Failure;
use crate::output::{self, printable};

/// Between two looks at the files.
const LOOK: Duration = Duration::from_millis(200);

/// Which sensor, and what it is given.
#[derive(Debug, Args)]
#[command(after_help = "\
It runs as in the service: same runtime, limits, output and errors. Nothing is stored, and no rule sees its events.
A stream runs for --seconds; what it would have committed is shown.
With --torture it is run while things go wrong around it, and what it earns is told: see docs/laboratory.md.
Exit code 0 when it succeeded, 1 when it failed or earned less than --require, 6 when the sensor or its pack is invalid.

Examples:
  attune sensor test packs/demo/sensors/machine.yaml
  attune sensor test demo.machine --config '{\"memory_threshold\": 1}' --state '{\"polls\": 7}'
  attune sensor test try.py --watch
  attune sensor test tail.py --torture --source lines:file --require exactly-once")]
pub(crate) struct Test {
    /// The sensor's YAML file or code in a pack directory, a file of code by itself, or a ref: of a pack in the working
    /// directory, else of the running Attune
    #[arg(value_name = "FILE|REF")]
    sensor: String,
    /// An object that is put over the sensor's configuration, key by key. As with every command it may also be Attune's own
    /// configuration file
    #[arg(long, value_name = "JSON|FILE")]
    config: Option<PathBuf>,
    /// What it remembers from the poll before
    #[arg(long, value_name = "JSON", default_value = "{}", value_parser = parse_object)]
    state: Value,
    /// The runtime, by ref, name or alias; for code by itself the one whose files end like it
    #[arg(long)]
    runtime: Option<String>,
    /// How long the poll may take, or the stream be silent
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    timeout: Option<Duration>,
    /// How long a stream is listened to before it is told to stop
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = parse_seconds)]
    seconds: Duration,
    /// Run it again, with the state that it left, each time a file is saved; Ctrl-C ends it
    #[arg(long)]
    watch: bool,
    #[command(flatten)]
    torture: Torture,
}

pub(crate) fn run(global: &Global, test: &Test) -> anyhow::Result<ExitCode> {
    let (global, config) = &tell_apart(global, test.config.as_deref())?;
    attune_boot::runtime()?.block_on(async {
        let bench = super::workbench(global).await?;
        if test.torture.is_asked() {
            return torture(global, test, &bench, config).await;
        }
        if test.watch {
            return watch(global, test, &bench, config).await;
        }
        let report = poll(global, test, &bench, &given(test, config, &test.state)).await?;
        show(global.output, &report)?;
        Ok(if report.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

/// `--config` means the sensor's configuration when it is an object, else Attune's as everywhere.
pub(super) fn tell_apart(global: &Global, config: Option<&Path>) -> anyhow::Result<(Global, Value)> {
    let given = config.and_then(Path::to_str);
    let Some(object) = given.filter(|given| given.trim_start().starts_with('{')) else {
        return Ok((global.clone(), json!({})));
    };
    let config = parse_object(object).map_err(|reason| Failure::Usage(format!("--config: {reason}")))?;
    Ok((Global { config: None, ..global.clone() }, config))
}

fn given(test: &Test, config: &Value, state: &Value) -> Given {
    Given { config: config.clone(), state: state.clone(), time: test.timeout, listen: Some(test.seconds) }
}

async fn poll(global: &Global, test: &Test, bench: &Workbench, given: &Given) -> anyhow::Result<Report> {
    let api = Api::find(global)?;
    let running = dynamic(api.as_ref());
    let piece = piece(test, running)?;
    let library = Library::new(piece.pack(), running)?;
    bench.poll(&piece, &library, given).await.map_err(super::explain)
}

async fn torture(
    global: &Global,
    test: &Test,
    bench: &Workbench,
    config: &Value,
) -> anyhow::Result<ExitCode> {
    let api = Api::find(global)?;
    let running = dynamic(api.as_ref());
    let piece = piece(test, running)?;
    let library = Library::new(piece.pack(), running)?;
    test.torture.run(global.output, bench, &piece, &library, (config, test.timeout)).await
}

/// What is meant by what was typed.
fn piece(test: &Test, running: Option<&dyn Running>) -> anyhow::Result<Piece> {
    let piece = if super::is_file(&test.sensor) {
        Piece::of_file(Path::new(&test.sensor), test.runtime.as_deref())
    } else {
        Piece::of_ref(&test.sensor, running)
    };
    let piece = piece.map_err(super::explain)?;
    if let Some(own) = piece.pack() {
        pack::warn_of_line_ends(&own.files);
    }
    Ok(piece)
}

/// Runs it again after each change, whatever comes of it.
async fn watch(global: &Global, test: &Test, bench: &Workbench, config: &Value) -> anyhow::Result<ExitCode> {
    let (watched, own) = (watched(test)?, own_outputs());
    let mut state = test.state.clone();
    loop {
        let polled = poll(global, test, bench, &given(test, config, &state)).await;
        // Taken afterwards: what the sensor itself writes there is no reason to run it again.
        let before = stamp(&watched, &own)?;
        match polled {
            Ok(report) => {
                show(global.output, &report)?;
                state = report.state;
            }
            Err(error) => tell(&format!("error: {error:#}")),
        }
        tell(&format!("watching {}; Ctrl-C ends it", watched.display()));
        while stamp(&watched, &own)? == before {
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// A file, whatever its path.
type FileId = (u64, u64);

/// The files that this command writes to, which may lie where it looks.
fn own_outputs() -> Vec<FileId> {
    let (stdout, stderr) = (std::io::stdout(), std::io::stderr());
    let outputs = [stdout.as_fd(), stderr.as_fd()].into_iter();
    let files = outputs.filter_map(|output| File::from(output.try_clone_to_owned().ok()?).metadata().ok());
    files.map(|file| (file.dev(), file.ino())).collect()
}

fn stamp(watched: &Path, own: &[FileId]) -> Result<Stamp, DirectoryError> {
    let is_own = |path: &Path| path.metadata().is_ok_and(|file| own.contains(&(file.dev(), file.ino())));
    let mut stamp = directory::stamp(watched)?;
    stamp.retain(|(path, ..)| !is_own(path));
    Ok(stamp)
}

/// The pack of the sensor; of a file that is in none, the file alone.
fn watched(test: &Test) -> anyhow::Result<PathBuf> {
    let found = if super::is_file(&test.sensor) {
        let file = Path::new(&test.sensor);
        PackDirectory::root_of(file).or_else(|| Some(file.to_owned()))
    } else {
        let piece = Piece::of_ref(&test.sensor, None).map_err(super::explain)?;
        piece.directory().map(Path::to_owned)
    };
    Ok(found.ok_or_else(|| Failure::Usage("--watch needs files to look at".to_owned()))?)
}

fn tell(text: &str) {
    output::note(text);
}

fn show(format: Format, report: &Report) -> anyhow::Result<()> {
    match format {
        Format::Json => output::json(&serde_json::to_value(report)?),
        Format::Table => output::text(&lines(report).join("\n")),
    }
}

fn lines(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    match &report.error {
        Some(error) => lines
            .extend([format!("{} failed after {} ms", report.sensor, report.duration_ms), printable(error)]),
        None => {
            lines.push(format!(
                "{}: {} in {} ms",
                report.sensor,
                events(report.events.len()),
                report.duration_ms
            ));
        }
    }
    lines.extend(report.notes.iter().map(|note| format!("  note: {note}")));
    for event in &report.events {
        let trigger = event.trigger.as_deref().unwrap_or("-");
        lines.push(format!("  {trigger}  {}", printable(&event.payload.to_string())));
        lines.extend(
            event.refused.iter().map(|reason| format!("    would be set aside: {}", printable(reason))),
        );
    }
    for aside in &report.set_aside {
        lines.push(format!("  set aside: {}", printable(&aside.raw)));
        lines.push(format!("    {}", printable(&aside.reason)));
    }
    if report.state != json!({}) {
        lines.push(format!("state: {}", printable(&report.state.to_string())));
    }
    if !report.log.trim().is_empty() {
        lines.push("log:".to_owned());
        lines.extend(report.log.trim_end().lines().map(|line| format!("  {}", printable(line))));
    }
    lines
}

fn events(count: usize) -> String {
    if count == 1 { "1 event".to_owned() } else { format!("{count} events") }
}

pub(super) fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.filter(|time| !time.is_zero()).ok_or_else(|| "a number of seconds above 0 is wanted".to_owned())
}
