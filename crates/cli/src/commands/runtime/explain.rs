//! A verdict in words, and as JSON.

use attune_common::models::Runtime;
use attune_common::runtime_detection::{Verdict, advice};
use attune_core::runtime::distributions::{Distributions, Verification};
use chrono::SecondsFormat;
use serde_json::{Value, json};

/// The verdict in one line, and below it what explains it.
pub(super) fn text(runtime: &Runtime, verdict: &Verdict) -> String {
    let mut lines = vec![format!("{} ({}): {}", runtime.r#ref, runtime.name, headline(verdict))];
    let decided = command(runtime, verdict).zip(binary(verdict));
    lines.extend(decided.map(|(command, binary)| format!("  decided by: {command} ({binary})")));
    lines.extend(beside(verdict).map(|other| format!("  also here: {other}")));
    lines.extend(verdict.warning.iter().map(|warning| format!("  warning: {warning}")));
    lines.extend(unsaid(verdict).map(|reason| format!("  because: {reason}")));
    lines.extend(verdict.failures.iter().map(|failed| format!("  failed: {}", failed.reason)));
    if !verdict.available {
        let advice = advice(runtime);
        lines.extend((!advice.hints.is_empty()).then(|| format!("  {advice}")));
    }
    lines.join("\n")
}

/// Everything that is known.
pub(super) fn json(runtime: &Runtime, verdict: &Verdict) -> Value {
    json!({
        "ref": runtime.r#ref,
        "name": runtime.name,
        "available": verdict.available,
        "version": verdict.version,
        "binary": binary(verdict),
        "command": command(runtime, verdict),
        "versions": verdict.versions,
        "failures": verdict.failures,
        "reason": verdict.reason,
        "warning": verdict.warning,
        "install": advice(runtime).hints,
        "verified_at": verdict.verified_at.to_rfc3339_opts(SecondsFormat::Millis, true),
    })
}

fn headline(verdict: &Verdict) -> String {
    match (verdict.available, &verdict.version) {
        (false, _) => "not available".to_owned(),
        (true, Some(version)) => format!("available, version {version}"),
        (true, None) if verdict.command.is_some() => "available, its version is not known".to_owned(),
        (true, None) => "available, nothing is verified".to_owned(),
    }
}

/// The deciding command, as the row has it.
fn command(runtime: &Runtime, verdict: &Verdict) -> Option<String> {
    let Verification::Commands(candidates) = Distributions::parse(&runtime.distributions).verification else {
        return None;
    };
    let decisive = candidates.into_iter().find(|candidate| Some(candidate.index) == verdict.command)?;
    decisive.command.ok().map(|command| [&[command.binary], &command.args[..]].concat().join(" "))
}

fn binary(verdict: &Verdict) -> Option<String> {
    verdict.binary.as_ref().map(|binary| binary.to_string_lossy().into_owned())
}

/// The versions beside the deciding one.
fn beside(verdict: &Verdict) -> impl Iterator<Item = String> {
    verdict.versions.iter().skip(1).map(|other| {
        let version = other.version.as_deref().unwrap_or("a version that is not known");
        format!("{version} ({})", other.binary)
    })
}

/// The reason, unless it is only what each command says for itself.
fn unsaid(verdict: &Verdict) -> Option<&str> {
    let said: Vec<_> = verdict.failures.iter().map(|failed| failed.reason.as_str()).collect();
    let reason = verdict.reason.as_deref()?.strip_prefix(&said.join("; "));
    let reason = reason.or(verdict.reason.as_deref())?.trim_start_matches("; ");
    (!reason.is_empty()).then_some(reason)
}
