//! The one path from a piece of code to a running program, for sensors and actions alike, and without a database.
//!
//! First the interpreter ([`Launcher::find`]): the runtime's program, the real one behind a shim, and, when the pack has
//! a manifest, that of its environment, which may have to be built. Nothing but the code itself waits for that, so whoever
//! holds a place meanwhile learns of the build and gives the place up. Then the program ([`Launcher::prepare`]): a private
//! working directory, a complete environment of variables, a command line.

mod error;
mod memory;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use attune_common::config::Config;
use attune_core::runtime::execution::{Execution, Role};
use attune_process::{Limits, Program};

pub use error::PrepareError;
use memory::Memory;

use crate::environment::{Building, Environments, Look, Order, Owner, Progress};
use crate::interpreter::Interpreters;
use crate::scratch::{Scratch, WorkingDirectory};
use crate::tool::Tool;
use crate::variables::{of_this_process, path, variables};

/// The code of a pack, and the runtime that runs it, on this machine.
#[derive(Clone, Debug)]
pub struct Code {
    /// The pack's ref.
    pub pack: String,
    /// The directory with the pack's content.
    pub directory: PathBuf,
    /// What names this content, which then never changes; `None`: it lies where its author edits it.
    pub digest: Option<String>,
    /// What runs it.
    pub tool: Arc<Tool>,
    /// The directory with the content of the runtime's own pack, when its arguments lie in there.
    pub runtime_pack: Option<PathBuf>,
}

/// What runs a piece of code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interpreter {
    /// The program; `None`: the code runs by itself.
    pub binary: Option<PathBuf>,
    /// What the environment gives its programs.
    variables: Vec<(OsString, OsString)>,
    /// Where the environment is.
    environment: Option<PathBuf>,
}

/// An interpreter, or what it waits for.
#[derive(Debug)]
pub enum Found {
    /// It can run.
    Ready(Interpreter),
    /// Its environment is being built.
    Building(Building),
}

/// A program to be run, and the directory that it runs in and that goes with this value.
#[derive(Debug)]
pub struct Prepared {
    argv: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    directory: WorkingDirectory,
    /// What it needs beside that.
    visible: Vec<PathBuf>,
}

/// Prepares programs of one service.
#[derive(Debug)]
pub struct Launcher {
    scratch: Scratch,
    environments: Environments,
    interpreters: Interpreters,
    memory: Memory,
}

impl Launcher {
    /// A launcher for this machine, which writes builds of environments to the log.
    pub fn open(config: &Config) -> io::Result<Self> {
        let environments = Environments::new(&config.runtime.environments_dir);
        environments.sweep();
        Self::with(config, environments)
    }

    /// A launcher with these environments, which may have an observer.
    pub fn with(config: &Config, environments: Environments) -> io::Result<Self> {
        let scratch = Scratch::open(&config.cache_dir)?;
        let interpreters = Interpreters::new(config.runtime.cache_ttl);
        Ok(Self { scratch, environments, interpreters, memory: Memory::default() })
    }

    /// What runs the code, or the build that it has to wait for. Waits for nothing but the resolution of a shim.
    pub async fn find(&self, code: &Code, role: Role) -> Result<Found, PrepareError> {
        if let Some(interpreter) = self.memory.recall(code, role) {
            return Ok(Found::Ready(interpreter));
        }
        let found = self.look(code, role).await?;
        if let Found::Ready(interpreter) = &found {
            self.memory.keep(code, role, interpreter);
        }
        Ok(found)
    }

    async fn look(&self, code: &Code, role: Role) -> Result<Found, PrepareError> {
        let Some(binary) = self.binary(code, role).await? else {
            return Ok(Found::Ready(Interpreter::default()));
        };
        let Some(order) = order(code, &binary)? else {
            return Ok(Found::Ready(Interpreter { binary: Some(binary), ..Interpreter::default() }));
        };
        Ok(match self.environments.look(&order)? {
            Look::Building(building) => Found::Building(building),
            Look::Ready(environment) => Found::Ready(Interpreter {
                variables: order.spec().variables(&environment),
                binary: order.spec().binary(&environment).or(Some(binary)),
                environment: Some(environment),
            }),
        })
    }

