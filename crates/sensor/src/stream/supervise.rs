//! The life of one stream: started, started again after each failure, put to an end. One task, which is the only one that ever
//! runs this sensor's program; each run begins when nothing of the one before is left, neither a process nor a commit (but for a
//! canary's, which changes nothing of the sensor), and from what the database has.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use attune_common::repositories::sensor_state::{self, Resumed};
use attune_process::Talk;
use tokio::sync::{Notify, Semaphore, SemaphorePermit, watch};
use tokio::time::{Instant, timeout};

use super::asked::Asked;
use super::canary::{Sender, Wishes};
use super::commits::{Committing, submit};
use super::consumption::Consumption;
use super::ear::Ear;
use super::health::Run;
use super::listener::Listener;
use super::log::Log;
use super::restart::Restarts;
use super::session::{self, Ended};
use super::watchdog::Watchdog;
use super::{StreamError, Wanted};
use crate::definition::Sensor;
use crate::manager::Tools;
use crate::runtime::{Job, PollError};
use crate::timeline::Timeline;
use crate::{pass, pause};

/// One stream, for as long as this worker runs it.
pub(super) struct Stream {
    pub(super) tools: Arc<Tools>,
    pub(super) sensor: i64,
    pub(super) epoch: i64,
    pub(super) restarts: Restarts,
    pub(super) wanted: watch::Receiver<Wanted>,
    /// Somebody does not want to wait until it is started again.
    pub(super) poked: Arc<Notify>,
    /// Who wishes for a canary of it.
    pub(super) wishes: Arc<Wishes>,
    /// One for each stream that may run at once.
    pub(super) places: Arc<Semaphore>,
    /// How many those are.
    pub(super) limit: u32,
}

/// Why a stream is over on this worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// It should not run any more.
    Stopped,
    /// It should run elsewhere, and is to be given back.
    GivenBack,
    /// It is another's already.
    Lost,
    /// A commit of it is in doubt: only another epoch can settle that.
    InDoubt,
}

/// What follows when a stream does not run.
pub(super) enum Next {
    /// Start it, as it is wanted now.
    Start,
    /// Start it after this time.
    Wait(Duration),
    Leave(Left),
}

impl Stream {
    /// Runs it until it should not run any more, or can not.
    pub(super) async fn live(mut self) -> Left {
        let places = Arc::clone(&self.places);
        let Ok(_place) = self.place(&places).await else { return self.left() };
        loop {
            let wanted = self.wanted.borrow_and_update().clone();
            let Wanted::Run(sensor) = wanted else { return self.left() };
            // Whoever wanted it started has that now.
            pin!(self.poked.notified()).as_mut().enable();
            match Box::pin(self.run(&sensor)).await {
                Next::Start => {}
                Next::Wait(time) => tokio::select! {
                    // Whoever changes it meanwhile wants to see what comes of that.
                    _ = timeout(time, self.wanted.changed()) => {}
                    () = self.poked.notified() => {}
                },
                Next::Leave(left) => return left,
            }
        }
    }

    fn left(&self) -> Left {
        match *self.wanted.borrow() {
            Wanted::GiveBack => Left::GivenBack,
            Wanted::Stop | Wanted::Run(_) => Left::Stopped,
        }
    }

