//! Every environment variable that Attune reads, in one place.
//!
//! Variables that start with [`PREFIX`] set a key of the configuration; the others stand for themselves.

/// Sets one key of the configuration: `ATTUNE__SENSOR__WORKER_NAME` is `sensor.worker_name`.
pub const PREFIX: &str = "ATTUNE__";

/// What separates the parts of a key in a variable that starts with [`PREFIX`].
pub const SEPARATOR: &str = "__";

/// The database, as `PostgreSQL`'s other tools name it. It wins over the file and loses to `ATTUNE__DATABASE__URL`.
pub const DATABASE_URL: &str = "DATABASE_URL";

/// The configuration file, where `--config` names none.
pub const CONFIG: &str = "ATTUNE_CONFIG";

/// Runtimes of a sensor worker, comma-separated. Set, it decides alone; set but empty, there are none.
pub const SENSOR_RUNTIMES: &str = "ATTUNE_SENSOR_RUNTIMES";

/// Runtimes of an action worker, comma-separated. Set, it decides alone; set but empty, there are none.
pub const WORKER_RUNTIMES: &str = "ATTUNE_WORKER_RUNTIMES";

/// The API that the command line talks to, where the data directory names none.
pub const API_URL: &str = "ATTUNE_API_URL";

/// The token that the API asks for every write, where the data directory holds none.
pub const API_TOKEN: &str = "ATTUNE_API_TOKEN";

/// Where programs are looked for, by detection as by everything that is started.
pub const PATH: &str = "PATH";

/// The user's home, below which the data directory lies unless the user is root.
pub const HOME: &str = "HOME";

/// The user's data home, `$HOME/.local/share` where it is not set.
pub const XDG_DATA_HOME: &str = "XDG_DATA_HOME";

/// The user's cache, `/var/cache` for root and else `$HOME/.cache` where it is not set.
pub const XDG_CACHE_HOME: &str = "XDG_CACHE_HOME";

/// What is logged: `info`, `debug`, or a list such as `attune_sensor=debug,info`.
pub const RUST_LOG: &str = "RUST_LOG";
