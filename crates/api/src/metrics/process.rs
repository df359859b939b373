//! The process that answers.

use procfs::process::{Process, Stat};
use procfs::{ProcResult, boot_time_secs, page_size, ticks_per_second};

use super::Page;
use super::family::{Family, Name};
use super::names;

/// A system that does not show this costs these figures and nothing else.
pub(super) fn write(page: &mut Page) -> Result<(), prometheus::Error> {
    let mut build = Family::new(&names::BUILD);
    build.sample(&[("version", env!("CARGO_PKG_VERSION"))], 1.0);
    page.add(build)?;
    for (name, value) in figures().into_iter().flatten() {
        let mut family = Family::new(name);
        family.sample(&[], value);
        page.add(family)?;
    }
    Ok(())
}

fn figures() -> ProcResult<[(&'static Name, f64); 6]> {
    let process = Process::myself()?;
    let (stat, files) = (process.stat()?, process.fd_count()?);
    let Stat { utime, stime, starttime, rss, vsize, num_threads, .. } = stat;
    let ticks = ticks_per_second() as f64;
    Ok([
        (&names::PROCESS_CPU, (utime + stime) as f64 / ticks),
        (&names::PROCESS_RESIDENT, (rss * page_size()) as f64),
        (&names::PROCESS_VIRTUAL, vsize as f64),
        (&names::PROCESS_FILES, files as f64),
        (&names::PROCESS_THREADS, num_threads as f64),
        (&names::PROCESS_START, boot_time_secs()? as f64 + starttime as f64 / ticks),
    ])
}
