//! Which runtimes this machine has, found out anew.

use std::path::Path;

use attune_common::models::Runtime;
use attune_common::repositories::runtime;
use attune_common::runtime_detection::{Trust, Verdict, Verifier, advice};

use crate::finding::Finding;
use crate::installation::Installation;

/// The PATH that a service manager gives, where nothing else is said.
const OF_A_SERVICE: &[&str] =
    &["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

pub(super) async fn check(installation: &Installation) -> Vec<Finding> {
    let pool = match installation.database_or_skip().await {
        Ok(pool) => pool,
        Err(skipped) => return skipped,
    };
    let rows = match runtime::list(pool).await {
        Ok(rows) => rows,
        Err(error) => return vec![Finding::unread("the runtimes", &error)],
    };
    // Without the cache, which would be written.
    let verifier = Verifier::new(&installation.config.limits);
    let verdicts = verifier.verify_all(&rows, Trust::Nothing).await;
    rows.iter().zip(&verdicts).map(|(row, verdict)| judge(row, verdict)).collect()
}

fn judge(runtime: &Runtime, verdict: &Verdict) -> Finding {
    let Runtime { name, r#ref, .. } = runtime;
    if !verdict.available {
        let reason = verdict.reason.as_deref().unwrap_or("no reason is known");
        return Finding::warning(format!("{name} ({ref}) is not there: {reason}"), how_to_install(runtime));
    }
    let version = verdict.version.as_ref().map_or_else(String::new, |version| format!(" {version}"));
    let binary = verdict.binary.as_deref();
    let place = binary.map_or_else(String::new, |binary| format!(", {}", binary.display()));
    let found = format!("{name}{version} ({ref}){place}");
    match (&verdict.warning, binary.filter(|binary| !is_on_path_of_services(binary))) {
        (Some(warning), _) => Finding::warning(format!("{found}: {warning}"), how_to_install(runtime)),
        (None, Some(_)) => Finding::warning(
            format!("{found}: a directory that a service's PATH usually lacks"),
            "fine for `attune up` from this shell; for a service set Environment=PATH=... in its unit",
        ),
        (None, None) => Finding::ok(found),
    }
}

fn is_on_path_of_services(binary: &Path) -> bool {
    binary.parent().is_some_and(|directory| OF_A_SERVICE.iter().any(|known| directory == Path::new(known)))
}

/// The command for this system, or all that the row has, or where the row itself is to be corrected.
fn how_to_install(runtime: &Runtime) -> String {
    let advice = advice(runtime);
    if advice.hints.is_empty() {
        let name = &runtime.r#ref;
        return format!("install it, or correct the row; attune runtime verify {name} shows what was tried");
    }
    advice.to_string()
}
