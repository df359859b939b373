//! What deaths do to a thing: the second of one version puts it aside, and any change of it takes it back.

use attune_common::fuse::{Death, Evaluated, Part, Thing};
use attune_common::repositories::fuse;
use attune_common::repositories::listing::{self, Noun};
use attune_common::repositories::sensor;
use attune_executor::ingest::{IngestError, Refusal};
use attune_executor::request::{self, request_execution};
use attune_executor::switch::switch;
use attune_hints::Hints;
use serde_json::json;

use crate::system::{System, high};

const THINGS: [(Thing, &str); 5] = [
    (Thing::Trigger, "demo.high"),
    (Thing::Sensor, "demo.cpu"),
    (Thing::Action, "demo.tell"),
    (Thing::Rule, "demo.tell_high"),
    (Thing::Pack, "demo"),
];

/// One more death of the thing as it is now; whether it is put aside.
async fn die(system: &System, thing: Thing, name: &str, is_chance: bool) -> bool {
    let row =
        format!("SELECT jsonb_build_array(id, config_version) FROM {} WHERE ref = '{name}'", thing.name());
    let row = system.value(&row).await;
    let (id, version) = (row[0].as_i64().unwrap(), row[1].as_i64().unwrap());
    let death = Death { evaluated: Evaluated { thing, part: Part::Check, id, version }, is_chance };
    fuse::count(system.pool(), death).await.unwrap().is_some()
}

async fn aside(system: &System) -> Vec<String> {
    fuse::list_aside(system.pool()).await.unwrap().into_iter().map(|(_, name, _)| name).collect()
}

#[tokio::test]
async fn the_second_death_counts_unless_it_is_chance() {
    let system = System::with_demo().await;
    let die = async |is_chance| die(&system, Thing::Rule, "demo.tell_high", is_chance).await;
    assert!(!die(true).await);
    assert_eq!(fuse::list_suspects(system.pool()).await.unwrap().len(), 1);
    assert!(!die(true).await, "it was evaluated to its end since the first");
    assert!(die(false).await);
    assert_eq!(aside(&system).await, ["demo.tell_high"]);
    assert!(fuse::list_suspects(system.pool()).await.unwrap().is_empty());
    let told = system.value("SELECT payload FROM notice WHERE trigger_ref = 'core.put_aside'").await;
    assert_eq!(
        (&told["noun"], &told["ref"], &told["deaths"]),
        (&json!("rule"), &json!("demo.tell_high"), &json!(2))
    );
}

#[tokio::test]
async fn another_version_is_another_thing() {
    let system = System::with_demo().await;
    for (thing, name) in THINGS {
        assert!(!die(&system, thing, name, false).await);
        system.run(&format!("UPDATE {} SET description = 'mended' WHERE ref = '{name}'", thing.name())).await;
        assert!(!die(&system, thing, name, false).await, "{name} was changed in between");
        assert!(die(&system, thing, name, false).await);
        assert_eq!(aside(&system).await, [name]);
        system.run(&format!("UPDATE {} SET description = 'again' WHERE ref = '{name}'", thing.name())).await;
        assert!(aside(&system).await.is_empty());
    }
}

#[tokio::test]
async fn whatever_is_put_aside_is_not_evaluated_until_it_is_enabled() {
    let system = System::with_demo().await;
    for (thing, name) in THINGS {
        die(&system, thing, name, false).await;
        assert!(die(&system, thing, name, false).await);
        let posted = system.post(vec![high(50)]).await;
        let (_, sensors) = sensor::load_sensor_set(system.pool(), None).await.unwrap();
        let fault = sensors.sensors[0].fault.as_deref();
        match thing {
            Thing::Trigger => {
                let refused = posted.unwrap_err();
                let is_broken =
                    matches!(&refused, IngestError::Refused { refusal: Refusal::BrokenSchema { .. }, .. });
                assert!(is_broken && refused.to_string().contains("put aside"), "{refused}");
            }
            Thing::Sensor => assert!(fault.is_some_and(|fault| fault.contains("put aside")), "{fault:?}"),
            Thing::Action => {
                assert_eq!(posted.unwrap().enforcements, [0]);
                let asked =
                    request_execution(system.pool(), &Hints::default(), name, json!({"value": 1})).await;
                assert!(matches!(asked, Err(request::Error::PutAside(..))), "{asked:?}");
            }
            Thing::Rule => assert_eq!(posted.unwrap().enforcements, [0]),
            Thing::Pack => {
                let row = listing::find(system.pool(), Noun::Pack, name).await.unwrap().unwrap();
                assert!(row["put_aside"].as_str().unwrap().contains("`attune pack enable demo`"), "{row}");
                assert_eq!(posted.unwrap().enforcements, [1], "only what masks it has to know");
            }
        }
        let noun = Noun::ALL.into_iter().find(|noun| noun.name() == thing.name()).unwrap();
        assert!(switch(system.pool(), noun, name, true).await.unwrap().unwrap().changed);
        assert!(!switch(system.pool(), noun, name, true).await.unwrap().unwrap().changed);
        assert_eq!(system.post(vec![high(50)]).await.unwrap().enforcements, [1], "{name} is back");
    }
}
