//! The side that feeds the source, orders the faults one after the other, and waits for what comes of each.
//!
//! Whatever is missing at the very end is lost, however long ago it was put in; the round in which that was is the one that
//! shows it.

use std::time::Duration;

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use serde_json::Value;
use tokio::time::Instant;

use super::clock::Clock;
use super::fault::Fault;
use super::feed::SOON;
use super::source::{Source, SourceError, Text};
use super::stand::{Run, Scene, Stand};
use crate::definition::Sensor;

/// How long anything may take, on a quick machine.
const PATIENCE: Duration = Duration::from_secs(6);
/// How long the first item may take: the program may have to be compiled, the machine be busy.
pub(super) const WARM_UP: Duration = Duration::from_secs(20);
/// On a quick machine the first item takes no longer. Where it does, all that is decided by time has as many times as long.
const QUICK: Duration = Duration::from_secs(1);
/// But no more than this.
const SLOWEST: f64 = 10.0;
/// A program that failed so often in a row does not run.
const FAILURES: u32 = 3;

/// What was done in one round.
#[derive(Debug)]
pub(super) struct Round {
    pub(super) fault: Fault,
    /// What was done; `Err`: why it was not.
    pub(super) done: Result<String, String>,
    /// What was committed then.
    pub(super) state: Value,
}

/// Told of each round that is over.
pub(super) type See<'a> = &'a (dyn Fn(&Round, &Scene) + Sync);

/// One run of the laboratory.
pub(super) struct Script<'a> {
    pub(super) stand: &'a Stand,
    pub(super) source: Option<Source>,
    pub(super) config: Value,
    pub(super) is_stream: bool,
    pub(super) seed: u64,
    pub(super) clock: Option<&'a Clock>,
    pub(super) see: See<'a>,
    /// Begins the names of the items.
    pub(super) names: u64,
    /// The longest that items took which came by themselves.
    pub(super) pace: Duration,
    pub(super) rounds: Vec<Round>,
    /// That of the round that goes on.
    pub(super) fault: Fault,
    pub(super) fed: Vec<Text>,
    /// What else is worth knowing.
    pub(super) notes: Vec<String>,
    /// Nothing comes any more.
    pub(super) is_mute: bool,
}

/// The faults in the order of a seed, without those that nobody asked for.
pub(super) fn order(seed: u64, only: &[Fault]) -> Vec<Fault> {
    let asked = |fault: &Fault| only.is_empty() || only.contains(fault);
    let (mut first, mut drawn): (Vec<_>, Vec<_>) =
        Fault::ALL.into_iter().partition(|fault| fault.is_groundwork());
    drawn.shuffle(&mut StdRng::seed_from_u64(seed));
    first.extend(drawn.into_iter().filter(asked));
    first
}

impl<'a> Script<'a> {
    pub(super) fn new(
        stand: &'a Stand,
        source: Option<Source>,
        sensor: &Sensor,
        clock: Option<&'a Clock>,
        seed: u64,
        see: See<'a>,
    ) -> Self {
        Self {
            stand,
            source,
            config: sensor.config.clone(),
            is_stream: sensor.is_stream(),
            seed,
            clock,
            see,
            names: rand::random(),
            pace: Duration::ZERO,
            rounds: Vec::new(),
            fault: Fault::None,
            fed: Vec::new(),
            notes: Vec::new(),
            is_mute: false,
        }
    }

    /// Tries each of the faults. `Err` inside: there is nothing to judge.
    pub(super) async fn play(&mut self, faults: &[Fault]) -> Result<Result<(), String>, SourceError> {
        self.stand.change(|scene| scene.wanted = true);
        let start = Instant::now();
        if let Err(silence) = self.warm_up().await? {
            return Ok(Err(silence));
        }
        self.stand.change(|scene| scene.slowness = slowness(start.elapsed()));
        for (number, &fault) in faults.iter().enumerate() {
            self.fault = fault;
            let end = self.end();
            self.stand.change(|scene| {
                scene.round = number;
                if end.is_none() {
                    scene.items.carry_over(number);
                }
            });
            let done = match end.or_else(|| self.lack(fault)) {
                None => self.try_out(fault).await?,
                Some(lack) => Err(lack),
            };
            if !self.is_mute {
                self.settle().await?;
            }
            let state = self.stand.change(|scene| scene.state_then.take().unwrap_or_else(|| scene.state()));
            self.note(Round { fault, done, state });
        }
        self.finish(faults).await;
        Ok(Ok(()))
    }

