//! The cluster that this process's tests use.

use std::env;
use std::error::Error;
use std::future;
use std::str::FromStr;
use std::sync::OnceLock;
use std::sync::mpsc;
use std::thread;

use sqlx::postgres::PgConnectOptions;

use crate::Scratch;

/// Names the cluster to use; without it each process starts one of its own.
pub const URL_VARIABLE: &str = "ATTUNE_TEST_DATABASE_URL";

/// The URL of a database of the cluster, for administration.
pub fn url() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| env::var(URL_VARIABLE).ok().filter(|url| !url.is_empty()).unwrap_or_else(start_own))
}

/// How to connect to `database` of the cluster.
pub(crate) fn options(database: &str) -> PgConnectOptions {
    PgConnectOptions::from_str(url()).expect("the cluster's URL is valid").database(database)
}

/// How to connect for administration.
pub(crate) fn admin_options() -> PgConnectOptions {
    PgConnectOptions::from_str(url()).expect("the cluster's URL is valid")
}

/// The cluster outlives the runtime of the test that asked first, so it has a thread and a runtime of its own; both end
/// with the process, and the server with them.
fn start_own() -> String {
    let (sender, receiver) = mpsc::channel();
    thread::Builder::new()
        .name("test-cluster".to_owned())
        .spawn(move || {
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(
                async {
                    let scratch = Scratch::start().await;
                    let url = scratch.as_ref().map(Scratch::url).map_err(|error| chain(error));
                    if sender.send(url).is_ok() {
                        future::pending::<()>().await;
                    }
                },
            );
        })
        .expect("a thread for the test cluster");
    match receiver.recv().expect("the thread of the test cluster lives") {
        Ok(url) => url,
        Err(error) => panic!("cannot start a cluster for the tests: {error}"),
    }
}

/// The fault with all that caused it, since nothing else will print its sources.
fn chain(error: &dyn Error) -> String {
    error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {}", chain(source)))
}
