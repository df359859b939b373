//! The sensor side as a whole, in this process and against a private PostgreSQL: polls and executions a second, beside what
//! the machine itself can do, measured in the same run; and ten thousand sensors that are due each 30 seconds.

mod actions;
mod language;
mod listener;
mod pack;
mod polls;
mod scale;
mod system;
mod usage;
mod yardstick;

use clap::{Args, ValueEnum};

pub(crate) use system::System;
pub(crate) use usage::Usage;
pub(crate) use yardstick::{BareArguments, bare};

use language::Language;

#[derive(Debug, Clone, Args)]
pub(crate) struct Arguments {
    /// What to measure
    #[arg(long, value_enum, value_delimiter = ',', default_value = "limits,fresh,warm,actions,warm-actions")]
    parts: Vec<Part>,
    /// Seconds of each figure
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Executions at once; with several numbers each is measured
    #[arg(long, value_delimiter = ',', default_value = "16,64")]
    executions: Vec<u32>,
    /// Ten thousand sensors that are due each 30 seconds, instead of the parts
    #[arg(long)]
    scale: bool,
    #[command(flatten)]
    scale_settings: scale::Settings,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Round trips through pipes and bare spawns: what the machine can do
    Limits,
    /// Polls of shell sensors, each in a fresh process
    Fresh,
    /// Polls of 1,000 distinct Python sensors
    Warm,
    /// Executions of a shell action, each in a fresh process
    Actions,
    /// Executions of a warm Python action
    WarmActions,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    if arguments.scale {
        return scale::run(&arguments.scale_settings).await;
    }
    let (executions, seconds) = (&arguments.executions, arguments.seconds);
    let (mut bare, mut fresh) = (None, None);
    for part in &arguments.parts {
        match part {
            Part::Limits => bare = Some(yardstick::run(seconds)?),
            Part::Fresh => fresh = Some(polls::run(&polls::FRESH, seconds).await?),
            Part::Warm => {
                polls::run(&polls::WARM, seconds).await?;
            }
            Part::Actions => actions::run(Language::Shell, executions, seconds).await?,
            Part::WarmActions => actions::run(Language::Python, executions, seconds).await?,
        }
    }
    if let (Some(bare), Some(fresh)) = (bare, fresh) {
        println!("fresh polls are {:.2} of the bare spawns", fresh / bare);
    }
    Ok(())
}
