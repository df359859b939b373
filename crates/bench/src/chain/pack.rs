//! The pack of the chain benchmark: one trigger, one rule, one shell action that stamps its clock.

use std::path::Path;
use std::process::Command;

/// Writes the pack into `directory`, with an action that stamps into `fifo`, which is made.
pub(super) fn write(directory: &Path, fifo: &Path) -> anyhow::Result<()> {
    anyhow::ensure!(Command::new("mkfifo").arg(fifo).status()?.success(), "mkfifo failed");
    let stamp = format!("echo \"$EPOCHREALTIME\" > '{}'\n", fifo.display());
    let files = [
        ("pack.yaml", "ref: bench\nname: Bench\nversion: 0.1.0\n"),
        ("triggers/tick.yaml", "ref: bench.tick\npayload_schema: {type: object}\n"),
        ("actions/stamp.yaml", "ref: bench.stamp\nruntime: core.shell\nentrypoint: actions/stamp.sh\n"),
        ("actions/stamp.sh", &stamp),
        (
            "rules/stamp.yaml",
            "ref: bench.stamp_ticks\ntrigger: bench.tick\nconditions:\n  - {field: payload.text, operator: equals, value: tick}\naction: bench.stamp\naction_params: {text: \"{{ event.payload.text }}\"}\n",
        ),
    ];
    for (name, content) in files {
        let path = directory.join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(directory))?;
        std::fs::write(path, content)?;
    }
    Ok(())
}
