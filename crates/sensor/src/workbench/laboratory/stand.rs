//! What the two sides of the laboratory share: the driver, which runs the sensor's program, and the script, which feeds its
//! source, orders the next fault and waits for what comes of it. Neither calls the other; each changes the scene and waits
//! until it looks as it should.

use std::time::Duration;

use attune_core::protocol::Message;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::timeout;

use super::clock::Off;
use super::items::Items;
use super::ledger::Ledger;
use crate::runtime::PollOutput;

/// What is to be done to the program, once it comes to the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strike {
    /// SIGKILL after so many events of a stream, or lines of a poll.
    Kill(usize),
    /// SIGSTOP of a poll as soon as it runs.
    Stop,
    /// The worker dies before it commits.
    LostCommit,
    /// The worker dies when it has committed.
    LostAck,
    /// Each commit takes so long.
    Slow(Duration),
}

/// Whether the program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Run {
    /// It does not, and all that it did is here.
    Over,
    /// It was decided that it does, from which state, and with which fault.
    Begun,
    /// Below this launcher.
    Up(u32),
}

/// Everything that both sides see.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) ledger: Ledger,
    pub(super) items: Items,
    /// The number of the round.
    pub(super) round: usize,
    pub(super) strike: Option<Strike>,
    /// What was done, in words.
    pub(super) blow: Option<String>,
    /// What was committed when the program was down after that.
    pub(super) state_then: Option<Value>,
    /// Whether the program should run.
    pub(super) wanted: bool,
    pub(super) run: Run,
    /// Things that a stream said, or polls that went well.
    pub(super) turns: u64,
    /// Runs that are over.
    pub(super) ends: u64,
    /// Runs that failed in a row, by themselves.
    pub(super) failures: u32,
    pub(super) error: Option<String>,
    /// How long the next program may take, or be silent, when that is not as ever.
    pub(super) limit: Option<Duration>,
    /// The clocks that jump for the next program.
    pub(super) off: Option<Off>,
    /// How many times as long everything may take here as on a quick machine.
    pub(super) slowness: f64,
    /// The stream sends heartbeats.
    pub(super) beats: bool,
    has_checkpoints: bool,
    /// Events since the strike was ordered.
    events: usize,
}

/// The scene, and who waits for it to change.
#[derive(Debug)]
pub(super) struct Stand(watch::Sender<Scene>);

impl Stand {
    pub(super) fn new(ledger: Ledger) -> Self {
        Self(watch::Sender::new(Scene {
            ledger,
            items: Items::default(),
            round: 0,
            strike: None,
            blow: None,
            state_then: None,
            wanted: false,
            run: Run::Over,
            turns: 0,
            ends: 0,
            failures: 0,
            error: None,
            limit: None,
            off: None,
            slowness: 1.0,
            beats: false,
            has_checkpoints: false,
            events: 0,
        }))
    }

    pub(super) fn look<T>(&self, see: impl FnOnce(&Scene) -> T) -> T {
        see(&self.0.borrow())
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Scene) -> T) -> T {
        let mut changed = None;
        self.0.send_modify(|scene| changed = Some(change(scene)));
        changed.expect("the change was made")
    }

    /// Waits until the scene looks like this.
    pub(super) async fn until(&self, is_so: impl Fn(&Scene) -> bool) {
        let mut scene = self.0.subscribe();
        scene
            .wait_for(|scene| is_so(scene))
            .await
            .map(drop)
            .expect("the stand is there as long as it is asked");
    }

    /// What is so long on a quick machine, on this one.
    pub(super) fn stretched(&self, time: Duration) -> Duration {
        time.mul_f64(self.look(|scene| scene.slowness))
    }

    /// Waits so long at most, and tells whether it came to that.
    pub(super) async fn within(&self, time: Duration, is_so: impl Fn(&Scene) -> bool) -> bool {
        timeout(time, self.until(is_so)).await.is_ok()
    }
}

impl Scene {
    pub(super) fn state(&self) -> Value {
        self.ledger.state().clone()
    }

    /// Begins a run, if one is wanted. What is ordered from now on is for the next one.
    pub(super) fn begin(&mut self) -> bool {
        self.run = if self.wanted { Run::Begun } else { Run::Over };
        self.wanted
    }

    /// That of the program that runs.
    pub(super) fn launcher(&self) -> Option<u32> {
        if let Run::Up(launcher) = self.run { Some(launcher) } else { None }
    }

    /// Commits, and looks which items came.
    pub(super) fn commit(&mut self, output: PollOutput) {
        self.failures = 0;
        let entry = self.ledger.commit(output);
        for payload in entry.stored {
            self.items.see(&payload.to_string(), true, self.round);
        }
        for raw in entry.set_aside {
            self.items.see(&String::from_utf8_lossy(&raw), false, self.round);
        }
    }

    /// Orders the next fault.
    pub(super) fn order(&mut self, strike: Strike) {
        (self.strike, self.blow, self.events) = (Some(strike), None, 0);
    }

    /// It came to that, and the program does not run until it is wanted again.
    pub(super) fn struck(&mut self, words: String) {
        (self.strike, self.blow, self.wanted) = (None, Some(words), false);
    }

    /// A run is over; by itself when it has an error and nobody struck.
    pub(super) fn ended(&mut self, error: Option<String>) {
        self.run = Run::Over;
        self.ends += 1;
        if self.blow.is_some() {
            self.state_then = Some(self.state());
        }
        if let Some(error) = error.filter(|_| self.blow.is_none()) {
            self.failures += 1;
            self.error = Some(error);
        }
    }

    /// Takes note of what a stream says; `true`: it is to be killed now.
    pub(super) fn hear(&mut self, message: &Message) -> bool {
        self.turns += 1;
        match message {
            Message::Hello { checkpoints, .. } => self.has_checkpoints = *checkpoints,
            Message::Heartbeat => self.beats = true,
            Message::Event(_) => return self.count_event(),
            _ => {}
        }
        false
    }

    fn count_event(&mut self) -> bool {
        self.events += 1;
        let number = self.events;
        let Some(Strike::Kill(after)) = self.strike else { return false };
        if number < after {
            return false;
        }
        let before = if self.has_checkpoints { ", before its checkpoint" } else { "" };
        self.struck(format!("SIGKILL of worker and program when event {number} was read{before}"));
        true
    }
}
