//! Every environment variable that Attune reads, in one place.
//!
//! Variables that start with [`PREFIX`] set a key of the configuration; the others stand for themselves.

/// Sets one key of the configuration: `ATTUNE__SENSOR__WORKER_NAME` is `sensor.worker_name`.
pub const PREFIX: &str = "ATTUNE__";

/// What separates the parts of a key in a variable that starts with [`PREFIX`].
pub const SEPARATOR: &str = "__";

/// Declares the variables, and keeps what their documentation says for the reference.
macro_rules! variables {
    ($($(#[doc = $about:literal])+ $name:ident = $value:literal;)+) => {
        $($(#[doc = $about])+ pub const $name: &str = $value;)+

        /// Each variable and what it does.
        pub(super) const VARIABLES: &[(&str, &str)] = &[$(($value, concat!($($about),+))),+];
    };
}

variables! {
    /// The database, as `PostgreSQL`'s other tools name it. It wins over the file and loses to `ATTUNE__DATABASE__URL`.
    DATABASE_URL = "DATABASE_URL";

    /// The configuration file, where `--config` names none.
    CONFIG = "ATTUNE_CONFIG";

    /// Runtimes of a sensor worker, comma-separated. Set, it decides alone; set but empty, there are none.
    SENSOR_RUNTIMES = "ATTUNE_SENSOR_RUNTIMES";

    /// Runtimes of an action worker, comma-separated. Set, it decides alone; set but empty, there are none.
    WORKER_RUNTIMES = "ATTUNE_WORKER_RUNTIMES";

    /// The API that the command line talks to, where the data directory names none.
    API_URL = "ATTUNE_API_URL";

    /// The token that the API asks for every write, where the data directory holds none.
    API_TOKEN = "ATTUNE_API_TOKEN";

    /// The file in which the run of an action with `api` finds the API and its own token. Attune sets it; `attune event send`
    /// reads it.
    RUN_CONTEXT = "ATTUNE_CONTEXT";

    /// The file in which the run of a sensor finds its configuration, its state and, with `api`, the API and its own token.
    /// Attune sets it; `attune event send` reads the latter.
    SENSOR_CONTEXT = "SENSOR_CONTEXT";

    /// Where programs are looked for, by detection as by everything that is started.
    PATH = "PATH";

    /// The user's home, below which the data directory lies unless the user is root.
    HOME = "HOME";

    /// The user's data home, `$HOME/.local/share` where it is not set.
    XDG_DATA_HOME = "XDG_DATA_HOME";

    /// The user's cache, `/var/cache` for root and else `$HOME/.cache` where it is not set.
    XDG_CACHE_HOME = "XDG_CACHE_HOME";

    /// What is logged: `info`, `debug`, or a list such as `attune_sensor=debug,info`.
    RUST_LOG = "RUST_LOG";
}
