//! One build: under the lock, in a directory of its own, within time and disk.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use attune_core::runtime::execution::{Site, Way};
use attune_process::{Limits, Outcome, Program, Resources, StreamLimit, find_on_path};

use super::disk;
use super::error::BuildFault;
use super::log::Log;
use super::order::Order;
use super::place::Place;
use super::progress::Progress;
use crate::resolve::is_program;
use crate::variables::{of_this_process, path_of, variables};

/// How often a lock that somebody holds is tried.
const POLL: Duration = Duration::from_millis(100);
/// The parts of a command that a message shows.
const SHOWN: usize = 4;
/// For temporary files, in the environment, so that they count.
const TEMPORARY: &str = ".tmp";

/// Makes the environment complete. `false`: another process did.
pub(super) async fn build(
    order: &Order,
    place: &Place,
    tell: &(impl Fn(Progress) + Sync),
) -> Result<bool, BuildFault> {
    let _lock = lock(order, place, tell).await?;
    if place.ready().is_some() {
        return Ok(false);
    }
    let attempt = attempt(order, place, tell).await;
    if attempt.is_err() {
        clear(place).await;
    }
    attempt.map(|()| true)
}

async fn lock(order: &Order, place: &Place, tell: &(impl Fn(Progress) + Sync)) -> Result<File, BuildFault> {
    // The holder bounds each of its builds by the same limit.
    let (started, patience) = (Instant::now(), 2 * order.spec.timeout);
    let mut told = false;
    while started.elapsed() < patience {
        if let Some(lock) = place.lock().map_err(BuildFault::disk("locking", &place.directory()))? {
            return Ok(lock);
        }
        if !std::mem::replace(&mut told, true) {
            tell(Progress::Waiting);
        }
        tokio::time::sleep(POLL).await;
    }
    Err(BuildFault::Locked { waited: patience })
}

async fn attempt(order: &Order, place: &Place, tell: &(impl Fn(Progress) + Sync)) -> Result<(), BuildFault> {
    let (directory, log) = blocking(order, place, lay_out).await?;
    let mut build = Build::new(order, place, directory, log);
    let way = build.way()?;
    tell(Progress::Building(build.name_of(way)));
    for command in way.commands(&build.site()) {
        build.run(command).await?;
    }
    build.check()?;
    let directory = build.directory;
    blocking(order, place, move |_, place| {
        // What is left of temporary files harms nobody.
        let _ = fs::remove_dir_all(directory.join(TEMPORARY));
        place.complete(&directory).map_err(BuildFault::disk("completing", &directory))
    })
    .await
}

/// The directory of an attempt, with copies of the pack's files.
fn lay_out(order: &Order, place: &Place) -> Result<(PathBuf, Log), BuildFault> {
    let directory = place.begin().map_err(BuildFault::disk("making", &place.directory()))?;
    let temporary = directory.join(TEMPORARY);
    fs::create_dir(&temporary).map_err(BuildFault::disk("making", &temporary))?;
    for (name, content) in order.files.iter() {
        let copy = directory.join(name);
        fs::write(&copy, content).map_err(BuildFault::disk("writing", &copy))?;
    }
    let log = Log::create(&place.log()).map_err(BuildFault::disk("writing", &place.log()))?;
    Ok((directory, log))
}

/// Removes what a failed build wrote, but for its log.
async fn clear(place: &Place) {
    let place = place.clone();
    let removed = tokio::task::spawn_blocking(move || {
        let entries = fs::read_dir(place.directory()).into_iter().flatten().flatten();
        for attempt in entries.map(|entry| entry.path()).filter(|path| path.is_dir()) {
            // What can not be removed now goes before the next attempt.
            let _ = fs::remove_dir_all(attempt);
        }
    });
    let _ = removed.await;
}

/// Files are written by the hundred: not on the threads that serve everybody.
async fn blocking<T: Send + 'static>(
    order: &Order,
    place: &Place,
    work: impl FnOnce(&Order, &Place) -> Result<T, BuildFault> + Send + 'static,
) -> Result<T, BuildFault> {
    let (order, place) = (order.clone(), place.clone());
    let directory = place.directory();
    let done = tokio::task::spawn_blocking(move || work(&order, &place)).await;
    done.unwrap_or_else(|panic| Err(BuildFault::disk("writing", &directory)(panic.into())))
}

/// An attempt that is under way.
struct Build<'a> {
    order: &'a Order,
    place: &'a Place,
    directory: PathBuf,
    manifest: PathBuf,
    log: Log,
    env: Vec<(OsString, OsString)>,
    end: Instant,
}

