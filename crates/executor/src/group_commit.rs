//! Group commit: whatever waits while a commit is under way goes into the next one.
//!
//! A lone item is committed at once, a crowd shares transactions, and nothing waits for a timer. A commit answers every item
//! it was given; callers whose commit task died get `None` and treat it as an error of unknown outcome.

use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc, oneshot};

/// How much may wait in the queue before submitters wait themselves.
const QUEUE: usize = 4096;

/// What bounds a batch.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Commits under way at once.
    pub in_flight: usize,
    /// Sum of the items' weights.
    pub weight: usize,
}

/// An item that says how much of a batch it takes.
pub trait Weigh {
    /// In the unit of [`Limits::weight`]. An item heavier than the limit goes alone.
    fn weight(&self) -> usize;
    /// Whether it must not share a batch: its last batch failed, and the neighbours should not fail with it again.
    fn is_solo(&self) -> bool {
        false
    }
}

/// The entrance to a group commit; clones are the same one.
#[derive(Debug)]
pub struct GroupCommit<T, R>(mpsc::Sender<Waiting<T, R>>);

impl<T, R> Clone for GroupCommit<T, R> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

#[derive(Debug)]
struct Waiting<T, R> {
    item: T,
    reply: oneshot::Sender<R>,
}

impl<T: Weigh + Send + 'static, R: Send + 'static> GroupCommit<T, R> {
    /// Starts one whose batches are committed by `commit`, which answers each item in order. Ends with its last entrance.
    pub fn start<F, C>(limits: Limits, commit: F) -> Self
    where
        F: Fn(Vec<T>) -> C + Send + Sync + 'static,
        C: Future<Output = Vec<R>> + Send + 'static,
    {
        let (sender, receiver) = mpsc::channel(QUEUE);
        tokio::spawn(drive(receiver, limits, commit));
        Self(sender)
    }

    /// Waits until `item` is committed. `None`: the commit ended without an answer.
    pub async fn submit(&self, item: T) -> Option<R> {
        let (reply, answer) = oneshot::channel();
        self.0.send(Waiting { item, reply }).await.ok()?;
        answer.await.ok()
    }
}

async fn drive<T, R, F, C>(mut receiver: mpsc::Receiver<Waiting<T, R>>, limits: Limits, commit: F)
where
    T: Weigh + Send + 'static,
    R: Send + 'static,
    F: Fn(Vec<T>) -> C + Send + Sync + 'static,
    C: Future<Output = Vec<R>> + Send + 'static,
{
    let permits = Arc::new(Semaphore::new(limits.in_flight));
    let mut left_over = None;
    while let Some(first) = next(&mut receiver, left_over.take()).await {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let (items, replies) = gather(&mut receiver, first, limits.weight, &mut left_over);
        let answers = commit(items);
        tokio::spawn(async move {
            for (reply, answer) in replies.into_iter().zip(answers.await) {
                // A submitter that went away does not need its answer.
                drop(reply.send(answer));
            }
            drop(permit);
        });
    }
}

async fn next<W>(receiver: &mut mpsc::Receiver<W>, left_over: Option<W>) -> Option<W> {
    match left_over {
        Some(waiting) => Some(waiting),
        None => receiver.recv().await,
    }
}

/// Takes what waits, up to the limit. An item that does not fit any more is left over for the next batch.
fn gather<T: Weigh, R>(
    receiver: &mut mpsc::Receiver<Waiting<T, R>>,
    first: Waiting<T, R>,
    limit: usize,
    left_over: &mut Option<Waiting<T, R>>,
) -> (Vec<T>, Vec<oneshot::Sender<R>>) {
    let (mut weight, solo) = (first.item.weight(), first.item.is_solo());
    let (mut items, mut replies) = (vec![first.item], vec![first.reply]);
    while !solo && weight < limit {
        let Ok(waiting) = receiver.try_recv() else { break };
        weight += waiting.item.weight();
        if weight > limit || waiting.item.is_solo() {
            *left_over = Some(waiting);
            break;
        }
        items.push(waiting.item);
        replies.push(waiting.reply);
    }
    (items, replies)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Debug)]
    struct Item(usize, bool);
    impl Weigh for Item {
        fn weight(&self) -> usize {
            self.0
        }
        fn is_solo(&self) -> bool {
            self.1
        }
    }

    /// Submits `items` while the first commit is held back; returns the sizes of the batches.
    async fn batches(items: Vec<Item>) -> Vec<usize> {
        let sizes = Arc::new(Mutex::new(Vec::new()));
        let gate = Arc::new(Semaphore::new(0));
        let (seen, held) = (Arc::clone(&sizes), Arc::clone(&gate));
        let commits = GroupCommit::start(Limits { in_flight: 1, weight: 10 }, move |items: Vec<Item>| {
            seen.lock().unwrap().push(items.len());
            let held = Arc::clone(&held);
            async move {
                held.acquire().await.unwrap().forget();
                items.iter().map(|item| item.0).collect()
            }
        });
        let submits: Vec<_> = items
            .into_iter()
            .map(|item| {
                let commits = commits.clone();
                tokio::spawn(async move { (item.0, commits.submit(item).await) })
            })
            .collect();
        tokio::task::yield_now().await;
        gate.add_permits(100);
        for submit in submits {
            let (sent, answer) = submit.await.unwrap();
            assert_eq!(answer, Some(sent));
        }
        sizes.lock().unwrap().clone()
    }

    #[tokio::test]
    async fn every_item_gets_its_own_answer_and_batches_keep_the_limit() {
        let sizes = batches((0..9).map(|_| Item(4, false)).collect()).await;
        assert!(sizes.iter().all(|size| *size <= 2), "{sizes:?}");
    }

    #[tokio::test]
    async fn a_solo_item_shares_its_batch_with_no_other() {
        let sizes = batches(vec![Item(1, false), Item(1, true), Item(1, true), Item(50, false)]).await;
        assert_eq!(sizes, [1, 1, 1, 1]);
    }
}
