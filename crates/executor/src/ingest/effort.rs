//! How much work may follow from one submission: its events are checked, its rules' conditions tested, their parameters
//! rendered, and all of that is what authors wrote.
//!
//! - **Cheap pieces** are done at once, on the thread of the caller. Each has a little work of its own that nothing can take
//!   from it, so what is cheap never waits for what is dear, whatever stands before it.
//! - **Dear ones** come afterwards, in rounds, those that need least first, on threads where nothing else waits. They share
//!   the work of the submission, of which one event takes at most half while others follow. What finds none left does not
//!   come to its end, and says so.
//!
//! Steps are an estimate of time; the processor's time is the second end, for when the estimate is wrong. What else the machine
//! does takes none of it.

use std::sync::{Arc, LazyLock};
use std::thread::available_parallelism;
use std::time::Duration;

use attune_core::work;
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::Semaphore;

use super::breath::Breath;
use super::work_limits::{OutOfWork, WorkLimits};

/// Cheap pieces that are done before it is asked what time it is.
const PIECES_BETWEEN: usize = 32;

/// The longest pieces run side by side on half of the processors; the others belong to those whose work is short.
static LANES: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new((available_parallelism().map_or(1, usize::from) / 2).max(1)));

/// What a submission may still do.
#[derive(Debug)]
pub(super) struct Effort {
    limits: WorkLimits,
    left: u64,
    /// Of that, what the events after this one keep.
    kept: u64,
    busy: Duration,
    breath: Breath,
}

impl Effort {
    pub(super) fn new(limits: WorkLimits) -> Self {
        Self { limits, left: limits.total, kept: 0, busy: Duration::ZERO, breath: Breath::new() }
    }

    /// Goes on to an event, which leaves half of the work to those that follow.
    pub(super) async fn next_event(&mut self, is_last: bool) {
        self.kept = if is_last { 0 } else { self.left / 2 };
        self.breath.take().await;
    }

    /// Does one piece.
    pub(super) async fn one<R: Send + 'static>(
        &mut self,
        work: impl Fn() -> R + Clone + Send + 'static,
    ) -> Result<R, OutOfWork> {
        if let Some(done) = work::within(self.limits.own, &work).finished() {
            return Ok(done);
        }
        let mut done = Err(OutOfWork::Shared(self.limits));
        for round in self.limits.rounds {
            done = self.more(round, work.clone()).await;
            if done.is_ok() {
                break;
            }
        }
        done
    }

    /// Does the same for each of these things, and gives what comes of it to `take` with its place. The first error of
    /// that ends it.
    pub(super) async fn each<'a, T: Send + Sync + 'static, R: Send + 'static, E>(
        &mut self,
        things: impl Iterator<Item = (usize, &'a Arc<T>)>,
        work: impl Fn(&T) -> R + Clone + Send + 'static,
        mut take: impl FnMut(usize, Result<R, OutOfWork>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut dear = Vec::new();
        for (count, (place, thing)) in things.enumerate() {
            if count % PIECES_BETWEEN == 0 {
                self.breath.take().await;
            }
            match work::within(self.limits.own, || work(thing)).finished() {
                Some(done) => take(place, Ok(done))?,
                None => dear.push((place, thing)),
            }
        }
        for (number, round) in (1..).zip(self.limits.rounds) {
            for (place, thing) in std::mem::take(&mut dear) {
                let (work, it) = (work.clone(), Arc::clone(thing));
                match self.more(round, move || work(&it)).await {
                    Err(_) if number < self.limits.rounds.len() => dear.push((place, thing)),
                    done => take(place, done)?,
                }
            }
        }
        Ok(())
    }

    /// Does a piece where nothing waits, within the steps of a round.
    async fn more<R: Send + 'static>(
        &mut self,
        round: u64,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, OutOfWork> {
        let limit = round.min(self.left.saturating_sub(self.kept));
        if limit == 0 {
            return Err(OutOfWork::Shared(self.limits));
        }
        let _lane = if round > self.limits.rounds[0] { LANES.acquire().await.ok() } else { None };
        let piece = tokio::task::spawn_blocking(move || {
            let start = processor_time();
            (work::within(limit, work), processor_time().saturating_sub(start))
        });
        let (done, took) = match piece.await {
            Ok(done) => done,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The service ends.
            Err(_) => return Err(OutOfWork::Shared(self.limits)),
        };
        self.left = self.left.saturating_sub(done.spent);
        self.busy += took;
        if self.busy >= self.limits.time {
            self.left = 0;
        }
        self.breath.restart();
        done.finished().ok_or(if limit == round {
            OutOfWork::Own(round)
        } else {
            OutOfWork::Shared(self.limits)
        })
    }
}

