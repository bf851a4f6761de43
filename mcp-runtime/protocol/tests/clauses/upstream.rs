//! What we send as a client, and what we make of the answers.

use crate::{headers, value};
use http::StatusCode;
use mcpfleet_protocol::{
    Era, Revision,
    answer::Implementation,
    client::{
        AnswerForm, Ask, AskContext, Failure, FromServer, InitializeReply, LegacyPeer, ListKind, ModernPeer,
        Outgoing, Peer, ReplyError, SentSession, ToolsReply, answer_form, answer_server_request,
        classify_failure, initialize, read,
    },
    header::SessionId,
    json::JsonText,
    jsonrpc::{Id, Outcome},
    server::{Incoming, Operation, accept},
};
use serde_json::{json, value::RawValue};

fn client() -> Implementation {
    Implementation::new("mcpfleet", "0.1.0")
}

fn modern() -> ModernPeer {
    ModernPeer { client: client(), capabilities: JsonText::empty_object(), log_level: None }
}

fn legacy() -> LegacyPeer {
    LegacyPeer { revision: Revision::V2025_11_25, session: SessionId::parse("s-1") }
}

fn header<'a>(outgoing: &'a Outgoing, name: &str) -> Option<&'a str> {
    outgoing.headers.get(name).map(|value| value.to_str().unwrap())
}

fn call(name: &str) -> Ask<'_> {
    Ask::CallTool { name, arguments: r#"{"a":1}"# }
}

fn bare() -> AskContext<'static> {
    AskContext::default()
}

/// Our own server takes what our own client sends.
fn accepted(outgoing: &Outgoing) -> Incoming<'_> {
    accept(&outgoing.headers, &outgoing.body).unwrap_or_else(|refusal| panic!("{refusal:?}"))
}

