//! What a hint can be about.

/// What a hint is about. Never more than "look again".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// An execution was requested, or became due.
    Execution,
    /// An execution waits for its turn, or one gave up its turn.
    Turn,
    /// Configuration changed: a runtime, pack, trigger, sensor, rule or action.
    Config,
    /// A running execution should be cancelled.
    Cancel,
    /// Workers came or went, so sensors may have to move.
    Worker,
    /// Attune noticed something about itself that rules may act on.
    Notice,
    /// Somebody wants a sensor to tick now.
    Poke,
}

impl Topic {
    /// Every topic; the index of each is its discriminant.
    pub const ALL: [Self; 7] =
        [Self::Execution, Self::Turn, Self::Config, Self::Cancel, Self::Worker, Self::Notice, Self::Poke];

    /// Its name on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Execution => "execution",
            Self::Turn => "turn",
            Self::Config => "config",
            Self::Cancel => "cancel",
            Self::Worker => "worker",
            Self::Notice => "notice",
            Self::Poke => "poke",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.name() == name)
    }
}
