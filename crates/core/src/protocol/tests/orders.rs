//! What a program is told, to the letter.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::*;

fn text(order: &Order<'_>) -> String {
    String::from_utf8(order.line()).unwrap()
}

fn told(inside: impl FnOnce(Brief<'_>) -> String) -> String {
    let triggers = ["demo.t".to_owned()];
    let (config, state) = (json!({"text": "two\nlines"}), json!({"n": 1}));
    let params = json!([{"trigger": "demo.t", "params": {}}]);
    inside(Brief {
        sensor: "demo.s",
        config: &config,
        state: &state,
        triggers: &triggers,
        trigger_params: &params,
    })
}

#[test]
fn a_stream_is_started_and_stopped() {
    assert_eq!(
        told(|brief| text(&Order::Start { protocol: Version, brief })),
        "{\"type\":\"start\",\"protocol\":1,\"sensor\":\"demo.s\",\"config\":{\"text\":\"two\\nlines\"},\"state\":{\"n\":1},\
         \"triggers\":[\"demo.t\"],\"trigger_params\":[{\"params\":{},\"trigger\":\"demo.t\"}]}\n"
    );
    assert_eq!(
        text(&Order::Params { trigger_params: &json!([]) }),
        "{\"type\":\"params\",\"trigger_params\":[]}\n"
    );
    assert_eq!(text(&Order::Stop), "{\"type\":\"stop\"}\n");
}

#[test]
fn a_host_is_asked() {
    let env = BTreeMap::from([("A".to_owned(), "b c".to_owned())]);
    let poll = told(|brief| text(&Order::Poll { id: 7, file: "/a/f", brief, env: &env }));
    assert!(
        poll.starts_with("{\"type\":\"poll\",\"id\":7,\"file\":\"/a/f\",\"sensor\":\"demo.s\","),
        "{poll}"
    );
    assert!(poll.ends_with(",\"env\":{\"A\":\"b c\"}}\n"), "{poll}");
    let run =
        text(&Order::Run { id: 8, action: "demo.a", file: "/a/f", params: &json!({"x": 1}), env: &env });
    assert_eq!(
        serde_json::from_str::<Value>(&run).unwrap(),
        json!({"type": "run", "id": 8, "action": "demo.a", "file": "/a/f", "params": {"x": 1}, "env": {"A": "b c"}})
    );
}

#[test]
fn a_checkpoint_gets_its_id_back_as_it_wrote_it() {
    for id in ["1.0", "12345678901234567890123", "\"\\ud800\"", "{\"b\": 1, \"a\": [null]}"] {
        let mut messages = Vec::new();
        let mut decoder = Decoder::<Stream>::default();
        let said = format!(
            "{{\"type\":\"hello\",\"protocol\":1,\"checkpoints\":true}}\n{{\"type\":\"checkpoint\",\"id\":{id}}}\n"
        );
        decoder.push(said.as_bytes(), &mut messages).unwrap();
        let Some(Message::Checkpoint { id: Some(checkpoint), .. }) = messages.pop() else { panic!("{id}") };
        assert_eq!(
            text(&Order::Ack { checkpoint: &checkpoint }),
            format!("{{\"type\":\"ack\",\"checkpoint\":{id}}}\n")
        );
    }
}
