//! Where a sensor belongs: on the live worker that it prefers among those that can run it. Every worker works this out by
//! itself and comes to the same end.

use std::collections::HashMap;

use attune_common::models::Runtime;
use attune_common::repositories::sensor::SensorRow;
use attune_common::repositories::worker::LiveWorker;
use attune_common::runtime_detection::{self, refused_version, reported};
use attune_core::placement;
use attune_process::Level;
use serde_json::Value;

/// As many workers a reason names.
const NAMED: usize = 3;

/// Where a sensor belongs.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// On this worker.
    Here,
    /// On another live worker.
    Elsewhere,
    /// Nobody can run it, for this reason.
    Nowhere(String),
}

/// Works out where sensors belong, as seen by the worker `me`.
#[derive(Debug)]
pub(super) struct Places<'a> {
    runtimes: &'a [Runtime],
    workers: &'a [LiveWorker],
    me: i64,
    /// The workers that have each runtime and can confine as is demanded, asked once.
    able: HashMap<(i64, Option<Level>), Vec<i64>>,
}

impl<'a> Places<'a> {
    pub(super) fn new(runtimes: &'a [Runtime], workers: &'a [LiveWorker], me: i64) -> Self {
        Self { runtimes, workers, me, able: HashMap::new() }
    }

    /// Where a sensor belongs.
    pub(super) fn of(&mut self, sensor: &SensorRow) -> Place {
        let me = self.me;
        match self.candidates(sensor) {
            Err(reason) => Place::Nowhere(reason),
            Ok(candidates) if placement::preferred(sensor.id, candidates) == Some(me) => Place::Here,
            Ok(_) => Place::Elsewhere,
        }
    }

    fn candidates(&mut self, sensor: &SensorRow) -> Result<&[i64], String> {
        if let Some(reason) = &sensor.fault {
            return Err(reason.clone());
        }
        match sensor.mode.as_str() {
            "poll" | "stream" => {}
            mode => return Err(format!("sensors of the mode {mode} are not supported by this version")),
        }
        let row = self.runtimes.iter().find(|row| Some(row.id) == sensor.runtime);
        let runtime = row.ok_or("it names no runtime")?;
        if sensor.pack_digest.is_none() {
            return Err("its pack has no content; load the pack with `attune pack load`".to_owned());
        }
        // What is no level at all is said by each poll.
        let level = sensor.sandbox.as_deref().and_then(Level::named);
        let able = self.able.entry((runtime.id, level)).or_insert_with(|| able(runtime, level, self.workers));
        if able.is_empty() { Err(unable(runtime, level, self.workers)) } else { Ok(able) }
    }
}

fn able(runtime: &Runtime, level: Option<Level>, workers: &[LiveWorker]) -> Vec<i64> {
    let able = workers.iter().filter(|worker| has_runtime(worker.capabilities.as_ref(), runtime));
    let able = able.filter(|worker| level.is_none_or(|level| levels(worker).contains(&level.as_str())));
    able.map(|worker| worker.id).collect()
}

