//! What a rule makes of an event, without anything being written: why it fires, why it does not, why it would fail.
//!
//! The answer comes from the functions that ingest calls, in the order in which it calls them: may the event be stored at
//! all, is the rule about its trigger and about these parameters, do the conditions hold, can the action's parameters be
//! rendered. So what is said here is what would happen. Whether the rule or its trigger is switched off is a note beside
//! the answer, because whoever asks wants to know what happens once it is on.

mod effort;
mod given;
mod stored;

use attune_common::repositories::rule::{KnownRule, RuleRow, TriggerRow};
use attune_core::conditions::{Blame, Verdict};
use attune_core::event::EventView;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use serde_json::Value;

use super::{CompiledRule, Firing, Trigger};
use crate::ingest::{self, NewEvent, Refusal};

use effort::Effort;
pub use stored::{MOST, TrialError, try_event, try_last};

/// What a rule makes of one event.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trial {
    /// Whether an execution would follow.
    pub fires: bool,
    /// What stands in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<Cause>,
    /// The same in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The condition that is to blame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<Blame>,
    /// What it executes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// With which parameters; what their schema calls secret is masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub params: Option<Value>,
}

/// Why a rule does not fire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Such an event is not stored.
    Event,
    /// The event is of another trigger.
    Trigger,
    /// The event is for other parameters of the trigger.
    TriggerParams,
    /// The rule can not match anything.
    Rule,
    /// A condition does not hold.
    Conditions,
    /// It fires and fails: an enforcement with a reason, and no execution.
    Action,
}

/// A trial with what it is about.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The rule's ref.
    pub rule: String,
    /// What else keeps it from firing now.
    pub notes: Vec<String>,
    /// The answer.
    #[serde(flatten)]
    pub trial: Trial,
}

/// What a rule makes of stored events.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct History {
    /// The rule's ref.
    pub rule: String,
    /// What else keeps it from firing now.
    pub notes: Vec<String>,
    /// How many events would lead to an execution.
    pub fires: usize,
    /// The newest first.
    pub events: Vec<Judged>,
}

/// A stored event with its answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judged {
    /// `event.id`.
    pub event: i64,
    /// `event.created`.
    pub created: String,
    /// The answer.
    #[serde(flatten)]
    pub trial: Trial,
}

/// A rule and its trigger, ready to be asked.
#[derive(Debug)]
pub struct OnTrial {
    name: String,
    trigger_ref: String,
    trigger_params: Value,
    trigger: Trigger,
    rule: Result<CompiledRule, String>,
    notes: Vec<String>,
    effort: Effort,
}

impl OnTrial {
    /// Compiles a rule; one that can not be compiled gives that as its answer.
    pub fn new(known: KnownRule) -> Self {
        let KnownRule { rule, trigger: row } = known;
        let notes = notes(&rule, &row);
        let trigger = Trigger::alone(&row);
        let (name, trigger_params) = (rule.r#ref.clone(), rule.trigger_params.clone());
        let (trigger_ref, rule, effort) = (row.r#ref, trigger.rule(rule), Effort::default());
        Self { name, trigger_ref, trigger_params, trigger, rule, notes, effort }
    }

    /// The answer for an event as somebody wrote it down, which would come in now.
    pub fn try_given(&self, event: Value, now: DateTime<Utc>) -> Result<Report, String> {
        let event = given::read(event, &self.trigger_ref, &self.trigger_params, now)?;
        let trial = self.refusal(&event).unwrap_or_else(|| self.judge(&event));
        let notes = self.notes.iter().cloned().chain(self.effort.note()).collect();
        Ok(Report { rule: self.name.clone(), notes, trial })
    }

    /// The answers for events that are stored.
    fn try_stored(self, events: &[EventView]) -> History {
        let judged = |event: &EventView| Judged {
            event: event.id,
            created: event.created.to_rfc3339_opts(SecondsFormat::Millis, true),
            trial: self.judge(event),
        };
        // Of many dear ones not all are tried.
        let judged: Vec<_> =
            events.iter().map_while(|event| self.effort.has_some().then(|| judged(event))).collect();
        let fires = judged.iter().filter(|judged| judged.trial.fires).count();
        let mut notes = self.notes;
        notes.extend(self.effort.note());
        if judged.len() < events.len() {
            notes.push(format!(
                "only the newest {} events were tried: the others would take too long",
                judged.len()
            ));
        }
        History { rule: self.name, notes, fires, events: judged }
    }

    /// Why the event would not be stored.
    fn refusal(&self, event: &EventView) -> Option<Trial> {
        if event.trigger != self.trigger_ref {
            return None;
        }
        let new = NewEvent {
            trigger: event.trigger.clone(),
            payload: event.payload.clone(),
            trigger_params: event.trigger_params.clone(),
            key: event.key.clone(),
        };
        let checked = self.effort.piece(|| ingest::check(&self.trigger, &new));
        let refusal = checked.unwrap_or_else(|reason| Err(Refusal::OutOfWork(reason))).err()?;
        Some(rests(Cause::Event, format!("the event would be refused: {refusal}")))
    }

    fn judge(&self, event: &EventView) -> Trial {
        if event.trigger != self.trigger_ref {
            let reason =
                format!("the event is of trigger {}, the rule is on {}", event.trigger, self.trigger_ref);
            return rests(Cause::Trigger, reason);
        }
        let rule = match &self.rule {
            Ok(rule) => rule,
            Err(fault) => return rests(Cause::Rule, format!("the rule is broken: {fault}")),
        };
        let params = self.trigger.canonical(event.trigger_params.as_ref());
        if *params != rule.trigger_params {
            let reason =
                format!("the event is for trigger_params {params}, the rule has {}", rule.trigger_params);
            return rests(Cause::TriggerParams, reason);
        }
        match self.effort.piece(|| rule.matches(event)) {
            Ok(true) => self.fire(rule, event),
            Ok(false) => blame(rule.explain(event)),
            Err(reason) => rests(Cause::Conditions, format!("conditions: {reason}")),
        }
    }

    fn fire(&self, rule: &CompiledRule, event: &EventView) -> Trial {
        let fired = self.effort.piece(|| rule.fire(event));
        match fired.unwrap_or_else(|reason| Firing::Fail(format!("action_params: {reason}"))) {
            Firing::Fail(reason) => rests(Cause::Action, format!("it would fire and fail: {reason}")),
            Firing::Execute(target, params) => Trial {
                fires: true,
                because: None,
                reason: None,
                condition: None,
                action: Some(target.action_ref.clone()),
                params: Some(target.mask(&params)),
            },
        }
    }
}

fn blame(verdict: Verdict) -> Trial {
    let reason = verdict.to_string();
    let condition = if let Verdict::Blames(blame) = verdict { Some(blame) } else { None };
    Trial { condition, ..rests(Cause::Conditions, reason) }
}

fn rests(because: Cause, reason: String) -> Trial {
    let (because, reason) = (Some(because), Some(reason));
    Trial { fires: false, because, reason, condition: None, action: None, params: None }
}

fn notes(rule: &RuleRow, trigger: &TriggerRow) -> Vec<String> {
    let rule = (!rule.enabled)
        .then(|| format!("rule {} is disabled, by itself or with its pack: it sees no event", rule.r#ref));
    let trigger = (!trigger.enabled).then(|| {
        format!("trigger {} is disabled, by itself or with its pack: its events are refused", trigger.r#ref)
    });
    rule.into_iter().chain(trigger).collect()
}
