//! What a stream has sent, and what of it may be committed now, in order.
//!
//! A stream that announces checkpoints decides itself what belongs together: its events wait until their checkpoint comes,
//! and go in with its state. One that does not gets its events committed as they come. Either way there is one commit of
//! a stream at a time, and whatever is complete meanwhile goes into the next one. So nothing later is ever committed
//! before something earlier, a failed commit leaves nothing after it, and a slow database makes commits larger, not more.
//!
//! Memory is bounded by not reading: once enough is complete and uncommitted the intake is full, and whoever reads has to
//! stop. What belongs to an open checkpoint has to be read, so the protocol bounds that.

use attune_core::output::Rejected;
use attune_core::protocol::CheckpointId;
use serde_json::Value;

use crate::runtime::PollOutput;

/// Checkpoints that may be complete and wait.
const CHECKPOINTS: usize = 8;
/// Events that may be complete and wait, unless it takes one checkpoint more to have them.
const EVENTS: usize = 1_000;
/// Bytes that may be read while something complete waits.
const BYTES: usize = 1_000_000;

/// What goes in together or not at all.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Batch {
    /// Events that can be stored, in their order.
    pub(crate) events: Vec<Value>,
    /// What was meant as an event and can not be stored.
    pub(crate) rejected: Vec<Rejected>,
    /// What the stream goes on from; `None` leaves that as it is.
    pub(crate) state: Option<Value>,
    /// The ids of the checkpoints that want to hear of the commit, in their order.
    pub(crate) acks: Vec<CheckpointId>,
    checkpoints: usize,
}

/// Collects what a stream sends.
#[derive(Debug, Default)]
pub(super) struct Intake {
    /// The stream sends checkpoints.
    has_checkpoints: bool,
    /// Since the last checkpoint.
    open: Batch,
    /// For the next commit.
    ready: Batch,
    /// Read since the last commit was taken.
    bytes: usize,
}

impl Intake {
    /// From now on nothing is complete before its checkpoint.
    pub(super) fn expect_checkpoints(&mut self) {
        self.has_checkpoints = true;
    }

    /// So much was read, whatever it is.
    pub(super) fn read(&mut self, bytes: usize) {
        self.bytes += bytes;
    }

    /// Takes an event.
    pub(super) fn event(&mut self, event: Result<Value, Rejected>) {
        let batch = if self.has_checkpoints { &mut self.open } else { &mut self.ready };
        match event {
            Ok(event) => batch.events.push(event),
            Err(rejected) => batch.rejected.push(rejected),
        }
    }

    /// Takes a checkpoint: what is open is complete.
    pub(super) fn checkpoint(&mut self, id: Option<CheckpointId>, state: Option<Value>) {
        self.ready.events.append(&mut self.open.events);
        self.ready.rejected.append(&mut self.open.rejected);
        self.ready.state = state.or(self.ready.state.take());
        self.ready.acks.extend(id);
        self.ready.checkpoints += 1;
    }

    /// Whether so much is complete that nothing more should be read.
    pub(super) fn is_full(&self) -> bool {
        let ready = &self.ready;
        ready.checkpoints >= CHECKPOINTS
            || ready.count() >= EVENTS
            || (self.bytes >= BYTES && !ready.is_empty())
    }

    /// How many events wait for a checkpoint.
    pub(super) fn open(&self) -> usize {
        self.open.count()
    }

    /// Takes all that is complete.
    pub(super) fn take(&mut self) -> Option<Batch> {
        if self.ready.is_empty() {
            return None;
        }
        self.bytes = 0;
        Some(std::mem::take(&mut self.ready))
    }
}

impl From<Batch> for PollOutput {
    fn from(batch: Batch) -> Self {
        Self { events: batch.events, rejected: batch.rejected, state: batch.state, ..Self::default() }
    }
}

impl Batch {
    fn count(&self) -> usize {
        self.events.len() + self.rejected.len()
    }

    fn is_empty(&self) -> bool {
        self.count() == 0 && self.checkpoints == 0
    }
}

#[cfg(test)]
pub(super) mod tests {
    use attune_core::protocol::{Decoder, Message, Stream};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn with_checkpoints() -> Intake {
        let mut intake = Intake::default();
        intake.expect_checkpoints();
        intake
    }

