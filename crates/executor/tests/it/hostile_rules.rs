//! Rules whose templates want too much: each fails by itself, and the rule beside them fires.

use std::collections::BTreeMap;

use attune_executor::ingest::NewEvent;
use serde_json::json;

use crate::pack::TestPack;
use crate::system::{System, high};

fn hostile() -> BTreeMap<String, String> {
    let text = include_str!("../../../../corpus/templates/hostile.yaml");
    serde_saphyr::from_str(text).unwrap()
}

#[tokio::test]
async fn each_fails_with_a_reason_and_the_neighbour_fires() {
    let templates = hostile();
    let mut pack =
        TestPack::demo().with("triggers/hostile.yaml", "ref: demo.hostile\npayload_schema: {type: object}\n");
    for (name, template) in &templates {
        let name = name.replace('-', "_");
        let rule = json!({"ref": format!("demo.{name}"), "trigger": "demo.hostile", "action": "demo.tell",
            "action_params": {"value": template}});
        pack = pack.with(&format!("rules/{name}.yaml"), &rule.to_string());
    }
    let neighbour =
        "ref: demo.neighbour\ntrigger: demo.hostile\naction: demo.tell\naction_params: {value: 7}\n";
    let system = System::with(&pack.with("rules/neighbour.yaml", neighbour)).await;
    let payload = include!("../../../../corpus/templates/payload.rs");
    let event = NewEvent { trigger: "demo.hostile".to_owned(), payload, ..high(0) };
    let receipt = system.post(vec![event]).await.unwrap();

    assert_eq!(receipt.enforcements, [templates.len() + 1]);
    let fired = system
        .value("SELECT jsonb_agg(f.rule_ref) FROM enforcement f JOIN execution x ON x.enforcement = f.id")
        .await;
    assert_eq!(fired, json!(["demo.neighbour"]));
    let unexplained = "enforcement WHERE status = 'failed' AND COALESCE(reason, '') = ''";
    assert_eq!(system.count(unexplained).await, 0);
}
