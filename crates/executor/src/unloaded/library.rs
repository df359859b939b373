//! Where the things are that a pack refers to.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use attune_common::models::Runtime;
use attune_common::repositories::listing::nearest;
use attune_common::repositories::rule::TriggerRow;
use attune_core::pack::refs::pack_of;
use attune_core::pack::{Kind, Pack};
use attune_runtimes::archive;
use attune_runtimes::files::Files;
use attune_runtimes::pack_directory::PackDirectory;
use serde_json::{Value, json};

use crate::core_pack::{self, CorePackError};
use crate::load_pack::LoadError;

/// Why a running Attune gave no answer.
pub type Failed = Box<dyn Error + Send + Sync>;

/// An Attune that runs and can be asked.
pub trait Running {
    /// A thing by the columns of its row.
    fn find(&self, kind: Kind, name: &str) -> Result<Option<Value>, Failed>;

    /// The content that a pack has there, as an archive.
    fn content(&self, pack: &str) -> Result<Vec<u8>, Failed>;
}

/// Everything that can be referred to.
pub struct Library<'a> {
    own: Option<&'a PackDirectory>,
    core: (Files, Pack),
    running: Option<&'a dyn Running>,
}

impl fmt::Debug for Library<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Library").field("own", &self.own.map(|own| &own.root)).finish_non_exhaustive()
    }
}

impl<'a> Library<'a> {
    /// The library around a pack.
    pub fn new(
        own: Option<&'a PackDirectory>,
        running: Option<&'a dyn Running>,
    ) -> Result<Self, CorePackError> {
        let files = core_pack::embedded_files()?;
        let pack = Pack::parse(files.contents()).map_err(LoadError::Faults)?;
        Ok(Self { own, core: (files, pack), running })
    }

    /// The pack that the library is around.
    pub fn own(&self) -> Option<&'a PackDirectory> {
        self.own
    }

    /// The files of a pack.
    pub fn files(&self, pack: &str) -> Result<Option<Cow<'_, Files>>, Failed> {
        let own = self.own.map(|own| (&own.files, &own.pack));
        let mut at_hand = own.into_iter().chain([(&self.core.0, &self.core.1)]);
        match (at_hand.find(|(_, known)| known.manifest.r#ref == pack), self.running) {
            (Some((files, _)), _) => Ok(Some(Cow::Borrowed(files))),
            (None, Some(running)) => Ok(Some(Cow::Owned(archive::read(&running.content(pack)?)?))),
            (None, None) => Ok(None),
        }
    }

    /// The packs whose files are at hand.
    fn packs(&self) -> impl Iterator<Item = &Pack> {
        self.own.map(|own| &own.pack).into_iter().chain([&self.core.1])
    }

    /// A thing by the columns of its row.
    pub fn find(&self, kind: Kind, name: &str) -> Result<Option<Value>, Failed> {
        let at_hand = self.packs().find(|pack| pack.manifest.r#ref == pack_of(name));
        match (at_hand, self.running) {
            (Some(pack), _) => Ok(pack.columns(kind, name)),
            (None, Some(running)) => running.find(kind, name),
            (None, None) => Ok(None),
        }
    }

    /// Says that something is nowhere.
    pub fn missing(&self, kind: Kind, name: &str) -> String {
        let asked = if self.running.is_some() {
            ""
        } else {
            " in this pack or the core pack, and no Attune runs here to ask"
        };
        format!("there is no {kind} {name:?}{asked}{}", self.hint(kind, name))
    }

    /// What was probably meant, of the packs whose files are at hand.
    fn hint(&self, kind: Kind, name: &str) -> String {
        let names = self.packs().flat_map(|pack| pack.refs(kind)).map(str::to_owned).collect();
        nearest(name, names).map_or_else(String::new, |near| format!("; did you mean {near}?"))
    }

    /// A trigger, as ingest knows it.
    pub fn trigger(&self, name: &str) -> Result<Option<TriggerRow>, Failed> {
        Ok(self.find(Kind::Trigger, name)?.map(|columns| trigger_row(name, &columns)))
    }

    /// A runtime.
    pub fn runtime(&self, name: &str) -> Result<Option<Runtime>, Failed> {
        Ok(self.find(Kind::Runtime, name)?.map(|columns| runtime(name, &columns)))
    }

    /// The runtimes of the packs whose files are at hand.
    pub fn runtimes(&self) -> Vec<Runtime> {
        let of = |pack: &Pack| -> Vec<Runtime> {
            let names = pack.runtimes.iter().map(|it| it.r#ref.as_str());
            names.filter_map(|name| Some(runtime(name, &pack.columns(Kind::Runtime, name)?))).collect()
        };
        self.packs().flat_map(of).collect()
    }
}

/// Rows that are not in the database have no id.
const NO_ID: i64 = 0;

fn trigger_row(name: &str, columns: &Value) -> TriggerRow {
    TriggerRow {
        id: NO_ID,
        r#ref: name.to_owned(),
        param_schema: columns["param_schema"].clone(),
        payload_schema: columns["payload_schema"].clone(),
        max_per_minute: None,
        enabled: columns["enabled"] != json!(false),
        version: 0,
        fault: None,
    }
}

fn runtime(name: &str, columns: &Value) -> Runtime {
    let text = |key: &str| columns[key].as_str().map(str::to_owned);
    let aliases = columns["aliases"].as_array().into_iter().flatten();
    Runtime {
        id: NO_ID,
        r#ref: name.to_owned(),
        pack: None,
        pack_ref: text("pack_ref").or_else(|| Some(pack_of(name).to_owned())),
        description: text("description"),
        name: text("name").unwrap_or_else(|| name.to_owned()),
        distributions: columns["distributions"].clone(),
        installation: Some(columns["installation"].clone()).filter(|value| !value.is_null()),
        execution: columns["execution"].clone(),
        aliases: aliases.filter_map(|alias| alias.as_str().map(str::to_owned)).collect(),
        created: None,
        updated: None,
    }
}
