//! What follows from an event that was admitted: the rules that match it, and what each of them starts.

use std::ops::Range;
use std::sync::Arc;

use attune_core::brakes::RULES_OF_AN_EVENT;
use attune_core::event::EventView;

use super::effort::Effort;
use super::fan_out::{Excess, FanOut};
use super::prepare::{PreparedEnforcement, PreparedExecution};
use super::rates::{Kind, Taking};
use super::work_limits::OutOfWork;
use crate::rules::{CompiledRule, Firing, Trigger};

type Outcome = Result<PreparedExecution, String>;

/// A rule that matched, or of which that could not be found out.
struct Match<'a> {
    /// Its place among the rules.
    place: usize,
    rule: &'a Arc<CompiledRule>,
    /// `None`: it is still to be fired.
    outcome: Option<Outcome>,
}

/// What follows from an event. Rules are counted before the first of them renders anything.
pub(super) async fn enforce(
    trigger: &Trigger,
    places: Range<usize>,
    event: &Arc<EventView>,
    fan_out: &mut FanOut,
    taking: &mut Taking<'_>,
    effort: &mut Effort,
) -> Result<Vec<PreparedEnforcement>, Excess> {
    let mut matching = matching(&trigger.rules[places], event, effort).await;
    fan_out.take_rules(&event.trigger, matching.len())?;
    for it in matching.iter_mut().filter(|it| it.outcome.is_none()) {
        let taken = taking.take(Kind::Rule, it.rule.id, &it.rule.r#ref, it.rule.max_per_minute);
        it.outcome = taken.err().map(|over| Err(over.to_string()));
    }
    fire(&mut matching, event, fan_out, effort).await?;
    Ok(matching.into_iter().filter_map(Match::into_enforcement).collect())
}

/// The rules whose conditions hold; one more than an event may have is enough to know that they are too many.
async fn matching<'a>(
    rules: &'a [Arc<CompiledRule>],
    event: &Arc<EventView>,
    effort: &mut Effort,
) -> Vec<Match<'a>> {
    let (mut matching, event) = (Vec::new(), Arc::clone(event));
    let matches = move |rule: &CompiledRule| rule.matches(&event);
    let take = |place: usize, matches: Result<bool, OutOfWork>| {
        let outcome = match matches {
            Ok(true) => None,
            Ok(false) => return Ok(()),
            Err(reason) => Some(Err(format!("conditions: {reason}"))),
        };
        matching.push(Match { place, rule: &rules[place], outcome });
        if matching.len() > RULES_OF_AN_EVENT { Err(()) } else { Ok(()) }
    };
    // An end before all were looked at is one, too.
    let _ = effort.each(rules.iter().enumerate(), matches, take).await;
    matching.sort_unstable_by_key(|it| it.place);
    matching
}

/// Renders the parameters of what matched.
async fn fire(
    matching: &mut [Match<'_>],
    event: &Arc<EventView>,
    fan_out: &mut FanOut,
    effort: &mut Effort,
) -> Result<(), Excess> {
    let waiting = matching.iter().enumerate().filter(|(_, it)| it.outcome.is_none());
    let waiting: Vec<_> = waiting.map(|(index, it)| (index, it.rule)).collect();
    let (mut bytes, given) = (0, Arc::clone(event));
    let fire = move |rule: &CompiledRule| outcome(rule.fire(&given));
    let take = |index: usize, outcome: Result<Outcome, OutOfWork>| {
        let outcome = outcome.unwrap_or_else(|reason| Err(format!("action_params: {reason}")));
        let rendered = outcome.as_ref().map_or(0, |execution| execution.params.len());
        bytes += rendered;
        fan_out.take_bytes(&event.trigger, bytes, rendered)?;
        matching[index].outcome = Some(outcome);
        Ok(())
    };
    effort.each(waiting.into_iter(), fire, take).await
}

fn outcome(firing: Firing<'_>) -> Outcome {
    match firing {
        Firing::Fail(reason) => Err(reason),
        Firing::Execute(target, params) => Ok(PreparedExecution {
            action: target.action,
            action_ref: target.action_ref.clone(),
            runtime: target.runtime,
            pack_digest: target.pack_digest.clone(),
            params: params.to_string(),
        }),
    }
}

impl Match<'_> {
    fn into_enforcement(self) -> Option<PreparedEnforcement> {
        let (rule_ref, rule_revision) = (self.rule.r#ref.clone(), self.rule.revision);
        Some(PreparedEnforcement { rule: self.rule.id, rule_ref, rule_revision, outcome: self.outcome? })
    }
}