    fn note(&mut self, round: Round) {
        self.stand.look(|scene| (self.see)(&round, scene));
        self.rounds.push(round);
    }

    /// Why nothing more can be tried.
    fn end(&self) -> Option<String> {
        let error = self.stand.look(|scene| scene.error.clone().filter(|_| gave_up(scene)));
        let fails = error.map(|error| format!("it does not run any more: {error}"));
        fails.or_else(|| {
            self.is_mute.then(|| "nothing comes any more of what is put into its source".to_owned())
        })
    }

    /// Why a fault can not be tried.
    fn lack(&self, fault: Fault) -> Option<String> {
        match fault {
            Fault::LostAck if !self.is_stream => Some("a poll hears of no commit".to_owned()),
            Fault::ClockJump if self.clock.is_none() => Some(
                "the command `faketime` is not on this machine (Debian: apt-get install faketime)".to_owned(),
            ),
            fault if fault.is_of_source() && self.source.is_none() => Some("it needs --source".to_owned()),
            _ => None,
        }
    }

    /// Puts in items until one of them comes. That of the first ones some may not is no loss: nobody knows where a sensor
    /// begins that was never there before.
    async fn warm_up(&mut self) -> Result<Result<(), String>, SourceError> {
        let end = Instant::now() + WARM_UP;
        let comes = |scene: &Scene| scene.items.all().iter().any(|item| item.came > 0);
        if self.source.is_none() {
            let ran = self.stand.within(WARM_UP, |scene| scene.turns > 0 || gave_up(scene)).await;
            return Ok(if ran { Ok(()) } else { Err(self.silence("it said nothing")) });
        }
        while Instant::now() < end {
            let start = Instant::now();
            self.put(" to begin with", None).await?;
            if self.stand.within(2 * SOON, |scene| comes(scene) || gave_up(scene)).await {
                self.pace = self.pace.max(start.elapsed());
                break;
            }
        }
        let has_come = self.stand.look(comes);
        Ok(if has_come { Ok(()) } else { Err(self.silence("nothing that was put into its source came")) })
    }

    /// How long anything may take here.
    pub(super) fn patience(&self) -> Duration {
        self.stand.stretched(PATIENCE)
    }

    fn silence(&self, what: &str) -> String {
        let error = self.stand.look(|scene| scene.error.clone());
        format!("{what}, without any fault{}", error.map_or_else(String::new, |error| format!(": {error}")))
    }

    /// Has it stop, as it is asked to.
    pub(super) async fn down(&self) {
        self.stand.change(|scene| (scene.blow, scene.wanted) = (None, false));
        self.stand.until(|scene| scene.run == Run::Over).await;
    }

    pub(super) fn go(&self) {
        self.stand.change(|scene| (scene.blow, scene.wanted, scene.failures) = (None, true, 0));
    }

    /// What is late may still come; then it is told to stop, and what it held back is lost by that.
    async fn finish(&self, faults: &[Fault]) {
        let all_came = self
            .stand
            .within(self.patience(), |scene| scene.items.missing().next().is_none() || gave_up(scene));
        all_came.await;
        let restart = faults.iter().position(|fault| *fault == Fault::Restart).unwrap_or_default();
        let runs = self.end().is_none();
        self.stand.change(|scene| {
            if runs {
                scene.items.carry_over(restart);
            }
            scene.round = restart;
        });
        self.down().await;
    }
}

/// That of a machine on which the first item took so long.
fn slowness(first: Duration) -> f64 {
    first.div_duration_f64(QUICK).clamp(1.0, SLOWEST)
}

pub(super) fn gave_up(scene: &Scene) -> bool {
    scene.failures >= FAILURES
}
