//! The code of a piece with what runs it, on this machine.

use std::path::PathBuf;
use std::sync::Arc;

use attune_common::models::Runtime;
use attune_common::runtime_detection::{self, Trust, Verdict};
use attune_core::pack::refs::pack_of;
use attune_core::pack::{Kind, Mode};
use attune_executor::unloaded::Library;
use attune_runtimes::files::Files;
use attune_runtimes::launch::{Code, PrepareError};
use attune_runtimes::requirements::{self, RequirementError};
use attune_runtimes::tool::Tool;
use attune_runtimes::{archive, digest};

use super::piece::Home;
use super::{Piece, Workbench, WorkbenchError};
use crate::runtime::PollError;

impl Workbench {
    /// The code; inside, the words for a runtime that this machine lacks.
    pub(super) async fn code(
        &self,
        piece: &Piece,
        library: &Library<'_>,
    ) -> Result<Result<Code, String>, WorkbenchError> {
        let mode = &piece.row().mode;
        if mode == Mode::Builtin.as_str() {
            return Err(WorkbenchError::Refused(format!("sensors of the mode {mode} can not be tested yet")));
        }
        if let Some(lack) = self.lack(piece) {
            return Ok(Err(lack));
        }
        let runtime = runtime(piece, library)?;
        let verdicts = self.verifier.verify_all(std::slice::from_ref(&runtime), Trust::Presence).await;
        let verdict = verdicts.into_iter().next();
        if let Some(verdict) = verdict.as_ref().filter(|verdict| !verdict.available) {
            return Ok(Err(missing(&runtime, verdict)));
        }
        let tool = Tool::new(&runtime, verdict.and_then(|verdict| verdict.binary), None);
        let needs_pack = tool.execution().is_ok_and(attune_core::runtime::execution::Execution::needs_pack);
        let runtime_pack = match runtime.pack_ref.filter(|_| needs_pack) {
            Some(pack) => self.pack(&pack, library).await?,
            None => None,
        };
        let (pack, directory) =
            (pack_of(&piece.row().r#ref).to_owned(), self.directory(piece, library).await?);
        Ok(Ok(Code { pack, directory, digest: None, tool: Arc::new(tool), runtime_pack }))
    }

    /// A command that the piece's pack requires and this machine has not.
    fn lack(&self, piece: &Piece) -> Option<String> {
        let manifest = &piece.pack()?.pack.manifest;
        let requirement = requirements::missing(&manifest.requires).next()?.clone();
        let (pack, host) = (manifest.r#ref.clone(), self.host.clone());
        Some(RequirementError::Missing { pack, requirement, host }.to_string())
    }

    async fn directory(&self, piece: &Piece, library: &Library<'_>) -> Result<PathBuf, WorkbenchError> {
        let absolute = |path: &std::path::Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        match piece.home() {
            Home::Pack(pack) => Ok(absolute(&pack.root)),
            Home::Directory(directory) => Ok(directory.clone()),
            Home::Running(pack) => self
                .pack(pack, library)
                .await?
                .ok_or_else(|| WorkbenchError::NotFound(format!("nobody has the files of pack {pack}"))),
        }
    }

    /// The directory of a pack: where its author has it, or unpacked.
    async fn pack(&self, pack: &str, library: &Library<'_>) -> Result<Option<PathBuf>, WorkbenchError> {
        if let Some(own) = library.own().filter(|own| own.pack.manifest.r#ref == pack) {
            return Ok(own.root.canonicalize().ok());
        }
        match library.files(pack).map_err(WorkbenchError::Lookup)? {
            Some(files) => Ok(Some(self.unpack(pack, &files).await?)),
            None => Ok(None),
        }
    }

    async fn unpack(&self, pack: &str, files: &Files) -> Result<PathBuf, WorkbenchError> {
        let archive =
            archive::write(files).map_err(|source| WorkbenchError::Packing { pack: pack.into(), source })?;
        let fetch = || async { Ok::<_, std::convert::Infallible>(archive) };
        Ok(self.content.ensure(&digest::digest(files), fetch).await?)
    }
}

fn runtime(piece: &Piece, library: &Library<'_>) -> Result<Runtime, WorkbenchError> {
    let name = piece.row().runtime_ref.clone().unwrap_or_default();
    let runtime = library.runtime(&name).map_err(WorkbenchError::Lookup)?;
    runtime.ok_or_else(|| WorkbenchError::Refused(library.missing(Kind::Runtime, &name)))
}

/// The service's words, and what helps here.
fn missing(runtime: &Runtime, verdict: &Verdict) -> String {
    let gone = PollError::from(PrepareError::RuntimeGone(runtime.r#ref.clone())).for_the_record();
    let reason = verdict.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
    format!("{gone}{reason}{}", runtime_detection::advice(runtime).clause())
}