impl<'a> Build<'a> {
    fn new(order: &'a Order, place: &'a Place, directory: PathBuf, log: Log) -> Self {
        let allowed = [order.env_allow.as_slice(), &order.spec.env_allow].concat();
        let env = variables(of_this_process, &allowed, &directory.join(TEMPORARY), []);
        let manifest = directory.join(&order.spec.manifest);
        Self { order, place, directory, manifest, log, env, end: Instant::now() + order.spec.timeout }
    }

    fn site(&self) -> Site<'_> {
        Site { binary: &self.order.binary, environment: &self.directory, manifest: &self.manifest }
    }

    fn way(&self) -> Result<&'a Way, BuildFault> {
        let path = path_of(&self.env);
        let has_file = |name: &String| self.order.files.iter().any(|(file, _)| file == name);
        let can_be_gone = |way: &Way| {
            way.needs.iter().all(|program| find_on_path(program, path).is_some())
                && way.files.iter().all(has_file)
        };
        self.order.spec.way(can_be_gone).ok_or_else(|| {
            let ways = self.order.spec.build.iter().filter(|way| way.files.iter().all(has_file));
            let wanted: Vec<String> = ways.map(|way| way.needs.join(" and ")).collect();
            BuildFault::NoWay { wanted: wanted.join(", or ") }
        })
    }

    /// What the way needs, else the program that it begins with.
    fn name_of(&self, way: &Way) -> String {
        if !way.needs.is_empty() {
            return way.needs.join(" and ");
        }
        let commands = way.commands(&self.site());
        commands.first().map(|command| shown(&command[..1])).unwrap_or_default()
    }

    async fn run(&mut self, mut argv: Vec<OsString>) -> Result<(), BuildFault> {
        let command = shown(&argv);
        argv[0] = self.program(&argv[0])?.into();
        self.log.command(&argv);
        let time = self.end.saturating_duration_since(Instant::now());
        let program = Program {
            argv,
            env: self.env.clone(),
            cwd: self.directory.clone(),
            stdin: Vec::new(),
            limits: self.limits(time),
        };
        let full = disk::exceeded(self.place.directory(), self.order.spec.max_bytes);
        let finished = attune_process::run(program, &mut self.log, full).await;
        let finished = finished.map_err(|source| BuildFault::Launch { command: command.clone(), source })?;
        let is_full = disk::usage_of(self.place.directory()).await >= self.order.spec.max_bytes;
        self.judge(command, if is_full { Outcome::Stopped } else { finished.outcome })
    }

    fn program(&self, name: &OsStr) -> Result<PathBuf, BuildFault> {
        let found = name.to_str().and_then(|name| find_on_path(name, path_of(&self.env)));
        found.ok_or_else(|| BuildFault::NoProgram { program: name.to_string_lossy().into_owned() })
    }

    fn limits(&self, time: Duration) -> Limits {
        // A single file can not outgrow the limit between two looks.
        let resources = Resources { file_bytes: Some(self.order.spec.max_bytes), ..Resources::default() };
        let said = StreamLimit::truncate(0);
        Limits { time, stdout: said, stderr: said, resources, no_new_privileges: true, ..Limits::default() }
    }

    fn judge(&self, command: String, outcome: Outcome) -> Result<(), BuildFault> {
        let (said, spec) = (self.log.said(), &self.order.spec);
        match outcome {
            Outcome::Exited(0) => Ok(()),
            // Whatever a command says that found no room.
            Outcome::Stopped => Err(BuildFault::TooLarge { command, limit: spec.max_bytes, said }),
            Outcome::TimedOut => Err(BuildFault::TimedOut { command, limit: spec.timeout, said }),
            Outcome::Exited(_) | Outcome::Signalled(_) | Outcome::Excess(_) | Outcome::OutputLimit(_) => {
                Err(BuildFault::Command { command, outcome, said })
            }
        }
    }

    fn check(&self) -> Result<(), BuildFault> {
        match self.order.spec.binary(&self.directory) {
            Some(binary) if !is_program(&binary) => Err(BuildFault::NoBinary { binary }),
            _ => Ok(()),
        }
    }
}

/// A command as a message shows it: the program's name and how it begins.
fn shown(argv: &[OsString]) -> String {
    let program = Path::new(&argv[0]).file_name().unwrap_or(&argv[0]);
    let arguments = argv[1..].iter().map(OsString::as_os_str);
    let mut parts: Vec<_> =
        std::iter::once(program).chain(arguments).take(SHOWN).map(OsStr::to_string_lossy).collect();
    if argv.len() > SHOWN {
        parts.push("...".into());
    }
    parts.join(" ")
}