    pub(in crate::stream) fn id(id: impl Into<Value>) -> CheckpointId {
        let lines = [
            json!({"type": "hello", "protocol": 1, "checkpoints": true}),
            json!({"type": "checkpoint", "id": id.into(), "state": {}}),
        ];
        let (mut decoder, mut messages) = (Decoder::<Stream>::default(), Vec::new());
        for line in lines {
            decoder.push(format!("{line}\n").as_bytes(), &mut messages).unwrap();
        }
        match messages.pop() {
            Some(Message::Checkpoint { id: Some(id), .. }) => id,
            other => panic!("{other:?}"),
        }
    }

    fn events(batch: &Batch) -> Vec<i64> {
        batch.events.iter().map(|event| event["n"].as_i64().unwrap()).collect()
    }

    #[test]
    fn nothing_is_complete_before_its_checkpoint() {
        let mut intake = with_checkpoints();
        intake.event(Ok(json!({"n": 1})));
        assert_eq!(intake.take(), None);
        intake.checkpoint(Some(id("a")), Some(json!({"at": 1})));
        intake.event(Ok(json!({"n": 2})));
        let batch = intake.take().unwrap();
        assert_eq!(
            (events(&batch), batch.state, batch.acks),
            (vec![1], Some(json!({"at": 1})), vec![id("a")])
        );
        assert_eq!(intake.take(), None);
    }

    #[test]
    fn checkpoints_that_waited_go_in_together_and_each_is_acknowledged() {
        let mut intake = with_checkpoints();
        for n in 0..3 {
            intake.event(Ok(json!({"n": n})));
            intake.checkpoint((n != 1).then(|| id(n)), (n != 2).then(|| json!({"at": n})));
        }
        let batch = intake.take().unwrap();
        assert_eq!(events(&batch), [0, 1, 2]);
        assert_eq!((batch.state, batch.acks), (Some(json!({"at": 1})), vec![id(0), id(2)]));
    }

    #[test]
    fn a_checkpoint_by_itself_is_worth_a_commit() {
        let mut intake = with_checkpoints();
        intake.checkpoint(Some(id(1)), None);
        assert_eq!(intake.take().unwrap().acks, [id(1)]);
    }

    #[test]
    fn without_checkpoints_events_are_complete_as_they_come() {
        let mut intake = Intake::default();
        intake.event(Ok(json!({"n": 1})));
        intake.event(Ok(json!({"n": 2})));
        assert_eq!(events(&intake.take().unwrap()), [1, 2]);
    }

    #[test]
    fn it_is_full_when_enough_is_complete_and_has_room_again_when_that_was_taken() {
        let mut intake = Intake::default();
        for n in 0..EVENTS {
            intake.event(Ok(json!({"n": n})));
        }
        assert!(intake.is_full());
        intake.take().unwrap();
        assert!(!intake.is_full());
        intake.read(BYTES);
        assert!(!intake.is_full());
        intake.event(Ok(json!({})));
        assert!(intake.is_full());
    }

    #[test]
    fn what_is_open_is_read_on_and_checkpoints_fill_it() {
        let mut intake = with_checkpoints();
        intake.read(BYTES);
        (0..2 * EVENTS).for_each(|n| intake.event(Ok(json!({"n": n}))));
        assert!(!intake.is_full());
        intake.checkpoint(None, Some(json!({})));
        assert!(intake.is_full());
        intake.take().unwrap();
        (1..CHECKPOINTS).for_each(|_| intake.checkpoint(None, None));
        assert!(!intake.is_full());
        intake.checkpoint(None, None);
        assert!(intake.is_full());
    }

    proptest! {
        /// Whenever commits happen, each event that a checkpoint follows is committed once, in order, with the state of the
        /// last checkpoint before the commit.
        #[test]
        fn order_holds_whenever_commits_happen(steps in proptest::collection::vec(0_u8..3, 0..200)) {
            let (mut intake, mut sent, mut covered, mut committed) = (with_checkpoints(), 0_i64, 0, Vec::new());
            for step in steps {
                match step {
                    0 => {
                        intake.event(Ok(json!({"n": sent})));
                        sent += 1;
                    }
                    1 => {
                        intake.checkpoint(Some(id(sent)), Some(json!({"at": sent})));
                        covered = sent;
                    }
                    _ => if let Some(batch) = intake.take() {
                        committed.extend(events(&batch));
                        prop_assert_eq!(batch.state, Some(json!({"at": committed.len()})));
                        prop_assert_eq!(batch.acks.last(), Some(&id(committed.len())));
                    }
                }
            }
            committed.extend(intake.take().iter().flat_map(events));
            prop_assert_eq!(committed, (0..covered).collect::<Vec<_>>());
        }
    }
}
