//! `limits`: how much one thing may take before it is stopped or refused. Every limit is on by default.

use std::time::Duration;

use attune_core::brakes::ChainLimits;

use super::section::Section;

/// A million bytes.
const MB: u64 = 1_000_000;

/// What the section is for.
pub(super) const ABOUT: &str =
    "How much one thing may take before it is stopped or refused. Every limit is on by default.";

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
    /// `chain_depth` and `chain_events`: how far events lead to executions that send events.
    pub chain: ChainLimits,
    /// `pack_bytes`: a pack, unpacked.
    pub pack_bytes: u64,
    /// `pack_files`: the files of a pack.
    pub pack_files: u32,
    /// `pack_file_bytes`: one file of a pack.
    pub pack_file_bytes: u64,
}

impl LimitsConfig {
    pub(super) fn read(keys: &mut Section<'_>) -> Self {
        Self {
            result_bytes: keys.bytes("result_bytes", MB, "The result of one execution."),
            execution_log_bytes: keys.bytes("execution_log_bytes", 10 * MB, "The log of one execution."),
            event_payload_bytes: keys.bytes("event_payload_bytes", MB, "The payload of one event."),
            poll_output_bytes: keys.bytes("poll_output_bytes", 10 * MB, "What a sensor prints in one poll."),
            verification_timeout: keys.seconds(
                "verification_timeout",
                5,
                "The time of one verification command.",
            ),
            verification_output_bytes: keys.bytes(
                "verification_output_bytes",
                64 * 1024,
                "What one verification command prints, on each of its streams.",
            ),
            chain: ChainLimits {
                depth: keys.count(
                    "chain_depth",
                    32,
                    "Executions between an event and the outside world, where executions send events.",
                ),
                events: keys.count(
                    "chain_events",
                    1000,
                    "Events that executions send in one chain, all that follows from one event from outside.",
                ),
            },
            pack_bytes: keys.bytes("pack_bytes", 64 * MB, "A pack, unpacked."),
            pack_files: keys.count("pack_files", 10_000, "The files of a pack."),
            pack_file_bytes: keys.bytes("pack_file_bytes", 16 * MB, "One file of a pack."),
        }
    }
}
