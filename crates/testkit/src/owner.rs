//! Names that say which process something belongs to, so that the next one knows what nobody needs any more.

use std::sync::atomic::{AtomicU32, Ordering};

use attune_process::ProcessIdentity;

/// `PREFIX_PID_START_N`: unique on this machine, and the start time tells a pid that is used again.
pub(crate) fn name(prefix: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let me = ProcessIdentity::current().expect("/proc shows this process");
    format!("{prefix}_{}_{}_{}", me.pid, me.start_time, NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Whether the process that made `name` with `prefix` is gone; false for names of anybody else.
pub(crate) fn is_gone(prefix: &str, name: &str) -> bool {
    let Some((pid, start_time)) = parse(prefix, name) else { return false };
    ProcessIdentity::of(pid).map_or(true, |process| process.start_time != start_time)
}

fn parse(prefix: &str, name: &str) -> Option<(u32, u64)> {
    let mut fields = name.strip_prefix(prefix)?.strip_prefix('_')?.split('_');
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_its_own_and_the_dead() {
        let mine = name("attune_test");
        assert!(!is_gone("attune_test", &mine));
        assert_ne!(mine, name("attune_test"));
        assert!(is_gone("attune_test", &format!("attune_test_{}_1_0", std::process::id())));
    }

    #[test]
    fn leaves_strangers_alone() {
        assert!(!is_gone("attune_test", "attune_template_1_1_0"));
        assert!(!is_gone("attune_test", "attune_test_of_mine"));
    }
}