    /// A place among those that run. `Err`: it is not wanted any more.
    async fn place<'a>(&mut self, places: &'a Semaphore) -> Result<SemaphorePermit<'a>, ()> {
        if let Ok(place) = places.try_acquire() {
            return Ok(place);
        }
        self.mark_starting(&format!(
            "this worker runs {} streams, and may run no more (sensor.max_streams)",
            self.limit
        ))
        .await;
        let not_wanted = self.wanted.wait_for(|wanted| !matches!(wanted, Wanted::Run(_)));
        tokio::select! {
            place = places.acquire() => place.map_err(drop),
            _ = not_wanted => Err(()),
        }
    }

    /// One run, from its start to its end.
    async fn run(&mut self, sensor: &Arc<Sensor>) -> Next {
        let resumed = match self.resume().await {
            Ok(resumed) => resumed,
            Err(next) => return next,
        };
        let (code, interpreter) = match self.find(sensor).await {
            Ok(found) => found,
            Err(next) => return next,
        };
        let asked = Asked::new(self.tools.generator.rules(), Arc::clone(sensor));
        let pass = match pass::issue(&self.tools, sensor, self.epoch, None).await {
            Ok(pass) => pass,
            Err(error) => return self.failed(sensor, &error.into(), Duration::ZERO).await,
        };
        let job = Job {
            sensor,
            code: &code,
            state: &resumed.state,
            trigger_params: &asked.params().clone(),
            time: self.silence(sensor),
            pass: pass.as_ref(),
        };
        let talk = self.tools.runtime.talk(&interpreter, &job).await;
        let next = match talk {
            Ok((talk, _directory)) => self.attended(sensor, talk, asked, &resumed).await,
            Err(error) => self.failed(sensor, &error.into(), Duration::ZERO).await,
        };
        pass::end(&self.tools.pool, pass).await;
        next
    }

    /// What follows once a run that began is over.
    async fn attended(&mut self, sensor: &Arc<Sensor>, talk: Talk, asked: Asked, resumed: &Resumed) -> Next {
        let started = Instant::now();
        match self.attend(sensor, talk, asked, resumed).await {
            Ended::Stopped => Next::Start,
            Ended::Lost => Next::Leave(Left::Lost),
            Ended::InDoubt => Next::Leave(Left::InDoubt),
            Ended::Failed(error) => self.failed(sensor, &error, started.elapsed()).await,
        }
    }

    /// Is with it while it runs.
    async fn attend(&mut self, sensor: &Sensor, talk: Talk, mut asked: Asked, resumed: &Resumed) -> Ended {
        let (now, heard) = (Instant::now(), Ear::default());
        let log = Log::of(&sensor.row.r#ref, now);
        let mut listener = Listener::new(log, Watchdog::new(self.silence(sensor), now), &heard);
        let Tools { generator, pool, meter, .. } = &*self.tools;
        let (epoch, mut consumption) =
            (self.epoch, Consumption::new(meter, self.sensor, talk.launcher_pid()));
        let commit =
            move |batch| -> Committing<'_> { Box::pin(submit((generator, meter), sensor, epoch, batch)) };
        let (mut wanted, fenced) = (self.wanted.clone(), Notify::new());
        // Whoever is gone wants nothing. One that is another's finds that out when it would start again.
        let stop = async {
            tokio::select! {
                _ = wanted.changed() => {}
                () = fenced.notified() => {}
            }
        };
        let canaries = Sender { tools: &self.tools, sensor, epoch, wishes: &self.wishes, fenced: &fenced };
        let run = Run { pool, sensor: self.sensor, epoch, resumed, failures: self.restarts.failures() };
        let ended = tokio::select! {
            ended = session::run(talk, &mut listener, &mut asked, stop, &commit) => ended,
            () = run.show(&heard) => unreachable!("it never ends"),
            () = consumption.follow(&heard) => unreachable!("it never ends"),
            () = canaries.send_all() => unreachable!("it never ends"),
        };
        consumption.end(&ended, listener.used);
        ended
    }

    /// How long it may be silent.
    fn silence(&self, sensor: &Sensor) -> Duration {
        sensor.timeout().unwrap_or(self.tools.timeout)
    }

    pub(super) async fn failed(&mut self, sensor: &Sensor, error: &StreamError, lived: Duration) -> Next {
        let text = error.for_the_record();
        let backoff = self.restarts.failed(lived, error.was_killed(), rand::random());
        let retry_in = error.as_poll().and_then(PollError::retry_in).unwrap_or(backoff);
        let failures = self.restarts.failures();
        tracing::warn!(sensor.ref = %sensor.row.r#ref, sensor.failures = failures, error = text, "A stream failed");
        if error.as_poll().is_some_and(PollError::is_missing_runtime) {
            self.tools.look_again.machine.notify_one();
        }
        let ticks = Timeline::broke(SystemTime::now(), lived, &text).to_column().unwrap_or_default();
        let (pool, id, epoch) = (&self.tools.pool, self.sensor, self.epoch);
        match sensor_state::mark_stream_failing(pool, id, epoch, &text, retry_in, failures, &ticks).await {
            Ok(false) => return Next::Leave(Left::Lost),
            Ok(true) => {
                if let Some(wish) = self.wishes.open()
                    && self.tools.answer_stream(wish, Err(&text)).await
                {
                    self.wishes.close(wish);
                }
                let failures = u32::try_from(failures).unwrap_or(u32::MAX);
                pause::after(pool, sensor, epoch, failures, &text).await;
            }
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "A failing stream could not be marked"
            ),
        }
        Next::Wait(retry_in)
    }
}
