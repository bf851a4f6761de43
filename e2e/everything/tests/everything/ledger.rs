//! The ledger counts what really happened.

use crate::client::{modern, server, server_with_pages};
use mcpfleet_everything::Era;
use serde_json::{Value, json};
use std::num::NonZeroUsize;

#[tokio::test]
async fn two_rounds_are_one_call() {
    let server = server(Era::Modern).await;
    let first = server.modern("tools/call", json!({ "name": "ask_twice" })).await;
    let first = &first.message["result"];
    assert_eq!(first["resultType"], "input_required");

    let answer = |name: &str| json!({ "action": "accept", "content": { "name": name } });
    let retry = |key: &str, name: &str, state: &Value| json!({ "name": "ask_twice", "inputResponses": { key: answer(name) }, "requestState": state });
    let second = server.modern("tools/call", retry("first", "Ada", &first["requestState"])).await;
    let second = &second.message["result"];
    assert!(second["inputRequests"]["second"].is_object(), "{second}");
    assert_ne!(second["requestState"], first["requestState"]);

    let done = server.modern("tools/call", retry("second", "Grace", &second["requestState"])).await;
    assert_eq!(done.message["result"]["content"][0]["text"], r#""Ada" and "Grace""#);

    let ledger = server.ledger().await;
    let expected =
        json!({ "began": 1, "resumed": 2, "asked": 2, "finished": 1, "refused": 0, "cancelled": 0 });
    assert_eq!(ledger["tools"]["ask_twice"], expected);
    assert_eq!(ledger["sessions"]["stateless"]["ask_twice"], expected);
    assert_eq!(ledger["answers"]["ask_twice"], json!([answer("Ada"), answer("Grace")]));
}

#[tokio::test]
async fn a_forged_state_begins_nothing() {
    let server = server(Era::Modern).await;
    let forged = json!({ "name": "ask_twice", "requestState": "forged", "inputResponses": {} });
    assert_eq!(server.modern("tools/call", forged).await.message["error"]["code"], -32602);
    assert_eq!(server.ledger().await["tools"], json!({}));
}

#[tokio::test]
async fn a_session_lives_until_it_is_deleted() {
    let server = server(Era::Legacy).await;
    let session = server.session().await;
    let params = json!({ "name": "ledger_echo", "arguments": { "key": "k" } });
    let call = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params });
    assert_eq!(server.legacy(Some(&session), &call).await.message["result"]["content"][0]["text"], "1");
    assert_eq!(server.legacy(Some(&session), &call).await.message["result"]["content"][0]["text"], "2");

    let ledger = server.ledger().await;
    assert_eq!(ledger["initialize"], 1);
    assert_eq!(ledger["liveSessions"], json!([session]));
    assert_eq!(ledger["keys"]["k"], 2);
    assert_eq!(ledger["sessions"][&session]["ledger_echo"]["finished"], 2);

    let delete = format!("mcp-session-id: {session}\r\n");
    assert!(server.request("DELETE", "/mcp", &delete, "").await.status < 300);
    assert_eq!(server.ledger().await["liveSessions"], json!([]));
    assert_eq!(server.legacy(Some(&session), &call).await.status, 404);
}

#[tokio::test]
async fn a_modern_client_that_goes_away_cancels() {
    let server = server(Era::Modern).await;
    let (headers, body) = modern("tools/call", json!({ "name": "slow", "arguments": { "ms": 3_600_000 } }));
    let stream = server.send("POST", "/mcp", &headers, &body).await;
    server.until("/tools/slow/began", &json!(1)).await;
    drop(stream);
    server.until("/tools/slow/cancelled", &json!(1)).await;
}

#[tokio::test]
async fn pages_hold_every_tool_once() {
    let whole = server(Era::Modern).await.modern("tools/list", json!({})).await;
    let paged = server_with_pages(Era::Modern, NonZeroUsize::new(7)).await;
    let mut tools = Vec::new();
    let mut params = json!({});
    loop {
        let page = paged.modern("tools/list", params).await.message["result"].clone();
        tools.extend(page["tools"].as_array().expect("tools").clone());
        match page["nextCursor"].as_str() {
            Some(cursor) => params = json!({ "cursor": cursor }),
            None => break,
        }
    }
    assert_eq!(Value::from(tools), whole.message["result"]["tools"]);
    let unknown = paged.modern("tools/list", json!({ "cursor": "nowhere" })).await;
    assert_eq!(unknown.message["error"]["code"], -32602);
}
