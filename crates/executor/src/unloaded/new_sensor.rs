//! A new sensor from the template of its runtime, with all that belongs to it.

use std::io;
use std::path::{Path, PathBuf};

use attune_common::models::Runtime;
use attune_core::names::Called;
use attune_core::pack::refs::{check_pack_ref, check_ref};
use attune_core::pack::{Fault, MANIFEST, Pack};
use attune_core::runtime::execution::{Execution, ExecutionFault};
use attune_runtimes::directory;
use attune_runtimes::files::{Files, FilesError};
use attune_runtimes::pack_directory::{PackDirectory, PackDirectoryError};
use attune_runtimes::template::{self, Values};

use super::library::{Failed, Library};

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct NewSensor<'a> {
    /// The runtime, by ref, name or alias.
    pub runtime: &'a str,
    /// What it is called: the path of a new pack, whose last part may be `PACK.NAME`, or the name in an existing one.
    pub name: &'a Path,
    /// The pack that it goes into; none: a new one.
    pub pack: Option<&'a Path>,
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The pack.
    pub root: PathBuf,
    /// The files, from its root.
    pub files: Vec<String>,
    /// The file that defines the sensor.
    pub sensor: String,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum NewSensorError {
    /// No such runtime.
    #[error("no runtime is called {name:?}; these have a template: {known}")]
    UnknownRuntime {
        /// As it was given.
        name: String,
        /// Those that could be.
        known: String,
    },
    /// Nobody wrote one.
    #[error("runtime {runtime} has no template; these have one: {known}")]
    NoTemplate {
        /// Its ref.
        runtime: String,
        /// Those that do.
        known: String,
    },
    /// Its row is wrong.
    #[error("runtime {runtime} can not be used: {fault}")]
    Execution {
        /// Its ref.
        runtime: String,
        /// What is wrong.
        fault: ExecutionFault,
    },
    /// It can not be called so.
    #[error("{0}")]
    Name(String),
    /// What it would become is no pack, because of its name or of the template.
    #[error("it would not be valid: {0}")]
    Faulty(Fault),
    /// The pack that it should go into is none.
    #[error(transparent)]
    Pack(#[from] PackDirectoryError),
    /// The template can not be the files of a pack.
    #[error("the template of runtime {runtime} is unusable")]
    Template {
        /// Its ref.
        runtime: String,
        /// Why.
        source: FilesError,
    },
    /// The runtime's pack could not be looked into.
    #[error("can not get the files of pack {pack}")]
    Content {
        /// Its ref.
        pack: String,
        /// Why.
        source: Failed,
    },
    /// Something is in the way, or the system refused.
    #[error("can not write {}", path.display())]
    Write {
        /// The pack.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Where a new sensor goes, and what it is called.
struct Place {
    root: PathBuf,
    pack: String,
    name: String,
    is_new: bool,
}

impl NewSensor<'_> {
    /// Writes the files; none when one of them is there already.
    pub fn write(&self, library: &Library<'_>) -> Result<Written, NewSensorError> {
        let place = self.place()?;
        let runtime = self.runtime(library)?;
        let execution = execution(&runtime)?;
        if execution.template.is_empty() {
            return Err(NewSensorError::NoTemplate { runtime: runtime.r#ref, known: with_template(library) });
        }
        let values = Values {
            pack: place.pack.clone(),
            name: place.name.clone(),
            runtime: runtime.r#ref.clone(),
            extension: execution.extensions.first().cloned().unwrap_or_default(),
        };
        let pack = runtime.pack_ref.clone().unwrap_or_default();
        let content = |source| NewSensorError::Content { pack: pack.clone(), source };
        let files = library.files(&pack).map_err(content)?.unwrap_or_default();
        let filled = template::fill(&files, &execution.template, &values)
            .map_err(|source| NewSensorError::Template { runtime: runtime.r#ref, source })?;
        check(&filled)?;
        // A pack that is there has its own.
        let filled = if place.is_new { filled } else { filled.without(MANIFEST) };
        place.write(&filled).map_err(|source| NewSensorError::Write { path: place.root.clone(), source })?;
        let sensor = format!("sensors/{}.yaml", place.name);
        Ok(Written { root: place.root, files: filled.contents().keys().cloned().collect(), sensor })
    }

    fn place(&self) -> Result<Place, NewSensorError> {
        let last = self.name.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some(root) = self.pack {
            let pack = PackDirectory::read(root)?.pack.manifest.r#ref;
            check_ref(&format!("{pack}.{last}")).map_err(NewSensorError::Name)?;
            return Ok(Place { root: root.to_owned(), pack, name: last.to_owned(), is_new: false });
        }
        let (pack, name) = last.split_once('.').unwrap_or((last, last));
        check_pack_ref(pack).map_err(NewSensorError::Name)?;
        check_ref(&format!("{pack}.{name}")).map_err(NewSensorError::Name)?;
        Ok(Place {
            root: self.name.with_file_name(pack),
            pack: pack.to_owned(),
            name: name.to_owned(),
            is_new: true,
        })
    }

    fn runtime(&self, library: &Library<'_>) -> Result<Runtime, NewSensorError> {
        let meant = |runtime: &Runtime| {
            let Runtime { name, r#ref, aliases, .. } = runtime;
            Called { name, r#ref, aliases }.answers_to(self.runtime)
        };
        let unknown = || NewSensorError::UnknownRuntime {
            name: self.runtime.to_owned(),
            known: with_template(library),
        };
        match library.runtimes().into_iter().find(meant) {
            Some(runtime) => Ok(runtime),
            None => library.runtime(self.runtime).ok().flatten().ok_or_else(unknown),
        }
    }
}

impl Place {
    fn write(&self, files: &Files) -> io::Result<()> {
        if self.is_new && self.root.symlink_metadata().is_ok() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "it is there already"));
        }
        directory::write_new(&self.root, files)
    }
}

/// Some names are no text in YAML.
fn check(files: &Files) -> Result<(), NewSensorError> {
    match Pack::parse(files.contents()) {
        Err(faults) => faults.into_iter().next().map_or(Ok(()), |fault| Err(NewSensorError::Faulty(fault))),
        Ok(_) => Ok(()),
    }
}

fn execution(runtime: &Runtime) -> Result<Execution, NewSensorError> {
    Execution::parse(&runtime.execution)
        .map_err(|fault| NewSensorError::Execution { runtime: runtime.r#ref.clone(), fault })
}

/// The runtimes at hand that have a template.
fn with_template(library: &Library<'_>) -> String {
    let has_one =
        |runtime: &Runtime| execution(runtime).is_ok_and(|execution| !execution.template.is_empty());
    let runtimes = library.runtimes().into_iter().filter(has_one);
    runtimes.map(|runtime| runtime.r#ref).collect::<Vec<_>>().join(", ")
}