/// How a worker can confine what it runs.
fn levels(worker: &LiveWorker) -> Vec<&str> {
    let levels = worker.capabilities.as_ref().and_then(|capabilities| capabilities.get("sandbox"));
    levels.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Why nobody can run it. `level` is what it demands.
fn unable(runtime: &Runtime, level: Option<Level>, workers: &[LiveWorker]) -> String {
    let has_runtime = |worker: &&LiveWorker| has_runtime(worker.capabilities.as_ref(), runtime);
    let offers = |worker: &LiveWorker| format!("{} offers {}", worker.name, levels(worker).join(", "));
    let offered: Vec<_> = workers.iter().filter(has_runtime).take(NAMED).map(offers).collect();
    let name = &runtime.r#ref;
    match level {
        Some(level) if !offered.is_empty() => {
            let (level, offered) = (level.as_str(), offered.join("; "));
            format!("no live sensor worker with the runtime {name} has the sandbox {level}: {offered}")
        }
        _ => {
            let (found, advice) = (found(runtime, workers), advice(runtime, workers));
            format!("no live sensor worker has the runtime {name}{found}{advice}")
        }
    }
}

/// A hybrid worker that only runs actions says nothing about sensors.
fn has_runtime(capabilities: Option<&Value>, runtime: &Runtime) -> bool {
    let runs_sensors =
        capabilities.is_some_and(|capabilities| capabilities.get("max_concurrent_sensors").is_some());
    runs_sensors && reported(capabilities, runtime).is_some()
}

/// What workers have instead, where that is too old: ` >= 3.11: sensor-a has 3.9`.
fn found(runtime: &Runtime, workers: &[LiveWorker]) -> String {
    let has = |worker: &LiveWorker| {
        let version = refused_version(worker.capabilities.as_ref(), runtime)?;
        Some(format!("{} has {version}", worker.name))
    };
    let found: Vec<String> = workers.iter().filter_map(has).take(NAMED).collect();
    match runtime.distributions["min_version"].as_str() {
        Some(least) if !found.is_empty() => format!(" >= {least}: {}", found.join(", ")),
        _ => String::new(),
    }
}

/// How to get the runtime. Where there are several workers each says the same, whatever its own system is: the reason must
/// not change with who gives it.
fn advice(runtime: &Runtime, workers: &[LiveWorker]) -> String {
    let advice =
        if workers.len() == 1 { runtime_detection::advice } else { runtime_detection::advice_for_all };
    advice(runtime).clause()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::runtime::tests::row;

    fn of(sensor: &SensorRow, runtimes: &[Runtime], workers: &[LiveWorker], me: i64) -> Place {
        Places::new(runtimes, workers, me).of(sensor)
    }

    fn ruby() -> Runtime {
        Runtime {
            id: 1,
            r#ref: "core.ruby".to_owned(),
            pack: None,
            pack_ref: None,
            description: None,
            name: "Ruby".to_owned(),
            distributions: json!({}),
            installation: None,
            execution: json!({}),
            aliases: vec!["rb".to_owned()],
            created: None,
            updated: None,
        }
    }

    fn sensor() -> SensorRow {
        SensorRow { pack_digest: Some("d".to_owned()), ..row() }
    }

    fn worker(id: i64, capabilities: Value) -> LiveWorker {
        let mut capabilities = capabilities;
        capabilities["max_concurrent_sensors"] = json!(10);
        LiveWorker { id, name: format!("w{id}"), capabilities: Some(capabilities) }
    }

    #[test]
    fn work_is_matched_by_ref_and_by_names_given_by_hand() {
        let verified = worker(1, json!({"runtimes": ["ruby"], "runtime_details": {"other.ruby": {}}}));
        assert!(matches!(of(&sensor(), &[ruby()], &[verified], 1), Place::Nowhere(_)));
        for capabilities in [
            json!({"runtime_details": {"core.ruby": {}}}),
            json!({"runtimes": ["rb"]}),
            json!({"runtimes": ["core.ruby"]}),
        ] {
            assert_eq!(of(&sensor(), &[ruby()], &[worker(1, capabilities)], 1), Place::Here);
        }
    }

    #[test]
    fn of_two_able_workers_exactly_one_has_it() {
        let workers = [worker(1, json!({"runtimes": ["ruby"]})), worker(2, json!({"runtimes": ["ruby"]}))];
        for id in 1..50 {
            let sensor = SensorRow { id, ..sensor() };
            let here = [1, 2].map(|me| of(&sensor, &[ruby()], &workers, me) == Place::Here);
            assert!(here[0] != here[1]);
        }
    }

    #[test]
    fn what_nobody_can_run_has_a_reason() {
        let able = [worker(1, json!({"runtimes": ["ruby"]}))];
        let reason = |sensor: SensorRow| match of(&sensor, &[ruby()], &able, 1) {
            Place::Nowhere(reason) => reason,
            place => panic!("{place:?}"),
        };
        let builtin = SensorRow { mode: "builtin".to_owned(), ..sensor() };
        assert_eq!(reason(builtin), "sensors of the mode builtin are not supported by this version");
        assert_eq!(reason(SensorRow { runtime: None, ..sensor() }), "it names no runtime");
        let fault = Some("config: cannot be read".to_owned());
        assert_eq!(reason(SensorRow { fault, ..sensor() }), "config: cannot be read");
        assert!(reason(SensorRow { pack_digest: None, ..sensor() }).starts_with("its pack has no content"));
        let unable = of(&sensor(), &[ruby()], &[], 1);
        assert_eq!(unable, Place::Nowhere("no live sensor worker has the runtime core.ruby".to_owned()));
    }

    #[test]
    fn what_demands_a_sandbox_goes_to_who_has_it() {
        let confines = |id, levels: Value| worker(id, json!({"runtimes": ["ruby"], "sandbox": levels}));
        let workers =
            [confines(1, json!(["none", "process"])), confines(2, json!(["none", "process", "strict"]))];
        let demands = |level: &str, id| SensorRow { id, sandbox: Some(level.to_owned()), ..sensor() };
        for id in 1..20 {
            assert_eq!(of(&demands("strict", id), &[ruby()], &workers, 2), Place::Here);
        }
        let here = (1..20).filter(|id| of(&demands("process", *id), &[ruby()], &workers, 1) == Place::Here);
        assert!((1..19).contains(&here.count()));
        let reason = "no live sensor worker with the runtime core.ruby has the sandbox namespace: \
                      w1 offers none, process; w2 offers none, process, strict";
        assert_eq!(of(&demands("namespace", 1), &[ruby()], &workers, 1), Place::Nowhere(reason.to_owned()));
    }

    #[test]
    fn a_version_that_is_too_old_is_named() {
        let ruby = Runtime { distributions: json!({"min_version": "3.1"}), ..ruby() };
        let old =
            json!({"runtimes": [], "runtimes_refused": {"core.ruby": {"version": "2.7.4", "reason": "old"}}});
        let workers = [worker(1, old), worker(2, json!({"runtimes": []}))];
        let Place::Nowhere(reason) = of(&sensor(), &[ruby], &workers, 1) else { panic!("nobody has it") };
        assert_eq!(reason, "no live sensor worker has the runtime core.ruby >= 3.1: w1 has 2.7.4");
    }

    #[test]
    fn what_is_missing_comes_with_advice_that_all_workers_give_alike() {
        let installation = json!({std::env::consts::OS: "get ruby", "beos": "find ruby"});
        let ruby = Runtime { installation: Some(installation), ..ruby() };
        let reason = |workers: &[LiveWorker]| match of(&sensor(), std::slice::from_ref(&ruby), workers, 1) {
            Place::Nowhere(reason) => reason,
            place => panic!("{place:?}"),
        };
        let unable = |id| worker(id, json!({"runtimes": []}));
        let missing = "no live sensor worker has the runtime core.ruby; install it:";
        assert_eq!(reason(&[unable(1)]), format!("{missing} get ruby"));
        let all = format!("{missing} find ruby (beos), get ruby ({})", std::env::consts::OS);
        assert_eq!(reason(&[unable(1), unable(2)]), all);
    }
}
