//! The writer of the tapes: it never stops for whoever reads or dies.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Between two lines of each tape.
const PERIOD: Duration = Duration::from_millis(10);

/// The thread that writes.
#[derive(Debug)]
pub(super) struct Writer {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<anyhow::Result<BTreeMap<String, u64>>>,
}

impl Writer {
    pub(super) fn start(tapes: &BTreeMap<String, PathBuf>) -> anyhow::Result<Self> {
        let open = |path: &PathBuf| OpenOptions::new().append(true).open(path);
        let tapes = tapes.iter().map(|(name, path)| Ok((name.clone(), open(path)?)));
        let tapes: BTreeMap<String, File> = tapes.collect::<std::io::Result<_>>()?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let thread = std::thread::spawn(move || write(tapes, &stopping));
        Ok(Self { stop, thread })
    }

    /// How many lines each tape has got.
    pub(super) fn stop(self) -> anyhow::Result<BTreeMap<String, u64>> {
        self.stop.store(true, Ordering::Release);
        self.thread.join().map_err(|_| anyhow::anyhow!("the writer of the tapes panicked"))?
    }
}

/// Each line is one write, so that a reader never sees half of it.
fn write(mut tapes: BTreeMap<String, File>, stop: &AtomicBool) -> anyhow::Result<BTreeMap<String, u64>> {
    let mut lines = 0;
    while !stop.load(Ordering::Acquire) {
        lines += 1;
        for tape in tapes.values_mut() {
            tape.write_all(format!("{lines:08}\n").as_bytes())?;
        }
        std::thread::sleep(PERIOD);
    }
    Ok(tapes.into_keys().map(|name| (name, lines)).collect())
}
