//! JSON-RPC batches: 2025-03-26 only.

use crate::{post, value};
use mcpfleet_protocol::{
    Revision,
    jsonrpc::{Id, MAX_BATCH, batch, success},
    server::{Incoming, Notified, Operation, Posted, Reason, Refusal, accept, accept_message, accept_post},
};

const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
const LIST: &str = r#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#;
const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
const MODERN: &str = r#"{"jsonrpc":"2.0","id":9,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#;

fn array(messages: &[&str]) -> String {
    format!("[{}]", messages.join(","))
}

fn batched<'a>(headers: &http::HeaderMap, body: &'a str) -> Vec<Result<Incoming<'a>, Refusal>> {
    match accept_post(headers, body.as_bytes()) {
        Ok(Posted::Batch(messages)) => messages,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_message_of_a_batch_is_read_by_itself() {
    let body = array(&[PING, "7", INITIALIZED, LIST]);
    for headers in [post(&[]), post(&[("mcp-protocol-version", "2025-03-26")])] {
        let messages = batched(&headers, &body);
        assert!(matches!(&messages[0], Ok(Incoming::Request(r)) if matches!(r.operation, Operation::Ping)));
        assert_eq!(messages[1].as_ref().unwrap_err().reason(), Reason::InvalidRequest);
        assert!(
            matches!(&messages[2], Ok(Incoming::Notification(n)) if matches!(n.notified, Notified::Initialized))
        );
        assert!(matches!(&messages[3], Ok(Incoming::Request(r)) if r.id == Id::number(2)));
        let Ok(Incoming::Request(first)) = &messages[0] else { panic!() };
        assert_eq!(first.context.revision, Revision::WITH_BATCHES);
    }
}

#[test]
fn a_batch_of_another_revision_is_refused_as_a_whole() {
    for version in ["2024-11-05", "2025-06-18", "2025-11-25", "2026-07-28"] {
        let headers = post(&[("mcp-protocol-version", version)]);
        let refusal = accept_post(&headers, array(&[PING]).as_bytes()).unwrap_err();
        assert_eq!((refusal.status().as_u16(), refusal.reason()), (400, Reason::InvalidRequest), "{version}");
    }
}

#[test]
fn a_message_that_claims_another_revision_is_refused_alone() {
    let body = array(&[PING, MODERN]);
    let messages = batched(&post(&[]), &body);
    assert!(messages[0].is_ok());
    assert!(messages[1].is_err(), "{messages:?}");
    let body = array(&[PING, MODERN]);
    let Ok(Posted::Batch(messages)) = accept_message(body.as_bytes(), Some(Revision::WITH_BATCHES)) else {
        panic!()
    };
    assert_eq!(messages[1].as_ref().unwrap_err().reason(), Reason::InvalidRequest);
}

#[test]
fn initialize_and_repeated_ids_are_refused() {
    let initialize = r#"{"jsonrpc":"2.0","id":3,"method":"initialize","params":{"protocolVersion":"2025-03-26","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#;
    let body = array(&[initialize, PING, PING]);
    let messages = batched(&post(&[]), &body);
    assert!(messages[0].as_ref().unwrap_err().message().contains("initialize"));
    assert!(messages[1].is_ok());
    assert!(messages[2].as_ref().unwrap_err().message().contains("same id"));
}

#[test]
fn a_batch_is_bounded_and_not_empty() {
    let full = array(&vec![INITIALIZED; MAX_BATCH]);
    assert_eq!(batched(&post(&[]), &full).len(), MAX_BATCH);
    for bad in [array(&vec![INITIALIZED; MAX_BATCH + 1]), "[]".to_owned()] {
        assert_eq!(accept_post(&post(&[]), bad.as_bytes()).unwrap_err().status(), 400);
    }
}

/// JSON-RPC 2.0, sections 4.1 and 5; 2025-11-25, schema, `JSONRPCErrorResponse`.
#[test]
fn an_error_without_a_readable_id_is_written_as_its_revision_has_it() {
    let refused = |body: &str| accept_message(body.as_bytes(), None).map(drop).unwrap_err();
    for unread in ["{", r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, r#"{"jsonrpc":"2.0"}"#] {
        let why = refused(unread);
        for revision in Revision::KNOWN {
            let message = value(why.message_in(Some(revision)).unwrap());
            let id = (revision <= Revision::V2025_06_18).then_some(&serde_json::Value::Null);
            assert_eq!(
                (message.get("id"), message["error"]["code"].is_i64()),
                (id, true),
                "{revision} {unread}"
            );
        }
        assert_eq!(value(why.message_in(None).unwrap()).get("id"), None);
        assert_eq!(value(why.body()).get("id"), None, "as the body of a refused POST");
    }
    let notification = refused(r#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#);
    assert_eq!(notification.message_in(Some(Revision::V2024_11_05)), None);
    let known = refused(r#"{"jsonrpc":"2.0","id":7,"method":4}"#);
    assert_eq!(value(known.message_in(Some(Revision::V2024_11_05)).unwrap())["id"], 7);
}

#[test]
fn where_one_message_is_due_a_batch_is_refused() {
    let body = array(&[PING]);
    assert!(accept(&post(&[]), body.as_bytes()).unwrap_err().message().contains("batches"));
    assert!(matches!(accept_post(&post(&[]), PING.as_bytes()), Ok(Posted::One(Incoming::Request(_)))));
}

#[test]
fn a_line_may_be_a_batch_once_that_is_negotiated() {
    let body = array(&[PING]);
    assert!(matches!(
        accept_message(body.as_bytes(), Some(Revision::V2025_03_26)),
        Ok(Posted::Batch(messages)) if messages.len() == 1
    ));
    for negotiated in
        [None, Some(Revision::V2024_11_05), Some(Revision::V2025_11_25), Some(Revision::V2026_07_28)]
    {
        assert!(accept_message(body.as_bytes(), negotiated).is_err(), "{negotiated:?}");
    }
}

#[test]
fn answers_are_one_array() {
    let pong = mcpfleet_protocol::answer::pong();
    let one = success(&Id::number(1), &pong);
    let both = value(batch(&[one.clone(), success(&Id::string("b"), &pong)]));
    assert_eq!((both[0]["id"].as_i64(), both[1]["id"].as_str()), (Some(1), Some("b")));
    assert_eq!(value(batch(&[one])).as_array().unwrap().len(), 1);
}
