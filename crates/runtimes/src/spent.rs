//! What a program of one's own took, in the terms of everybody who counts that.

use attune_core::usage::Spent;
use attune_process::Finished;

/// The program and all that it started. The memory is that of the largest of its processes.
pub fn spent_by(finished: &Finished) -> Spent {
    let usage = &finished.usage;
    Spent { cpu: Some(usage.cpu()), peak_memory: usage.max_rss_bytes, output: usage.output_bytes }
}