fn operation(outgoing: &Outgoing, era: Era) -> Operation<'_> {
    match accepted(outgoing) {
        Incoming::Request(request) if request.context.era() == era => request.operation,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_post_accepts_both_forms() {
    for outgoing in [modern().discover(&Id::number(1)), legacy().ping(&Id::number(1)), legacy().initialized()]
    {
        assert_eq!(header(&outgoing, "accept"), Some("application/json, text/event-stream"));
        assert_eq!(header(&outgoing, "content-type"), Some("application/json"));
    }
}

#[test]
fn modern_requests_carry_version_client_and_capabilities() {
    let outgoing = modern().discover(&Id::number(1));
    let want = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "mcpfleet", "version": "0.1.0"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    assert_eq!(value(&outgoing.body)["params"]["_meta"], want);
    assert_eq!(header(&outgoing, "mcp-protocol-version"), Some("2026-07-28"));
    assert_eq!(header(&outgoing, "mcp-method"), Some("server/discover"));
    assert_eq!(header(&outgoing, "mcp-name"), None);
    assert!(matches!(operation(&outgoing, Era::Modern), Operation::Discover));
}

#[test]
fn the_name_is_encoded_only_when_needed() {
    for (name, sent) in [
        ("echo", "echo"),
        ("with space", "with space"),
        ("Grüße", "=?base64?R3LDvMOfZQ==?="),
        (" padded ", "=?base64?IHBhZGRlZCA=?="),
        ("line1\nline2", "=?base64?bGluZTEKbGluZTI=?="),
        ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="),
    ] {
        let outgoing = modern().ask(&Id::number(1), &call(name), &bare());
        assert_eq!(header(&outgoing, "mcp-name"), Some(sent));
        assert!(matches!(operation(&outgoing, Era::Modern), Operation::CallTool(call) if call.name == name));
    }
}

#[test]
fn legacy_requests_carry_version_and_session() {
    let peer = Peer::Legacy(legacy());
    let outgoing = peer.ask(&Id::number(2), &Ask::List(ListKind::Tools, Some("c")), &bare());
    assert_eq!(header(&outgoing, "mcp-protocol-version"), Some("2025-11-25"));
    assert_eq!(header(&outgoing, "mcp-session-id"), Some("s-1"));
    assert_eq!(header(&outgoing, "mcp-method"), None);
    assert!(
        matches!(operation(&outgoing, Era::Legacy), Operation::ListTools { cursor: Some(c) } if c == "c")
    );
    let delete = legacy().delete().unwrap();
    assert_eq!(delete["mcp-session-id"], "s-1");
    assert!(LegacyPeer { session: None, ..legacy() }.delete().is_none());
}

#[test]
fn initialize_carries_neither_session_nor_version_header() {
    let outgoing = initialize(&Id::number(0), &client(), &JsonText::empty_object(), Revision::V2025_11_25);
    assert_eq!(
        (header(&outgoing, "mcp-protocol-version"), header(&outgoing, "mcp-session-id")),
        (None, None)
    );
    let Operation::Initialize(params) = operation(&outgoing, Era::Legacy) else { panic!() };
    assert_eq!(params.requested, "2025-11-25");
    let initialized = legacy().initialized();
    assert_eq!(value(&initialized.body), json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
}

#[test]
fn a_cancellation_names_the_request_with_its_type() {
    let outgoing = legacy().cancelled(&Id::string("7"), "deadline");
    assert_eq!(value(&outgoing.body)["params"], json!({"requestId": "7", "reason": "deadline"}));
}

#[test]
fn a_call_hands_on_meta_but_not_the_fields_of_the_other_hop() {
    let meta = RawValue::from_string(
        r#"{"progressToken":"theirs","io.modelcontextprotocol/protocolVersion":"2026-07-28","traceparent":"00-1","x":{"y":1}}"#.into(),
    )
    .unwrap();
    let token = Id::number(9);
    let context = AskContext { progress_token: Some(&token), meta: Some(&meta), ..bare() };
    let sent = value(&legacy().ask(&Id::number(1), &call("t"), &context).body);
    assert_eq!(sent["params"]["_meta"], json!({"traceparent": "00-1", "x": {"y": 1}, "progressToken": 9}));
    assert_eq!(sent["params"]["arguments"], json!({"a": 1}));
    let sent = value(&modern().ask(&Id::number(1), &call("t"), &context).body);
    assert_eq!(
        (&sent["params"]["_meta"]["traceparent"], &sent["params"]["_meta"]["progressToken"]),
        (&json!("00-1"), &json!(9))
    );
}

#[test]
fn a_legacy_call_without_meta_sends_none() {
    let sent = value(&legacy().ask(&Id::number(1), &call("t"), &bare()).body);
    assert_eq!(sent["params"], json!({"name": "t", "arguments": {"a": 1}}));
}

#[test]
fn the_answer_is_told_by_status_and_media_type() {
    let form = |status, media: &str| answer_form(status, &headers(&[("content-type", media)]));
    assert_eq!(form(StatusCode::OK, "application/json; charset=utf-8"), AnswerForm::Json);
    assert_eq!(form(StatusCode::OK, "Text/Event-Stream"), AnswerForm::EventStream);
    assert_eq!(form(StatusCode::ACCEPTED, ""), AnswerForm::Accepted);
    assert_eq!(form(StatusCode::OK, "text/html"), AnswerForm::Foreign);
    assert_eq!(form(StatusCode::NOT_FOUND, "application/json"), AnswerForm::Failed);
}

#[test]
fn an_ended_session_is_recognised() {
    use SentSession::{No, Yes};
    let no_session = br#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: No valid session ID provided"},"id":null}"#;
    assert_eq!(classify_failure(StatusCode::NOT_FOUND, b"", Yes), Failure::SessionExpired);
    assert_eq!(classify_failure(StatusCode::BAD_REQUEST, no_session, Yes), Failure::SessionExpired);
    assert_eq!(classify_failure(StatusCode::BAD_REQUEST, no_session, No), Failure::Rpc);
    assert_eq!(
        classify_failure(StatusCode::NOT_FOUND, b"<html>", No),
        Failure::Status(StatusCode::NOT_FOUND)
    );
    assert_eq!(classify_failure(StatusCode::UNAUTHORIZED, b"", Yes), Failure::Unauthorized);
    assert_eq!(classify_failure(StatusCode::SERVICE_UNAVAILABLE, b"", Yes), Failure::Busy);
}

fn refusal(id: &str, code: i64, message: &str) -> Failure {
    let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{code},"message":"{message}"}}}}"#);
    classify_failure(StatusCode::BAD_REQUEST, body.as_bytes(), SentSession::Yes)
}

#[test]
fn what_servers_say_of_a_lost_session_is_understood() {
    for (id, code, message) in [
        ("null", -32000, "Bad Request: No valid session ID provided"),
        ("null", -32000, "Bad Request: No valid session ID or not an initialize request"),
        ("null", -32000, "Bad Request: No valid session. Send an initialize request first."),
        ("null", -32000, "Bad Request: Server not initialized"),
        ("null", -32000, "Bad Request: Mcp-Session-Id header is required"),
        ("null", -32000, "Bad Request: Unknown Mcp-Session-Id header"),
        ("null", -32001, "Session not found"),
        ("null", -32600, "Bad Request: Invalid or expired session"),
        ("\"server-error\"", -32600, "Bad Request: Missing session ID"),
    ] {
        assert_eq!(refusal(id, code, message), Failure::SessionExpired, "{message}");
    }
}

