//! What came of it all: the guarantee that the sensor earned, and the first fault that shows why it earned no better one.

use std::time::Duration;

use serde::{Serialize, Serializer};

use super::fault::Fault;
use super::items::Item;
use super::script::{Round, Script};
use super::stand::Scene;

/// What may be said of each item of the source, whatever happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guarantee {
    /// Some are lost.
    MayLose,
    /// None is lost, some come more than once.
    AtLeastOnce,
    /// None is lost, none comes more than once.
    ExactlyOnce,
}

impl Guarantee {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::MayLose => "may lose",
            Self::AtLeastOnce => "at least once",
            Self::ExactlyOnce => "exactly once",
        }
    }
}

impl Serialize for Guarantee {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// How a sensor bore one fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bore {
    /// Nothing was lost or doubled.
    Held,
    /// Something came more than once.
    Doubled,
    /// Something did not come.
    Lost,
    /// It ran on; what its source held nobody knows.
    RanOn,
    /// The fault was not tried.
    NotTried,
}

/// One fault.
#[derive(Clone, Debug, Serialize)]
pub struct Tried {
    /// Which.
    pub fault: Fault,
    /// What came of it.
    pub bore: Bore,
    /// What was done, or why not.
    pub what: String,
    /// The items that did not come.
    pub lost: Vec<String>,
    /// The items that came more than once.
    pub doubled: Vec<String>,
    /// What the sensor would go on from, as it was then.
    pub state: serde_json::Value,
}

/// Everything that came of a sensor in the laboratory.
#[derive(Clone, Debug, Serialize)]
pub struct Ordeal {
    /// The sensor's ref, or the name of its file.
    pub sensor: String,
    /// What it earned; none: it could not be judged.
    pub earned: Option<Guarantee>,
    /// Why it could not be judged.
    pub not_judged: Option<String>,
    /// The first fault that shows why it earned no better.
    pub shown_by: Option<Tried>,
    /// What repeats this run.
    pub seed: u64,
    /// The faults, in their order.
    pub faults: Vec<Tried>,
    /// Items that were put into the source.
    pub items: usize,
    /// Events that were dropped since one with their key was stored.
    pub duplicates: usize,
    /// What else is worth knowing.
    pub notes: Vec<String>,
    /// How long it took.
    pub seconds: f64,
}

impl Ordeal {
    /// What the scene shows in the end.
    pub(super) fn new(
        sensor: &str,
        seed: u64,
        script: &Script<'_>,
        judged: Result<(), String>,
        scene: &Scene,
    ) -> Self {
        let items = scene.items.all();
        let faults: Vec<_> =
            script.rounds.iter().enumerate().map(|(number, round)| tried(number, round, scene)).collect();
        let earned = judged.is_ok().then(|| earned(items));
        let shown_by = earned.and_then(|earned| first(&faults, earned).cloned());
        Self {
            sensor: sensor.to_owned(),
            earned,
            not_judged: judged.err(),
            shown_by,
            seed,
            faults,
            items: items.len(),
            duplicates: scene.ledger.duplicates(),
            notes: script.notes.iter().cloned().chain(notes(items)).collect(),
            seconds: 0.0,
        }
    }

    /// The same, which took so long.
    pub(super) fn after(self, took: Duration) -> Self {
        Self { seconds: (took.as_secs_f64() * 10.0).round() / 10.0, ..self }
    }
}

/// How the round of this number went, as far as it is known.
pub(super) fn tried(number: usize, round: &Round, scene: &Scene) -> Tried {
    let of = |is_it: &dyn Fn(&Item) -> bool| -> Vec<String> {
        scene.items.all().iter().filter(|item| is_it(item)).map(|item| item.name.clone()).collect()
    };
    let lost = of(&|item| item.is_missing() && item.round == Some(number));
    let doubled = of(&|item| item.doubled_in == Some(number));
    let bore = match &round.done {
        Err(_) => Bore::NotTried,
        Ok(_) if !lost.is_empty() => Bore::Lost,
        Ok(_) if !doubled.is_empty() => Bore::Doubled,
        Ok(_) if scene.items.all().is_empty() => Bore::RanOn,
        Ok(_) => Bore::Held,
    };
    let what = round.done.clone().unwrap_or_else(|reason| reason);
    Tried { fault: round.fault, bore, what, lost, doubled, state: round.state.clone() }
}

fn earned(items: &[Item]) -> Guarantee {
    if items.iter().any(Item::is_missing) {
        Guarantee::MayLose
    } else if items.iter().any(|item| item.doubled_in.is_some()) {
        Guarantee::AtLeastOnce
    } else {
        Guarantee::ExactlyOnce
    }
}

fn first(faults: &[Tried], earned: Guarantee) -> Option<&Tried> {
    faults.iter().find(|tried| match earned {
        Guarantee::MayLose => !tried.lost.is_empty(),
        Guarantee::AtLeastOnce => !tried.doubled.is_empty(),
        Guarantee::ExactlyOnce => false,
    })
}

fn notes(items: &[Item]) -> Vec<String> {
    let mut notes = Vec::new();
    let aside = items.iter().filter(|item| item.set_aside > 0).count();
    if aside > 0 {
        notes.push(format!("set aside, with the reason: {aside} of the items"));
    }
    if items.iter().any(|item| item.copies > 1 && item.came == item.copies) {
        notes.push(
            "what its source says twice becomes two events; an `event_key` would drop the second".to_owned(),
        );
    }
    notes
}