    /// What runs the code, once its environment is there. `see` is told of what happens meanwhile.
    pub async fn wait(
        &self,
        code: &Code,
        role: Role,
        mut see: impl FnMut(&Progress) + Send,
    ) -> Result<Interpreter, PrepareError> {
        loop {
            match self.find(code, role).await? {
                Found::Ready(interpreter) => return Ok(interpreter),
                Found::Building(mut building) => building.follow(&mut see).await,
            }
        }
    }

    /// The program for the code at `entrypoint`. `given` writes what belongs into the working directory, and returns the
    /// variables of this run.
    pub fn prepare(
        &self,
        code: &Code,
        interpreter: &Interpreter,
        entrypoint: &str,
        given: impl FnOnce(&Path) -> io::Result<Vec<(OsString, OsString)>>,
    ) -> Result<Prepared, PrepareError> {
        let (binary, runtime_pack) = (interpreter.binary.as_deref(), code.runtime_pack.as_deref());
        let argv = code.tool.argv(binary, runtime_pack, &code.directory, entrypoint)?;
        self.prepared(code, interpreter, argv, given)
    }

    /// The program of a warm host for this code.
    pub fn prepare_host(&self, code: &Code, interpreter: &Interpreter) -> Result<Prepared, PrepareError> {
        let argv = code.tool.host_argv(interpreter.binary.as_deref(), code.runtime_pack.as_deref())?;
        self.prepared(code, interpreter, argv, |_| Ok(Vec::new()))
    }

    fn prepared(
        &self,
        code: &Code,
        interpreter: &Interpreter,
        argv: Vec<OsString>,
        given: impl FnOnce(&Path) -> io::Result<Vec<(OsString, OsString)>>,
    ) -> Result<Prepared, PrepareError> {
        let directory = self.scratch.directory().map_err(PrepareError::WorkingDirectory)?;
        let given = given(directory.path()).map_err(PrepareError::WorkingDirectory)?;
        let Execution { env_allow, variables: own, .. } = code.tool.execution()?;
        let own = own.iter().map(|(name, value)| (name.into(), value.into()));
        let given = own.chain(interpreter.variables.iter().cloned()).chain(given);
        let env = variables(of_this_process, env_allow, directory.path(), given);
        let visible = [Some(&code.directory), code.runtime_pack.as_ref(), interpreter.environment.as_ref()];
        let visible = visible.into_iter().flatten().cloned().collect();
        Ok(Prepared { argv, env, directory, visible })
    }

    async fn binary(&self, code: &Code, role: Role) -> Result<Option<PathBuf>, PrepareError> {
        let tool = &code.tool;
        let found = tool.binary(role, &path(of_this_process))?;
        match (found, &tool.execution()?.resolve) {
            (Some(found), Some(args)) => Ok(Some(self.interpreters.real(&tool.r#ref, &found, args).await)),
            (found, _) => Ok(found),
        }
    }
}

/// The environment that the code's pack asks for, if it does and the runtime has any.
fn order(code: &Code, binary: &Path) -> Result<Option<Order>, PrepareError> {
    let execution = code.tool.execution()?;
    let Some(spec) = &execution.environment else { return Ok(None) };
    let (pack, runtime, manifest) = (code.pack.clone(), code.tool.r#ref.clone(), spec.manifest.clone());
    let owner = Owner { pack, runtime, manifest };
    Ok(Order::of(owner, spec, binary, &code.directory, &execution.env_allow)?)
}

impl Prepared {
    /// The program with this input, within these limits. This value has to live until it has ended.
    pub fn program(&self, stdin: Vec<u8>, limits: Limits) -> Program {
        let (argv, env, cwd) = (self.argv.clone(), self.env.clone(), self.directory.path().to_owned());
        let limits = Limits { visible: self.visible.clone(), ..limits };
        Program { argv, env, cwd, stdin, limits }
    }
}
