//! What one run of a stream takes. It may go on for months, so it is looked at while it does; at its end the launcher says what
//! it was in all, and the rest is added.

use std::time::Duration;

use attune_core::usage::{Ended, Figures, Spent};
use attune_executor::usage::Meter;
use attune_process::{Usage, running};
use tokio::time::{Instant, sleep};

use super::ear::Ear;
use super::session;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(10);

/// What a run took, as far as it is noted.
#[derive(Debug)]
pub(super) struct Consumption<'a> {
    meter: &'a Meter,
    sensor: i64,
    launcher: u32,
    started: Instant,
    cpu: Duration,
    wall: Duration,
    output: u64,
}

impl<'a> Consumption<'a> {
    /// That of a run which has just begun, below this launcher.
    pub(super) fn new(meter: &'a Meter, sensor: i64, launcher: u32) -> Self {
        let (started, cpu, wall) = (Instant::now(), Duration::ZERO, Duration::ZERO);
        Self { meter, sensor, launcher, started, cpu, wall, output: 0 }
    }

    /// Notes what it takes, again and again. Never ends.
    pub(super) async fn follow(&mut self, ear: &Ear) {
        loop {
            sleep(LOOK).await;
            if let Some(running) = running(self.launcher) {
                let figures = self.rest(running.cpu, self.started.elapsed(), ear.bytes());
                self.meter.note(self.sensor, &Figures { peak_memory: running.memory, ..figures });
            }
        }
    }

    /// Notes the rest. `used` is what the launcher said in the end, if it did.
    pub(super) fn end(mut self, ended: &session::Ended, used: Option<Usage>) {
        let wall = self.started.elapsed();
        let (cpu, output) = used.map_or((self.cpu, self.output), |used| (used.cpu(), used.output_bytes));
        let rest = self.rest(cpu, wall, output);
        let peak_memory = used.map_or(0, |used| used.max_rss_bytes);
        let run = Figures::of_run(verdict(ended), wall, &Spent { cpu: None, peak_memory, output: 0 });
        self.meter.note(self.sensor, &Figures { cpu: rest.cpu, wall: rest.wall, output: rest.output, ..run });
    }

    /// What is new of these.
    fn rest(&mut self, cpu: Duration, wall: Duration, output: u64) -> Figures {
        let figures = Figures {
            cpu: cpu.saturating_sub(self.cpu),
            wall: wall.saturating_sub(self.wall),
            output: output.saturating_sub(self.output),
            ..Figures::default()
        };
        (self.cpu, self.wall, self.output) = (self.cpu.max(cpu), wall, self.output.max(output));
        figures
    }
}

/// What a run counts as.
fn verdict(ended: &session::Ended) -> Ended {
    match ended {
        session::Ended::Failed(_) => Ended::Failed,
        session::Ended::Stopped | session::Ended::Lost | session::Ended::InDoubt => Ended::Stopped,
    }
}

#[cfg(test)]
mod tests {
    use attune_common::repositories::usage::Kind;
    use sqlx::PgPool;

    use super::*;

    #[tokio::test]
    async fn looks_and_the_end_add_up_to_all_of_it() {
        let meter = Meter::new(PgPool::connect_lazy("postgres://nobody").unwrap(), Kind::Sensor);
        let (mut consumption, mut all) = (Consumption::new(&meter, 1, 0), Figures::default());
        // The kernel's ticks are coarse: what was seen last may be less than before.
        for (cpu, wall, output) in [(3, 10, 100), (3, 20, 100), (9, 30, 700), (8, 40, 700), (12, 45, 900)] {
            let (cpu, wall) = (Duration::from_secs(cpu), Duration::from_secs(wall));
            all.add(&consumption.rest(cpu, wall, output));
        }
        let (cpu, wall) = (Duration::from_secs(12), Duration::from_secs(45));
        assert_eq!(all, Figures { cpu, wall, output: 900, ..Figures::default() });
    }
}
