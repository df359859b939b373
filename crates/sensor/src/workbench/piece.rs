//! What is put on the workbench, found by its file or its ref.

use std::path::{Path, PathBuf};

use attune_common::repositories::sensor::SensorRow;
use attune_core::names::Called;
use attune_core::pack::refs::{check_ref, pack_of};
use attune_core::pack::{Kind, MANIFEST, Pack};
use attune_core::runtime::execution::Execution;
use attune_executor::unloaded::{Library, Running};
use attune_runtimes::pack_directory::PackDirectory;
use serde_json::{Value, json};

use super::WorkbenchError;
use crate::definition::Sensor;

/// A sensor and where its code is.
#[derive(Debug)]
pub struct Piece {
    row: SensorRow,
    home: Home,
}

/// Where the code is.
#[derive(Debug)]
pub(super) enum Home {
    /// In a pack directory.
    Pack(Box<PackDirectory>),
    /// In a directory that is no pack.
    Directory(PathBuf),
    /// In a pack of the running Attune, of this ref.
    Running(String),
}

impl Piece {
    /// What a file is about: the sensor that it defines or is the code of, or the code by itself, which `runtime` runs or
    /// else the runtime whose files end like it.
    pub fn of_file(path: &Path, runtime: Option<&str>) -> Result<Self, WorkbenchError> {
        if !path.is_file() {
            return Err(WorkbenchError::NotFound(format!("there is no file {}", path.display())));
        }
        let Some(root) = PackDirectory::root_of(path) else { return Self::alone(path, runtime) };
        let own = PackDirectory::read(&root)?;
        let file = own.path_of(path).unwrap_or_default();
        let name = sensor_of(&own.pack, &file)?.map(str::to_owned);
        let (row, home) = match name {
            Some(name) => {
                (sensor_row(&name, &own.pack.columns(Kind::Sensor, &name).unwrap_or_default()), own)
            }
            None => (code_row(path, &file), own),
        };
        Self { row, home: Home::Pack(Box::new(home)) }.with_runtime(path, runtime)
    }

    /// The sensor of this ref: of a pack in the working directory, else of the running Attune.
    pub fn of_ref(name: &str, running: Option<&dyn Running>) -> Result<Self, WorkbenchError> {
        if let Some(own) = pack_directory(name)? {
            return Err(of_which(&own));
        }
        check_ref(name).map_err(WorkbenchError::Refused)?;
        if let Some(own) = pack_at_hand(name)? {
            let columns = own.pack.columns(Kind::Sensor, name).ok_or_else(|| no_sensor(name, &own))?;
            return Ok(Self { row: sensor_row(name, &columns), home: Home::Pack(Box::new(own)) });
        }
        let running = running.ok_or_else(|| {
            let pack = pack_of(name);
            WorkbenchError::NotFound(format!(
                "there is no file or sensor {name:?}: no pack {pack} in the working directory, and no Attune runs here to ask"
            ))
        })?;
        let columns = running.find(Kind::Sensor, name).map_err(WorkbenchError::Lookup)?;
        let columns =
            columns.ok_or_else(|| WorkbenchError::NotFound(format!("there is no sensor {name:?}")))?;
        let pack = columns["pack_ref"].as_str().unwrap_or_else(|| pack_of(name)).to_owned();
        Ok(Self { row: sensor_row(name, &columns), home: Home::Running(pack) })
    }

    /// The sensor of a pack.
    pub(super) fn of_pack(own: &PackDirectory, name: &str) -> Self {
        let columns = own.pack.columns(Kind::Sensor, name).unwrap_or_default();
        Self { row: sensor_row(name, &columns), home: Home::Pack(Box::new(own.clone())) }
    }

    /// Code that is in no pack.
    fn alone(path: &Path, runtime: Option<&str>) -> Result<Self, WorkbenchError> {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let directory =
            path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let directory = directory.canonicalize().map_err(|error| {
            WorkbenchError::NotFound(format!("can not look into {}: {error}", directory.display()))
        })?;
        Self { row: code_row(path, &name), home: Home::Directory(directory) }.with_runtime(path, runtime)
    }

    /// The runtime that was asked for, or for code by itself the one that its name tells.
    fn with_runtime(mut self, path: &Path, asked: Option<&str>) -> Result<Self, WorkbenchError> {
        if asked.is_none() && self.row.runtime_ref.is_some() {
            return Ok(self);
        }
        let library = Library::new(self.pack(), None)?;
        let found = match asked {
            Some(asked) => called(&library, asked).or_else(|| Some(asked.to_owned())),
            None => by_extension(&library, path),
        };
        self.row.runtime_ref = Some(found.ok_or_else(|| unclear(&library, path))?);
        Ok(self)
    }

    /// The pack directory that it is in.
    pub fn pack(&self) -> Option<&PackDirectory> {
        match &self.home {
            Home::Pack(pack) => Some(pack),
            Home::Directory(_) | Home::Running(_) => None,
        }
    }

    /// What is looked at for changes.
    pub fn directory(&self) -> Option<&Path> {
        match &self.home {
            Home::Pack(pack) => Some(&pack.root),
            Home::Directory(directory) => Some(directory),
            Home::Running(_) => None,
        }
    }

