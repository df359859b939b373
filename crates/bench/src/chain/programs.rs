//! The programs under test: started as a user would, ready when their API answers.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use attune_localdb::LocalDb;

use super::Mode;
use crate::world::database;

/// How long a start may take.
const PATIENCE: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub(crate) struct Programs {
    children: Vec<Child>,
    database: Option<LocalDb>,
}

impl Programs {
    pub(crate) async fn start(mode: Mode, programs: &Path, data_dir: &Path) -> anyhow::Result<Self> {
        let started = match mode {
            Mode::Up => Self { children: vec![up(programs, data_dir)?], database: None },
            Mode::Services => Self::services(programs, data_dir).await?,
        };
        wait_for(&data_dir.join("api.url")).await?;
        load_pack(programs, data_dir)?;
        Ok(started)
    }

    async fn services(programs: &Path, data_dir: &Path) -> anyhow::Result<Self> {
        let database = database(data_dir).await?;
        let url = database.url();
        let children = ["attune-api", "attune-executor", "attune-worker"]
            .into_iter()
            .map(|name| {
                let mut command = quiet(&programs.join(name));
                command
                    .env("DATABASE_URL", &url)
                    .env("ATTUNE__DATA_DIR", data_dir)
                    .env("ATTUNE__SERVER__PORT", "0")
                    .spawn()
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { children, database: Some(database) })
    }

    /// The most memory that the first program has had, in MB.
    pub(crate) fn peak_memory(&self) -> anyhow::Result<u64> {
        let child = self.children.first().ok_or_else(|| anyhow::anyhow!("there is no program"))?;
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        Ok(kilobytes.ok_or_else(|| anyhow::anyhow!("no VmHWM"))? / 1024)
    }

    /// SIGTERM for each program, then the database.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        for child in &mut self.children {
            Command::new("kill").arg(child.id().to_string()).status()?;
            child.wait()?;
        }
        if let Some(database) = self.database {
            database.stop().await;
        }
        Ok(())
    }
}

fn up(programs: &Path, data_dir: &Path) -> anyhow::Result<Child> {
    let mut command = quiet(&programs.join("attune"));
    Ok(command.args(["up", "--port", "0", "--data-dir"]).arg(data_dir).spawn()?)
}

fn load_pack(programs: &Path, data_dir: &Path) -> anyhow::Result<()> {
    let mut command = quiet(&programs.join("attune"));
    let status =
        command.args(["pack", "load"]).arg(data_dir.join("pack")).arg("--data-dir").arg(data_dir).status()?;
    anyhow::ensure!(status.success(), "the pack could not be loaded");
    Ok(())
}

fn quiet(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.stdout(Stdio::null()).env_remove("DATABASE_URL").env("RUST_LOG", "warn");
    command
}

async fn wait_for(path: &Path) -> anyhow::Result<()> {
    let start = Instant::now();
    while !path.exists() {
        anyhow::ensure!(start.elapsed() < PATIENCE, "{} did not appear", path.display());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
