//! What polls, streams and runs take, and how it adds up.

use std::time::Duration;

/// What one run took of its machine, as far as somebody measured it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// Processor time; `None`: nobody knows.
    pub cpu: Option<Duration>,
    /// The most memory, in bytes; 0: nobody knows.
    pub peak_memory: u64,
    /// What was read of its output, in bytes.
    pub output: u64,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Well.
    Succeeded,
    /// It failed.
    Failed,
    /// It failed, because it took longer than it may.
    TimedOut,
    /// Somebody wanted it to end, which says nothing about it.
    Stopped,
}

/// What several runs took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Runs that ended.
    pub runs: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those of the failed that took longer than they may.
    pub timed_out: u64,
    /// Those that somebody wanted to end.
    pub stopped: u64,
    /// Those whose processor time is known.
    pub metered: u64,
    /// The processor time of these.
    pub cpu: Duration,
    /// From start to end, together.
    pub wall: Duration,
    /// From start to end, of the longest one.
    pub longest: Duration,
    /// What was read of their output, in bytes.
    pub output: u64,
    /// Events that they gave.
    pub events: u64,
    /// The most memory that one of them had, in bytes.
    pub peak_memory: u64,
}

impl Figures {
    /// Those of one run that is over.
    pub fn of_run(ended: Ended, wall: Duration, spent: &Spent) -> Self {
        let one_if = |is_so: bool| u64::from(is_so);
        Self {
            runs: 1,
            failed: one_if(matches!(ended, Ended::Failed | Ended::TimedOut)),
            timed_out: one_if(ended == Ended::TimedOut),
            stopped: one_if(ended == Ended::Stopped),
            metered: one_if(spent.cpu.is_some()),
            cpu: spent.cpu.unwrap_or_default(),
            wall,
            longest: wall,
            output: spent.output,
            events: 0,
            peak_memory: spent.peak_memory,
        }
    }

    /// The same with so many events.
    #[must_use]
    pub fn with_events(self, events: usize) -> Self {
        Self { events: events as u64, ..self }
    }

    /// Adds others. What is too much to be counted stays at the end of the scale.
    pub fn add(&mut self, other: &Self) {
        self.runs = self.runs.saturating_add(other.runs);
        self.failed = self.failed.saturating_add(other.failed);
        self.timed_out = self.timed_out.saturating_add(other.timed_out);
        self.stopped = self.stopped.saturating_add(other.stopped);
        self.metered = self.metered.saturating_add(other.metered);
        self.cpu = self.cpu.saturating_add(other.cpu);
        self.wall = self.wall.saturating_add(other.wall);
        self.longest = self.longest.max(other.longest);
        self.output = self.output.saturating_add(other.output);
        self.events = self.events.saturating_add(other.events);
        self.peak_memory = self.peak_memory.max(other.peak_memory);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(ended: Ended, cpu: Option<u64>, wall: u64, peak_memory: u64) -> Figures {
        let spent = Spent { cpu: cpu.map(Duration::from_millis), peak_memory, output: 10 };
        Figures::of_run(ended, Duration::from_millis(wall), &spent)
    }

    #[test]
    fn times_add_up_and_the_largest_of_the_rest_remains() {
        let mut all = run(Ended::Succeeded, Some(5), 20, 700).with_events(2);
        all.add(&run(Ended::TimedOut, None, 300, 100));
        all.add(&run(Ended::Stopped, Some(7), 10, 900).with_events(1));
        let expected = Figures {
            runs: 3,
            failed: 1,
            timed_out: 1,
            stopped: 1,
            metered: 2,
            cpu: Duration::from_millis(12),
            wall: Duration::from_millis(330),
            longest: Duration::from_millis(300),
            output: 30,
            events: 3,
            peak_memory: 900,
        };
        assert_eq!(all, expected);
    }

    #[test]
    fn nothing_overflows() {
        let mut all = Figures { cpu: Duration::MAX, output: u64::MAX, ..Figures::default() };
        all.add(&run(Ended::Failed, Some(1), 1, 1));
        assert_eq!((all.cpu, all.output), (Duration::MAX, u64::MAX));
    }
}
