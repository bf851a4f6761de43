//! 2025-11-25 as a server.

use crate::{accepted, answer, post, refused};
use mcpfleet_protocol::{
    Era, Revision,
    jsonrpc::{Id, Outcome},
    server::{Incoming, Notified, Operation, Request},
};

fn legacy(more: &[(&str, &str)]) -> http::HeaderMap {
    post(&[&[("mcp-protocol-version", "2025-11-25"), ("mcp-session-id", "s-1")], more].concat())
}

fn request<'a>(headers: &http::HeaderMap, body: &'a str) -> Request<'a> {
    match accepted(headers, body) {
        Incoming::Request(request) => request,
        other => panic!("{other:?}"),
    }
}

fn initialize(version: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":0,"method":"initialize","params":{{"protocolVersion":"{version}","capabilities":{{"roots":{{}}}},"clientInfo":{{"name":"c","version":"1"}}}}}}"#
    )
}

#[test]
fn initialize_echoes_a_served_version_and_else_offers_the_latest_legacy() {
    for (asked, negotiated) in [
        ("2025-11-25", Revision::V2025_11_25),
        ("2025-06-18", Revision::V2025_06_18),
        ("2025-03-26", Revision::V2025_03_26),
        ("2024-11-05", Revision::V2024_11_05),
        ("1.0.0", Revision::V2025_11_25),
        ("2026-07-28", Revision::V2025_11_25),
        ("2099-01-01", Revision::V2025_11_25),
    ] {
        let body = initialize(asked);
        let request = request(&post(&[]), &body);
        assert_eq!(request.context.revision, negotiated, "the answer is written in what it says");
        let Operation::Initialize(params) = request.operation else { panic!() };
        assert_eq!((&*params.requested, params.negotiated), (asked, negotiated));
        assert_eq!(params.capabilities.get(), r#"{"roots":{}}"#);
        assert!(params.client_info.get().contains("\"name\":\"c\""));
    }
}

#[test]
fn initialize_may_carry_an_older_known_version_header() {
    request(&post(&[("mcp-protocol-version", "2025-06-18")]), &initialize("2025-06-18"));
    let bad = refused(&post(&[("mcp-protocol-version", "banana")]), &initialize("2025-11-25"));
    assert_eq!(bad.status(), 400);
}

#[test]
fn initialize_without_its_params_is_invalid() {
    for gone in [r#""protocolVersion":"2025-11-25","#, r#""capabilities":{"roots":{}},"#] {
        let (status, code, body) = answer(&refused(&post(&[]), &initialize("2025-11-25").replace(gone, "")));
        assert_eq!((status, code, body["id"].as_i64()), (200, -32602, Some(0)), "{gone}");
    }
}

#[test]
fn an_invalid_or_unsupported_version_header_is_400() {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}"#;
    for version in ["invalid-protocol-version", "2000-01-01", "2099-01-01", "2025-06-19", ""] {
        let refusal = refused(&post(&[("mcp-protocol-version", version)]), body);
        assert_eq!(refusal.status(), 400, "{version}");
    }
    let refusal = refused(&post(&[("mcp-protocol-version", "2000-01-01")]), body);
    assert!(refusal.message().contains("2025-11-25"), "it says what is served");
}

#[test]
fn without_a_version_header_the_message_is_legacy() {
    let request = request(&post(&[]), r#"{"jsonrpc":"2.0","id":"a","method":"ping"}"#);
    assert!(matches!(request.operation, Operation::Ping));
    assert_eq!(request.context.era(), Era::Legacy);
}

#[test]
fn the_session_is_handed_on_and_one_that_cannot_be_is_none() {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    assert_eq!(request(&legacy(&[]), body).context.session.unwrap().as_str(), "s-1");
    for bad in ["", "has space", "t\u{e9}l\u{e9}"] {
        assert!(request(&post(&[("mcp-session-id", bad)]), body).context.session.is_none(), "{bad:?}");
    }
}

#[test]
fn a_session_id_never_shows_in_debug_output() {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    assert!(!format!("{:?}", accepted(&legacy(&[]), body)).contains("s-1"));
}

#[test]
fn modern_headers_are_not_asked_of_legacy_clients() {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{"a":1},"_meta":{"progressToken":3}}}"#;
    let request = request(&legacy(&[("mcp-method", "else"), ("mcp-name", "else")]), body);
    assert_eq!(request.meta.progress_token, Some(Id::number(3)));
    assert!(matches!(request.operation, Operation::CallTool(call) if call.name == "t"));
}

#[test]
fn unknown_methods_are_answered_in_band() {
    for method in ["server/discover", "subscriptions/listen", "tasks/get", "no/such", "Tools/List"] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":2,"method":"{method}"}}"#);
        let (status, code, _) = answer(&refused(&legacy(&[]), &body));
        assert_eq!((status, code), (200, -32601), "{method}");
    }
}

fn notified(body: &str) -> Notified<'_> {
    match accepted(&legacy(&[]), body) {
        Incoming::Notification(notification) => notification.notified,
        other => panic!("{other:?}"),
    }
}

#[test]
fn notifications_are_read() {
    let initialized = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    assert!(matches!(notified(initialized), Notified::Initialized));
    let cancelled =
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7,"reason":"r"}}"#;
    let Notified::Cancelled { request_id, reason } = notified(cancelled) else { panic!() };
    assert_eq!((request_id, reason.as_deref()), (Id::number(7), Some("r")));
    let progress =
        r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1,"progressToken":"p"}}"#;
    assert!(matches!(notified(progress), Notified::Progress { token, .. } if token == Id::string("p")));
    let roots = r#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#;
    assert!(matches!(notified(roots), Notified::RootsListChanged));
    let other = r#"{"jsonrpc":"2.0","method":"notifications/new"}"#;
    assert!(matches!(notified(other), Notified::Other { method } if method == "notifications/new"));
}

#[test]
fn a_cancellation_of_nothing_is_400_without_an_id() {
    let (status, _, body) =
        answer(&refused(&legacy(&[]), r#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#));
    assert_eq!((status, body.get("id")), (400, None));
}

#[test]
fn posted_responses_are_taken() {
    let body = r#"{"jsonrpc":"2.0","id":"srv-1","result":{"action":"accept"}}"#;
    let Incoming::Response(response) = accepted(&legacy(&[]), body) else { panic!() };
    assert!(matches!(response.outcome, Outcome::Result(result) if result.get().contains("accept")));
    assert_eq!(response.id, Some(Id::string("srv-1")));
}

#[test]
fn malformed_bodies_are_400() {
    for (body, code) in [("{", -32700), ("[]", -32600), ("{}", -32600), (r#"{"a":1,"a":2}"#, -32600)] {
        let (status, found, answer) = answer(&refused(&legacy(&[]), body));
        assert_eq!((status, found, answer.get("id")), (400, code, None), "{body}");
    }
}
