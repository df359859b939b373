//! What may take long, on a thread where nothing else waits: compiling and evaluating what authors wrote.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Does work here that borrows what is here, and has another thread do what this one would have to. A runtime of one thread
/// has nobody for that.
pub(crate) fn in_place<T>(work: impl FnOnce() -> T) -> T {
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::MultiThread => tokio::task::block_in_place(work),
        _ => work(),
    }
}

/// Does the work apart. A panic goes on here.
pub async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime ends, and with it whatever waits for this.
            Err(_) => std::future::pending().await,
        },
    }
}
