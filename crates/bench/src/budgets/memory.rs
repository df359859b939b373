//! The highest memory of this process, which the kernel counts and sets back to what is used now when it is told to.

use anyhow::Context as _;

/// Sets the highest memory back, and gives what is used now, in KB.
pub(super) fn reset_peak() -> anyhow::Result<u64> {
    std::fs::write("/proc/self/clear_refs", "5")?;
    peak()
}

/// The highest memory since it was set back, in KB.
pub(super) fn peak() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("the kernel counts no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
