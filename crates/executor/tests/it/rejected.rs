//! A sensor's events that can not be stored are set aside with their bytes; their neighbours go in.

use attune_executor::ingest::NewEvent;
use serde_json::json;

use crate::sensors::commit;
use crate::system::{System, high};

#[tokio::test]
async fn neighbours_of_an_unsuitable_event_go_in() {
    let system = System::with_demo().await;
    let bad = [
        NewEvent { payload: json!({"value": "text"}), ..high(0) },
        NewEvent { payload: json!({"text": "a\0b"}), ..high(0) },
        NewEvent { trigger: "demo.gone".to_owned(), ..high(0) },
    ];
    let events: Vec<_> = [high(50)].into_iter().chain(bad).chain([high(51)]).collect();
    let receipt = commit(&system, 0, events).await.unwrap();
    assert_eq!((receipt.rejected, receipt.events.iter().flatten().count()), (3, 2));
    assert_eq!(system.count("event").await, 2);
    let set_aside = "SELECT jsonb_agg(jsonb_build_array(convert_from(raw, 'UTF8')::text, split_part(reason, ':', 1)) ORDER BY id) FROM event_rejected";
    let expected = json!([
        ["{\"value\":\"text\"}", "payload"],
        ["{\"text\":\"a\\u0000b\"}", "payload"],
        ["{\"value\":0}", "there is no trigger demo.gone"],
    ]);
    assert_eq!(system.value(set_aside).await, expected);
    assert_eq!(system.value("SELECT to_jsonb(rejected) FROM sensor_state").await, 3);
}
