//! The sensor service as a process that can be killed.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use attune_common::config::{Config, DatabaseUrl};
use attune_sensor::SensorService;
use clap::Args;
use rustix::process::{Pid, Signal, kill_process};

use super::world::World;

#[derive(Debug, Clone, Args)]
pub(crate) struct ServiceArguments {
    #[arg(long)]
    url: String,
    #[arg(long)]
    directory: PathBuf,
}

/// The process.
#[derive(Debug)]
pub(super) struct Service(Child);

impl Service {
    pub(super) fn start(world: &World) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["kill-service", "--url", &world.url(), "--directory"]).arg(world.directory());
        Ok(Self(command.stdin(Stdio::piped()).spawn()?))
    }

    pub(super) fn pid(&self) -> u32 {
        self.0.id()
    }

    pub(super) fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let pid = Pid::from_raw(i32::try_from(self.pid())?).ok_or_else(|| anyhow::anyhow!("no such pid"))?;
        Ok(kill_process(pid, signal)?)
    }

    /// SIGKILL, and waits for it. A service that had ended before is an error: nobody asked it to.
    pub(super) fn kill(mut self) -> anyhow::Result<()> {
        if let Some(status) = self.0.try_wait()? {
            anyhow::bail!("the service ended by itself: {status}");
        }
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }
}

/// What the process does, until it is killed.
pub(crate) async fn serve(arguments: &ServiceArguments) -> anyhow::Result<()> {
    let mut config = Config::load()?;
    config.database.url = DatabaseUrl::parse(&arguments.url);
    config.cache_dir = arguments.directory.join("cache");
    config.runtime.environments_dir = arguments.directory.join("environments");
    let service = SensorService::new(config).await?;
    service.start().await?;
    // It ends when nobody is left to kill it.
    tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await??;
    Ok(())
}
