//! The process that answers.

use procfs::process::{Process, Stat};
use procfs::{ProcResult, boot_time_secs, page_size, ticks_per_second};

use super::Page;
use super::family::{Family, Measure};
use super::names;

/// A system that does not show this costs these figures and nothing else.
pub(super) fn write(page: &mut Page) -> Result<(), prometheus::Error> {
    let mut build = Family::new(&names::BUILD);
    build.sample(&[("version", env!("CARGO_PKG_VERSION"))], 1);
    page.add(build)?;
    for (name, value) in figures().into_iter().flatten() {
        let mut family = Family::new(name);
        family.sample(&[], value);
        page.add(family)?;
    }
    Ok(())
}

fn figures() -> ProcResult<[(&'static Measure, i64); 6]> {
    let process = Process::myself()?;
    let (stat, files) = (process.stat()?, process.fd_count()?);
    let Stat { utime, stime, starttime, rss, vsize, num_threads, .. } = stat;
    let millis = |ticks: u64| ticks * 1000 / ticks_per_second();
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    Ok([
        (&names::PROCESS_CPU, count(millis(utime + stime))),
        (&names::PROCESS_RESIDENT, count(rss * page_size())),
        (&names::PROCESS_VIRTUAL, count(vsize)),
        (&names::PROCESS_FILES, count(files as u64)),
        (&names::PROCESS_THREADS, num_threads),
        (&names::PROCESS_START, count(boot_time_secs()? * 1000 + millis(starttime))),
    ])
}
