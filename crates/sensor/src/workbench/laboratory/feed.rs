//! Items go in, and are waited for: never for time alone. Where some do not come more are put in, and when one of those comes
//! the program has been there, and the others are not on their way.

use std::time::Duration;

use tokio::time::Instant;

use super::script::{Script, gave_up};
use super::source::{SourceError, Text};
use super::stand::Scene;

/// How long items may take that are on their way, at first and at least.
pub(super) const SOON: Duration = Duration::from_millis(300);

impl Script<'_> {
    pub(super) async fn put(&mut self, rest: &str, round: Option<usize>) -> Result<Text, SourceError> {
        let name = self.stand.change(|scene| scene.items.add(self.names, round));
        let text = Text { name, rest: rest.to_owned() };
        if let Some(source) = &mut self.source {
            source.add(std::slice::from_ref(&text), &self.config).await?;
        }
        Ok(text)
    }

    pub(super) async fn feed_one(&mut self, rest: &str) -> Result<String, SourceError> {
        if self.source.is_none() {
            return Ok(String::new());
        }
        let round = self.stand.look(|scene| scene.round);
        Ok(self.put(rest, Some(round)).await?.name)
    }

    /// Puts in some at once.
    pub(super) async fn feed(&mut self, count: usize) -> Result<(), SourceError> {
        let Some(source) = &mut self.source else { return Ok(()) };
        let names = self.names;
        let add = |scene: &mut Scene| (0..count).map(|_| scene.items.add(names, Some(scene.round))).collect();
        let names: Vec<String> = self.stand.change(add);
        let texts: Vec<_> =
            names.into_iter().map(|name| Text { name, rest: " as it should be".to_owned() }).collect();
        source.add(&texts, &self.config).await?;
        self.fed.extend(texts);
        Ok(())
    }

    /// Waits until what was put in has come, or is not on its way.
    pub(super) async fn settle(&mut self) -> Result<(), SourceError> {
        if self.source.is_none() {
            let turns = self.stand.look(|scene| scene.turns);
            // A poll has an end; that a stream says nothing means nothing.
            let time = if self.is_stream { 3 * SOON } else { self.patience() };
            self.stand.within(time, |scene| scene.turns > turns || gave_up(scene)).await;
            return Ok(());
        }
        let (start, round) = (Instant::now(), self.stand.look(|scene| scene.round));
        if self.stand.within(self.soon(), |scene| !misses(scene, round, &[]) || gave_up(scene)).await {
            self.pace = self.pace.max(start.elapsed());
            return Ok(());
        }
        if !self.nudge(round).await? {
            // It may have stopped looking, which another start would mend.
            self.down().await;
            self.go();
            self.is_mute = !self.nudge(round).await?;
            let until = if self.is_mute { "although it was" } else { "until it was" };
            self.notes.push(format!("after {} nothing came {until} started again", self.fault));
        }
        Ok(())
    }

    /// Puts in one item after the other until one of them comes. `false`: none does.
    async fn nudge(&mut self, round: usize) -> Result<bool, SourceError> {
        let (end, mut time, mut names) = (Instant::now() + self.patience(), self.soon(), Vec::new());
        while Instant::now() < end {
            names.push(self.feed_one(" to see whether it is there").await?);
            let is_there = |scene: &Scene| {
                names.iter().any(|name| scene.items.has(name))
                    || !misses(scene, round, &names)
                    || gave_up(scene)
            };
            if self.stand.within(time, is_there).await {
                return Ok(true);
            }
            time *= 2;
        }
        Ok(false)
    }

    fn soon(&self) -> Duration {
        SOON.max(3 * self.pace).min(self.patience() / 2)
    }
}

/// Whether an item of this round is missing that is none of these.
fn misses(scene: &Scene, round: usize, but: &[String]) -> bool {
    scene.items.missing().any(|item| item.round == Some(round) && !but.contains(&item.name))
}
