//! `limits`: how much one thing may take before it is stopped or refused. Every limit is on by default.

use std::time::Duration;

use super::section::Section;

/// A million bytes.
const MB: u64 = 1_000_000;

/// The section `limits`.
#[derive(Debug, Clone, PartialEq)]
pub struct LimitsConfig {
    /// `result_bytes`: the result of one execution.
    pub result_bytes: u64,
    /// `execution_log_bytes`: the log of one execution.
    pub execution_log_bytes: u64,
    /// `event_payload_bytes`: the payload of one event.
    pub event_payload_bytes: u64,
    /// `poll_output_bytes`: what a sensor prints in one poll.
    pub poll_output_bytes: u64,
    /// `verification_timeout`: the time of one verification command.
    pub verification_timeout: Duration,
    /// `verification_output_bytes`: what one verification command prints, on each of its streams.
    pub verification_output_bytes: u64,
    /// `pack_bytes`: a pack, unpacked.
    pub pack_bytes: u64,
    /// `pack_files`: the files of a pack.
    pub pack_files: u32,
    /// `pack_file_bytes`: one file of a pack.
    pub pack_file_bytes: u64,
}

impl LimitsConfig {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        Self {
            result_bytes: section.bytes("result_bytes", MB),
            execution_log_bytes: section.bytes("execution_log_bytes", 10 * MB),
            event_payload_bytes: section.bytes("event_payload_bytes", MB),
            poll_output_bytes: section.bytes("poll_output_bytes", 10 * MB),
            verification_timeout: section.seconds("verification_timeout", 5),
            verification_output_bytes: section.bytes("verification_output_bytes", 64 * 1024),
            pack_bytes: section.bytes("pack_bytes", 64 * MB),
            pack_files: section.count("pack_files", 10_000),
            pack_file_bytes: section.bytes("pack_file_bytes", 16 * MB),
        }
    }
}
