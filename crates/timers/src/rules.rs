//! Which timers the rules ask for, and how two rule books differ in that.

use std::sync::Arc;

use attune_common::fuse::{Note, Part};
use attune_core::schedule::TRIGGERS;
use attune_executor::rules::{CompiledRule, RuleBook, Trigger};

/// A timer by what makes it one: its trigger and its canonical parameters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    pub(crate) trigger: &'static str,
    pub(crate) params: Arc<str>,
}

/// Whether an enabled rule on an enabled trigger asks for this timer.
pub(crate) fn is_asked_for(book: &RuleBook, name: &Name) -> bool {
    asking(book, name).is_some()
}

/// That the instants of this timer are worked out, for the fuse: what ends with that is a rule that asks for it.
pub(crate) fn note(book: &RuleBook, name: &Name) -> Option<Note> {
    asking(book, name).map(|rule| rule.note(Part::Instants))
}

fn asking<'a>(book: &'a RuleBook, name: &Name) -> Option<&'a CompiledRule> {
    enabled(book, name.trigger)?.rules_of(&name.params).first().map(Arc::as_ref)
}

/// Every timer that a book asks for and another does not, each once.
pub(crate) fn asked_for_only_by<'a>(book: &'a RuleBook, other: &'a RuleBook) -> impl Iterator<Item = Name> {
    let names = TRIGGERS.into_iter().flat_map(move |trigger| {
        let [rules, others] =
            [book, other].map(|book| enabled(book, trigger).map_or(&[][..], |trigger| &trigger.rules));
        let same = |a: &Arc<CompiledRule>, b: &Arc<CompiledRule>| a.trigger_params == b.trigger_params;
        // Rules are sorted by their parameters.
        differing(rules, others)
            .chunk_by(same)
            .map(move |rules| Name { trigger, params: rules[0].trigger_params.as_str().into() })
    });
    names.filter(move |name| !is_asked_for(other, name))
}

fn enabled<'a>(book: &'a RuleBook, trigger: &str) -> Option<&'a Trigger> {
    book.trigger(trigger).map(Arc::as_ref).filter(|trigger| trigger.enabled)
}

/// What is between the rules that both begin with and those that both end with. Books share what did not change, so of many
/// rules that is little, and the rest is not looked at.
fn differing<'a>(rules: &'a [Arc<CompiledRule>], others: &[Arc<CompiledRule>]) -> &'a [Arc<CompiledRule>] {
    let is_shared = |(a, b): &(&Arc<CompiledRule>, &Arc<CompiledRule>)| Arc::ptr_eq(a, b);
    let begin = rules.iter().zip(others).take_while(is_shared).count();
    let (rules, others) = (&rules[begin..], &others[begin..]);
    let end = rules.iter().rev().zip(others.iter().rev()).take_while(is_shared).count();
    &rules[..rules.len() - end]
}
