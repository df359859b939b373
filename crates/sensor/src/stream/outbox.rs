//! What a stream is yet to be told. It may read that late or never, so this holds little: of parameters only the last count,
//! and of acks only so many, since each covers all before it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use attune_core::protocol::{CheckpointId, Order};
use serde_json::Value;
use tokio::sync::Notify;

/// Acks that wait to be read.
const ACKS: usize = 1000;

/// Messages to one program.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: Mutex<Waiting>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    params: Option<Value>,
    acks: VecDeque<CheckpointId>,
    stop: bool,
    closed: bool,
}

impl Outbox {
    /// Live rules ask for these parameters now.
    pub(super) fn params(&self, trigger_params: Value) {
        self.put(|waiting| waiting.params = Some(trigger_params));
    }

    /// The checkpoints with these ids are committed.
    pub(super) fn ack(&self, ids: Vec<CheckpointId>) {
        self.put(|waiting| {
            waiting.acks.extend(ids);
            let covered = waiting.acks.len().saturating_sub(ACKS);
            waiting.acks.drain(..covered);
        });
    }

    /// It should finish. Acks of what it sends meanwhile still go out.
    pub(super) fn stop(&self) {
        self.put(|waiting| waiting.stop = true);
    }

    /// Nothing more is said after what waits.
    pub(super) fn close(&self) {
        self.put(|waiting| waiting.closed = true);
    }

    /// The next line, as soon as there is one; `None` once it is closed.
    pub(super) async fn next(&self) -> Option<Vec<u8>> {
        loop {
            // A change between the look and the wait leaves a permit, so it is not missed.
            match self.look() {
                Look::Line(line) => return Some(line),
                Look::Closed => return None,
                Look::Nothing => self.changed.notified().await,
            }
        }
    }

    fn look(&self) -> Look {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match waiting.next() {
            Some(line) => Look::Line(line),
            None if waiting.closed => Look::Closed,
            None => Look::Nothing,
        }
    }

    fn put(&self, change: impl FnOnce(&mut Waiting)) {
        change(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_one();
    }
}

enum Look {
    Line(Vec<u8>),
    Closed,
    Nothing,
}

impl Waiting {
    /// Acks first: what a program knows to be committed it need not keep, also when it has to finish.
    fn next(&mut self) -> Option<Vec<u8>> {
        if let Some(checkpoint) = self.acks.pop_front() {
            return Some(Order::Ack { checkpoint: &checkpoint }.line());
        }
        if let Some(trigger_params) = self.params.take() {
            return Some(Order::Params { trigger_params: &trigger_params }.line());
        }
        std::mem::take(&mut self.stop).then(|| Order::Stop.line())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::stream::intake::tests::id;

    async fn lines(outbox: &Outbox) -> Vec<Value> {
        outbox.close();
        let mut lines = Vec::new();
        while let Some(line) = outbox.next().await {
            lines.push(serde_json::from_slice(&line).unwrap());
        }
        lines
    }

    #[tokio::test]
    async fn of_parameters_the_last_count_and_acks_come_first() {
        let outbox = Outbox::default();
        outbox.params(json!([1]));
        outbox.stop();
        outbox.params(json!([2]));
        outbox.ack(vec![id("a"), id(7)]);
        let expected = [
            json!({"type": "ack", "checkpoint": "a"}),
            json!({"type": "ack", "checkpoint": 7}),
            json!({"type": "params", "trigger_params": [2]}),
            json!({"type": "stop"}),
        ];
        assert_eq!(lines(&outbox).await, expected);
    }

    #[tokio::test]
    async fn of_acks_that_nobody_reads_the_last_are_kept() {
        let outbox = Outbox::default();
        (0..3 * ACKS).for_each(|n| outbox.ack(vec![id(n)]));
        let lines = lines(&outbox).await;
        assert_eq!((lines.len(), &lines[ACKS - 1]["checkpoint"]), (ACKS, &json!(3 * ACKS - 1)));
    }
}