#[test]
fn a_tool_that_fails_with_400_and_speaks_of_sessions_is_not_called_twice() {
    for (id, code, message) in [
        ("null", -32602, "Session not found"),
        ("null", -32603, "Session not found"),
        ("7", -32000, "Session not found"),
        ("null", -32000, "book_session: the room is taken"),
        ("null", -32000, "Invalid session room"),
        ("null", -32000, "Unknown session type: workshop"),
        ("null", -32000, "The booking failed: session expired"),
    ] {
        assert_eq!(refusal(id, code, message), Failure::Rpc, "{message}");
    }
    for body in ["book_session failed", "Session not found", r#"{"error":"Session not found"}"#] {
        let failure = classify_failure(StatusCode::BAD_REQUEST, body.as_bytes(), SentSession::Yes);
        assert_eq!(failure, Failure::Status(StatusCode::BAD_REQUEST), "{body}");
    }
}

#[test]
fn an_answer_to_another_request_is_an_error() {
    let body = br#"{"jsonrpc":"2.0","id":"1","result":{}}"#;
    assert_eq!(read(body, &Id::number(1)).err(), Some(ReplyError::WrongId));
    assert!(matches!(read(body, &Id::string("1")), Ok(FromServer::Answer(Outcome::Result(_)))));
    assert!(matches!(read(b"oops", &Id::number(1)), Err(ReplyError::NoMessage(_))));
    let no_id = br#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"m"}}"#;
    assert!(matches!(read(no_id, &Id::number(1)), Ok(FromServer::Answer(Outcome::Error(_)))));
}

#[test]
fn requests_of_the_server_are_answered() {
    let ping = br#"{"jsonrpc":"2.0","id":"srv","method":"ping"}"#;
    let Ok(FromServer::Request { id, method, .. }) = read(ping, &Id::number(1)) else { panic!() };
    assert_eq!(
        value(answer_server_request(&id, &method)),
        json!({"jsonrpc": "2.0", "id": "srv", "result": {}})
    );
    let refused = value(answer_server_request(&Id::number(4), "sampling/createMessage"));
    assert_eq!((refused["id"].as_i64(), refused["error"]["code"].as_i64()), (Some(4), Some(-32601)));
}

fn result(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

#[test]
fn initialize_replies_are_read() {
    let text = r#"{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"},"instructions":"i"}"#;
    let raw = result(text);
    let reply = InitializeReply::read(&raw).unwrap();
    assert_eq!((reply.revision, reply.instructions.as_deref()), (Revision::V2025_06_18, Some("i")));
    for bad in [
        r#"{"protocolVersion":"1999-01-01","capabilities":{}}"#,
        r#"{"protocolVersion":"2026-07-28","capabilities":{}}"#,
    ] {
        assert_eq!(InitializeReply::read(&result(bad)).err(), Some(ReplyError::Member("protocolVersion")));
    }
    let bad = result(r#"{"protocolVersion":"2025-11-25"}"#);
    assert_eq!(InitializeReply::read(&bad).err(), Some(ReplyError::Member("capabilities")));
}

#[test]
fn one_bad_tool_does_not_spoil_the_list() {
    let text = r#"{"tools":[{"name":"a","inputSchema":{"type":"object"}},{"name":"b"},{}],"nextCursor":"n","ttlMs":10}"#;
    let reply = ToolsReply::read(&result(text)).unwrap();
    assert_eq!((reply.tools.len(), reply.left_out.len()), (1, 2));
    assert_eq!((reply.next_cursor.as_deref(), reply.ttl_ms), (Some("n"), Some(10)));
    assert!(ToolsReply::read(&result("{}")).is_err());
}

#[test]
fn a_page_of_endless_tools_is_refused() {
    let page = |count| result(&format!(r#"{{"tools":[{}]}}"#, vec!["1"; count].join(",")));
    assert_eq!(ToolsReply::read(&page(ToolsReply::MAX_TOOLS)).unwrap().left_out.len(), ToolsReply::MAX_TOOLS);
    let refused = ToolsReply::read(&page(ToolsReply::MAX_TOOLS + 1)).err();
    assert_eq!(refused, Some(ReplyError::Member("tools")));
}