/// What this thread has had of a processor.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::convert::Infallible;
    use std::thread;

    use super::*;

    fn limits() -> WorkLimits {
        WorkLimits { own: 10, rounds: [100, 1_000, 10_000], total: 50_000, time: Duration::MAX }
    }

    /// Spends what each of them says, and tells which came to their end, and on which thread.
    async fn spend(
        effort: &mut Effort,
        steps: &[u64],
    ) -> HashMap<usize, Result<thread::ThreadId, OutOfWork>> {
        let things: Vec<_> = steps.iter().map(|steps| Arc::new(*steps)).collect();
        let mut taken = HashMap::new();
        let work = |steps: &u64| {
            let _ = work::spend(*steps);
            thread::current().id()
        };
        let all = effort.each(things.iter().enumerate(), work, |place, done| {
            assert!(taken.insert(place, done).is_none());
            Ok::<_, Infallible>(())
        });
        all.await.unwrap();
        taken
    }

    #[tokio::test]
    async fn cheap_pieces_come_to_their_end_whatever_is_before_them() {
        let mut effort = Effort::new(limits());
        let mut steps = vec![9_000; 100];
        steps.extend([5, 80]);
        let done = spend(&mut effort, &steps).await;
        assert_eq!(done.len(), steps.len());
        assert!(done[&100].is_ok() && done[&101].is_ok());
        let shared = done.values().filter(|done| **done == Err(OutOfWork::Shared(limits()))).count();
        assert_eq!((shared, effort.left), (100, 0));
        let done = spend(&mut effort, &[5, 20_000]).await;
        assert!(done[&0].is_ok() && done[&1].is_err(), "{done:?}");
    }

    #[tokio::test]
    async fn only_what_is_dear_leaves_its_thread_and_none_takes_more_than_it_may() {
        let done = spend(&mut Effort::new(limits()), &[5, 50, 20_000]).await;
        let here = thread::current().id();
        assert!(done[&0] == Ok(here) && done[&1].is_ok_and(|thread| thread != here));
        assert_eq!(done[&2], Err(OutOfWork::Own(10_000)));
    }

    #[tokio::test]
    async fn an_event_leaves_half_to_those_that_follow() {
        let mut effort = Effort::new(WorkLimits { total: 20_000, ..limits() });
        effort.next_event(false).await;
        assert!(
            effort.one(|| work::spend(9_000)).await.is_err(),
            "the rounds before took a part of its half"
        );
        assert_eq!(effort.left, 10_000);
        effort.next_event(true).await;
        assert!(effort.one(|| work::spend(8_000)).await.is_ok());
    }

    #[tokio::test]
    async fn time_is_the_second_end() {
        let mut effort = Effort::new(WorkLimits { time: Duration::ZERO, ..limits() });
        assert!(effort.one(|| work::spend(50)).await.is_ok(), "it is looked at afterwards");
        assert_eq!(effort.one(|| work::spend(50)).await, Err(OutOfWork::Shared(limits())));
        assert!(effort.one(|| work::spend(5)).await.is_ok());
    }
}
