//! Which timers the rules ask for.

use std::sync::Arc;

use attune_core::schedule::TRIGGERS;
use attune_executor::rules::{CompiledRule, RuleBook};

/// A timer by what makes it one: its trigger and its canonical parameters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    pub(crate) trigger: &'static str,
    pub(crate) params: Arc<str>,
}

/// Every timer that enabled rules on enabled triggers ask for, each once.
pub(crate) fn asked_for(book: &RuleBook) -> impl Iterator<Item = Name> {
    TRIGGERS.into_iter().flat_map(|trigger| {
        let rules = book.trigger(trigger).filter(|it| it.enabled).map_or(&[][..], |it| &it.rules);
        let same = |a: &Arc<CompiledRule>, b: &Arc<CompiledRule>| a.trigger_params == b.trigger_params;
        // Rules are sorted by their parameters.
        rules
            .chunk_by(same)
            .map(move |rules| Name { trigger, params: rules[0].trigger_params.as_str().into() })
    })
}