    /// Whether its configuration came with its secrets masked.
    pub(super) fn hides_secrets(&self, sensor: &Sensor) -> bool {
        let is_masked = sensor.config == sensor.masked && sensor.config.to_string().contains("\"***\"");
        matches!(self.home, Home::Running(_)) && is_masked
    }

    pub(super) fn row(&self) -> &SensorRow {
        &self.row
    }

    pub(super) fn home(&self) -> &Home {
        &self.home
    }
}

/// The pack that a directory of this name is.
fn pack_directory(name: &str) -> Result<Option<PackDirectory>, WorkbenchError> {
    let root = Path::new(name);
    if root.join(MANIFEST).is_file() { Ok(Some(PackDirectory::read(root)?)) } else { Ok(None) }
}

/// A pack is no sensor, but has some.
fn of_which(own: &PackDirectory) -> WorkbenchError {
    let names: Vec<_> = own.pack.refs(Kind::Sensor).collect();
    WorkbenchError::Refused(format!("{} is a pack; its sensors are {}", own.root.display(), names.join(", ")))
}

/// The sensor that a file of the pack defines or is the code of; none for other code.
fn sensor_of<'a>(pack: &'a Pack, file: &str) -> Result<Option<&'a str>, WorkbenchError> {
    match pack.defined_in(file) {
        Some((Kind::Sensor, name)) => return Ok(Some(name)),
        Some((kind, name)) => {
            return Err(WorkbenchError::Refused(format!("{file} defines the {kind} {name}, and no sensor")));
        }
        None => {}
    }
    let names: Vec<_> =
        pack.sensors.iter().filter(|it| it.entrypoint == file).map(|it| it.r#ref.as_str()).collect();
    match names[..] {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        _ => Err(WorkbenchError::Refused(format!(
            "{file} is the code of {}; name the one that is meant",
            names.join(", ")
        ))),
    }
}

/// The pack around the working directory, or the one in it that is called as the pack of `name`.
fn pack_at_hand(name: &str) -> Result<Option<PackDirectory>, WorkbenchError> {
    if let Some(root) = PackDirectory::root_of(&Path::new(".").join(MANIFEST)) {
        let own = PackDirectory::read(&root)?;
        if own.pack.manifest.r#ref == pack_of(name) {
            return Ok(Some(own));
        }
    }
    pack_directory(pack_of(name))
}

fn no_sensor(name: &str, own: &PackDirectory) -> WorkbenchError {
    let known: Vec<_> = own.pack.sensors.iter().map(|sensor| sensor.r#ref.as_str()).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    WorkbenchError::NotFound(format!(
        "the pack in {} has no sensor {name:?}; it has {known}",
        own.root.display()
    ))
}

fn called(library: &Library<'_>, asked: &str) -> Option<String> {
    let meant = |runtime: &attune_common::models::Runtime| {
        let (name, r#ref, aliases) = (&runtime.name, &runtime.r#ref, &runtime.aliases);
        Called { name, r#ref, aliases }.answers_to(asked)
    };
    library.runtimes().into_iter().find(meant).map(|runtime| runtime.r#ref)
}

fn by_extension(library: &Library<'_>, path: &Path) -> Option<String> {
    let extension = path.extension()?.to_str()?;
    let claims = |runtime: &attune_common::models::Runtime| {
        let execution = Execution::parse(&runtime.execution);
        execution.is_ok_and(|execution| execution.extensions.iter().any(|known| known == extension))
    };
    library.runtimes().into_iter().find(claims).map(|runtime| runtime.r#ref)
}

fn unclear(library: &Library<'_>, path: &Path) -> WorkbenchError {
    let known: Vec<_> = library.runtimes().into_iter().map(|runtime| runtime.r#ref).collect();
    WorkbenchError::Refused(format!(
        "nothing says which runtime runs {}; give one with --runtime, for example one of {}",
        path.display(),
        known.join(", ")
    ))
}

/// Code by itself: its events have no trigger.
fn code_row(path: &Path, entrypoint: &str) -> SensorRow {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let columns = json!({"entrypoint": entrypoint, "config": {}, "param_schema": {}});
    sensor_row(name, &columns)
}

/// Of a pack, where `runtime` is a ref, or of a row, where that is an id and has its ref beside it.
fn sensor_row(name: &str, columns: &Value) -> SensorRow {
    let text = |key: &str| columns[key].as_str().map(str::to_owned);
    let triggers = columns["triggers"].as_array().into_iter().flatten();
    SensorRow {
        id: 0,
        r#ref: name.to_owned(),
        runtime: None,
        runtime_ref: text("runtime_ref").or_else(|| text("runtime")),
        entrypoint: text("entrypoint").unwrap_or_default(),
        config: columns["config"].clone(),
        param_schema: columns["param_schema"].clone(),
        mode: text("mode").unwrap_or_else(|| "poll".to_owned()),
        isolation: text("isolation"),
        sandbox: text("sandbox"),
        poll_interval: columns["poll_interval"].as_f64(),
        timeout: columns["timeout"].as_f64(),
        missed: String::new(),
        jitter: None,
        canary: None,
        limits: columns["limits"].clone(),
        api: Value::Null,
        max_per_minute: None,
        pause_after: None,
        pack_digest: None,
        triggers: triggers.filter_map(|trigger| trigger.as_str().map(str::to_owned)).collect(),
        version: 0,
        fault: None,
    }
}
