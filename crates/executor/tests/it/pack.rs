//! A small pack as text, with the means to change it.

use std::collections::BTreeMap;

use attune_common::config::Config;
use attune_executor::load_pack::{LoadError, LoadReport, load_pack};
use attune_runtimes::archive;
use attune_runtimes::files::Files;
use sqlx::PgPool;

/// The files of a pack.
#[derive(Debug, Clone)]
pub(crate) struct TestPack(BTreeMap<String, String>);

impl TestPack {
    /// A trigger, a sensor, an action and a rule that connects them.
    pub(crate) fn demo() -> Self {
        let files = [
            ("pack.yaml", "ref: demo\nname: Demo\nversion: 1.0.0\nconfig: {team: red}\n"),
            (
                "triggers/high.yaml",
                "ref: demo.high\nlabel: High\nparam_schema: {type: object, properties: {limit: {type: integer, default: 80}}}\npayload_schema: {type: object, properties: {value: {type: integer}}}\n",
            ),
            ("triggers/low.yaml", "ref: demo.low\nlabel: Low\n"),
            (
                "sensors/cpu.yaml",
                "ref: demo.cpu\nruntime: core.shell\nentrypoint: sensors/cpu.sh\ntriggers: [demo.high, demo.low]\npoll_interval: 5\nconfig: {threshold: 80}\n",
            ),
            ("sensors/cpu.sh", "#!/bin/sh\necho '{\"events\": []}'\n"),
            (
                "actions/tell.yaml",
                "ref: demo.tell\nruntime: core.shell\nentrypoint: actions/tell.sh\nparam_schema: {type: object, properties: {value: {type: integer}}, required: [value]}\n",
            ),
            ("actions/tell.sh", "#!/bin/sh\ncat\n"),
            (
                "rules/tell.yaml",
                "ref: demo.tell_high\ntrigger: demo.high\nconditions:\n  - {field: payload.value, operator: greater_than, value: 10}\naction: demo.tell\naction_params: {value: \"{{ event.payload.value }}\"}\n",
            ),
        ];
        Self(files.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect())
    }

    /// The same with a file added or replaced.
    pub(crate) fn with(mut self, path: &str, text: &str) -> Self {
        self.0.insert(path.to_owned(), text.to_owned());
        self
    }

    /// The same with text replaced in one file.
    pub(crate) fn replacing(mut self, path: &str, old: &str, new: &str) -> Self {
        let text = self.0.get_mut(path).expect("the file is there");
        assert!(text.contains(old), "{old:?} is not in {path}");
        *text = text.replace(old, new);
        self
    }

    /// The same without a file.
    pub(crate) fn without(mut self, path: &str) -> Self {
        self.0.remove(path).expect("the file is there");
        self
    }

    /// As it is uploaded.
    pub(crate) fn archive(&self) -> Vec<u8> {
        let contents = self.0.iter().map(|(path, text)| (path.clone(), text.clone().into_bytes()));
        archive::write(&Files::without_modes(contents).unwrap()).unwrap()
    }

    pub(crate) async fn try_load(&self, pool: &PgPool) -> Result<LoadReport, LoadError> {
        load_pack(pool, self.archive(), &Config::default().limits).await
    }

    pub(crate) async fn load(&self, pool: &PgPool) -> LoadReport {
        self.try_load(pool).await.unwrap()
    }
}
