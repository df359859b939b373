//! How each fault is brought about.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rustix::process::Signal;
use tokio::time::sleep;

use super::clock::Off;
use super::fault::Fault;
use super::feed::SOON;
use super::processes;
use super::script::{Script, WARM_UP, gave_up};
use super::source::{SourceError, Text};
use super::stand::{Run, Scene, Strike};

/// How long a program may be silent that is to hang, on a quick machine.
const SILENCE: Duration = Duration::from_secs(3);
/// In so much time whoever sends heartbeats has sent one there.
const BEAT: Duration = Duration::from_secs(2);

/// What came of one fault: what was done, or why it was not.
type Done = Result<Result<String, String>, SourceError>;

const NO_EVENT: &str = "it sent no event in that time";

impl Script<'_> {
    pub(super) async fn try_out(&mut self, fault: Fault) -> Done {
        let mut random = self.random(fault);
        match fault {
            Fault::None => self.feed(3).await.map(|()| Ok("it ran undisturbed".to_owned())),
            Fault::Restart => self.restart().await,
            Fault::Kill => self.strike(Strike::Kill(random.random_range(1..=3))).await,
            Fault::LostCommit => self.strike(Strike::LostCommit).await,
            Fault::LostAck => self.strike(Strike::LostAck).await,
            Fault::SlowDatabase => self.slow(random.random_range(100..=250)).await,
            Fault::DuplicatePage => self.repeat().await,
            Fault::TornLine => self.tear().await,
            Fault::GiantLine => {
                let size = random.random_range(200_000..=400_000);
                let done = self.feed_one(&format!(" {}", "x".repeat(size))).await;
                done.map(|_| Ok(format!("an item of {size} bytes")))
            }
            Fault::Nul => {
                self.feed_one(" before \0 after").await.map(|_| Ok("an item with a NUL in it".to_owned()))
            }
            Fault::ClockJump => self.jump().await,
            Fault::Hang if self.is_stream => self.hang().await,
            Fault::Hang => self.strike(Strike::Stop).await,
        }
    }

    /// What a fault draws does not depend on what came before it, so it can be tried alone.
    fn random(&self, fault: Fault) -> StdRng {
        let place = Fault::ALL.iter().position(|other| *other == fault).unwrap_or_default();
        StdRng::seed_from_u64(self.seed.rotate_left(8) ^ place as u64)
    }

    async fn restart(&mut self) -> Done {
        // With something under way it would be a matter of luck what is done by then.
        self.feed(2).await?;
        self.settle().await?;
        self.down().await;
        self.feed(2).await?;
        self.go();
        Ok(Ok("it was told to stop, and started again".to_owned()))
    }

    /// Strikes when the program comes to the point; while it is down more items come.
    async fn strike(&mut self, strike: Strike) -> Done {
        // The next poll has to see all of it.
        if !self.is_stream {
            self.down().await;
        }
        self.stand.change(|scene| scene.order(strike));
        self.feed(4).await?;
        if !self.is_stream {
            self.stand.change(|scene| scene.wanted = true);
        }
        // Items are there, so events will come; of another source nobody knows.
        let time = if self.source.is_some() { self.patience().max(WARM_UP) } else { self.patience() };
        self.stand
            .within(time, |scene| scene.blow.is_some() && scene.run == Run::Over || gave_up(scene))
            .await;
        self.stand.change(|scene| scene.strike = None);
        let blow = self.stand.look(|scene| scene.blow.clone());
        self.feed(2).await?;
        self.go();
        Ok(blow.ok_or_else(|| NO_EVENT.to_owned()))
    }

    async fn slow(&mut self, millis: u64) -> Done {
        self.stand.change(|scene| scene.order(Strike::Slow(Duration::from_millis(millis))));
        for _ in 0..4 {
            self.feed(5).await?;
            self.settle().await?;
        }
        self.stand.change(|scene| scene.strike = None);
        Ok(Ok(format!("each commit took {millis} ms")))
    }

    async fn repeat(&mut self) -> Done {
        let came = self.stand.look(|scene| {
            let came = self.fed.iter().rev().filter(|text| scene.items.has(&text.name));
            came.take(3).cloned().collect::<Vec<_>>()
        });
        self.stand.change(|scene| came.iter().for_each(|text| scene.items.copy(&text.name)));
        if let Some(source) = &mut self.source {
            source.add(&came, &self.config).await?;
        }
        self.feed(2).await?;
        Ok(Ok(format!("{} items that had come were there again", came.len())))
    }

    async fn tear(&mut self) -> Done {
        let name = self.stand.change(|scene| scene.items.add(self.names, Some(scene.round)));
        let text = Text { name, rest: " in two parts".to_owned() };
        let Some(source) = &mut self.source else { return Ok(Err("it needs --source".to_owned())) };
        if !source.begin(&text)? {
            source.add(&[text], &self.config).await?;
            return Ok(Err("its source takes whole items only".to_owned()));
        }
        self.let_it_look().await;
        if let Some(source) = &mut self.source {
            source.complete(&text)?;
        }
        self.feed(1).await?;
        Ok(Ok("an item was there in half for a while".to_owned()))
    }

    /// Nothing shows that it saw something of which it says nothing: so a poll from its start to its end, or the time in which
    /// items come.
    async fn let_it_look(&self) {
        let turns = self.stand.look(|scene| scene.turns);
        if self.is_stream {
            sleep(2 * self.pace + SOON / 3).await;
        } else {
            self.stand.within(self.patience(), |scene| scene.turns > turns + 1 || gave_up(scene)).await;
        }
    }

    async fn jump(&mut self) -> Done {
        let Some(clock) = self.clock else { return Ok(Err(String::new())) };
        let mut set = clock.set("+0");
        self.start_off(Some(Off::Wall)).await;
        self.feed(2).await?;
        self.settle().await?;
        // Nothing has jumped yet: it is the library that it can not bear.
        let both = self.stand.look(|scene| scene.failures > 0);
        for offset in ["+1d", "-1d"] {
            set = set.and_then(|()| clock.set(offset));
            if both {
                self.start_off(Some(Off::All)).await;
            }
            self.feed(2).await?;
            self.settle().await?;
        }
        self.start_off(None).await;
        let when = if both { ", each time while it did not run" } else { "" };
        let done = set.map(|()| format!("the clock jumped ahead by a day, then back by two{when}"));
        Ok(done.map_err(|error| format!("the clock can not be set: {error}")))
    }

    /// Starts it again with these clocks off.
    async fn start_off(&self, off: Option<Off>) {
        self.down().await;
        self.stand.change(|scene| scene.off = off);
        self.go();
    }

    /// Stops a stream when nothing is under way.
    async fn hang(&mut self) -> Done {
        self.down().await;
        let silence = self.stand.stretched(SILENCE);
        self.stand.change(|scene| (scene.limit, scene.beats) = (Some(silence), false));
        self.go();
        self.feed(2).await?;
        self.settle().await?;
        // A stream is watched from its first heartbeat on.
        let time = self.stand.stretched(BEAT);
        let beats = self.stand.within(time, |scene| scene.beats || gave_up(scene)).await;
        let ends = self.stand.change(|scene| {
            scene.limit = None;
            scene.blow = Some("SIGSTOP".to_owned());
            scene.ends
        });
        self.signal(Signal::STOP);
        self.feed(2).await?;
        let is_over = |scene: &Scene| scene.ends > ends;
        let then = match beats {
            true if self.stand.within(2 * self.patience(), is_over).await => {
                "until it was ended for its silence"
            }
            true => "and it was not ended for its silence",
            false => {
                self.signal(Signal::CONT);
                "then SIGCONT: it sends no heartbeat, so nobody would have ended it"
            }
        };
        self.go();
        Ok(Ok(format!("SIGSTOP, {then}")))
    }

    fn signal(&self, signal: Signal) {
        if let Some(launcher) = self.stand.look(Scene::launcher) {
            processes::signal(launcher, signal);
        }
    }
}
