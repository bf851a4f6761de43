//! Notification streams, frame by frame.

use crate::{accepted, answer, headers, post, refused};
use mcpfleet_protocol::{
    Era, Revision, Subscription,
    answer::Implementation,
    jsonrpc::Id,
    server::{Incoming, Listen, Operation, Refusal, Request, Wanted, accept_get},
};

const NOTHING: Listen =
    Listen { tools: Wanted::No, prompts: Wanted::No, resources: Wanted::No, updates: Vec::new() };
const TOOLS: Listen =
    Listen { tools: Wanted::Yes, prompts: Wanted::No, resources: Wanted::No, updates: Vec::new() };

fn text(frame: impl AsRef<[u8]>) -> String {
    String::from_utf8(frame.as_ref().to_vec()).unwrap()
}

fn server() -> Implementation {
    Implementation::new("agents/support", "0.1.0")
}

#[test]
fn a_legacy_stream_says_that_the_list_has_changed_and_just_ends() {
    let stream = Subscription::legacy();
    assert!(stream.carries_tools());
    assert_eq!(text(stream.opening()), ":\r\n\r\n");
    assert_eq!(
        text(stream.tools_changed()),
        "event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n\n"
    );
    assert_eq!(stream.closing(&server()), None);
}

#[test]
fn a_modern_stream_is_acknowledged_first_and_ended_by_the_empty_response() {
    let stream = Subscription::modern(&Id::number(1), TOOLS);
    assert!(stream.carries_tools());
    assert_eq!(
        text(stream.opening()),
        "event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/acknowledged\",\"params\":\
         {\"_meta\":{\"io.modelcontextprotocol/subscriptionId\":1},\"notifications\":{\"toolsListChanged\":true}}}\n\n"
    );
    assert_eq!(
        text(stream.tools_changed()),
        "event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\",\"params\":\
         {\"_meta\":{\"io.modelcontextprotocol/subscriptionId\":1}}}\n\n"
    );
    assert_eq!(
        text(stream.closing(&server()).unwrap()),
        "event: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"resultType\":\"complete\",\"_meta\":\
         {\"io.modelcontextprotocol/serverInfo\":{\"name\":\"agents/support\",\"version\":\"0.1.0\"},\
         \"io.modelcontextprotocol/subscriptionId\":1}}}\n\n"
    );
}

#[test]
fn the_subscriptions_id_keeps_its_type() {
    let stream = Subscription::modern(&Id::string("1"), TOOLS);
    for frame in [stream.opening(), stream.tools_changed(), stream.closing(&server()).unwrap()] {
        assert!(text(frame).contains("\"io.modelcontextprotocol/subscriptionId\":\"1\""));
    }
}

#[test]
fn what_is_not_honoured_is_not_acknowledged() {
    let stream = Subscription::modern(&Id::number(1), NOTHING);
    assert!(!stream.carries_tools());
    assert!(text(stream.opening()).contains("\"notifications\":{}"));
}

#[test]
fn a_keep_alive_is_a_comment() {
    assert_eq!(text(Subscription::keep_alive()), ":\r\n\r\n");
}

const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

fn listen(params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":"s","method":"subscriptions/listen","params":{{{META}{params}}}}}"#)
}

fn modern() -> http::HeaderMap {
    post(&[("mcp-protocol-version", "2026-07-28"), ("mcp-method", "subscriptions/listen")])
}

#[test]
fn every_kind_of_notification_can_be_asked_for() {
    for (filter, wanted) in [
        (r#"{"toolsListChanged":true}"#, TOOLS),
        (
            r#"{"resourceSubscriptions":["file:///a"],"promptsListChanged":true,"toolsListChanged":true,"new":1}"#,
            Listen { prompts: Wanted::Yes, updates: vec!["file:///a".to_owned()], ..TOOLS },
        ),
        (
            r#"{"toolsListChanged":false,"resourcesListChanged":true}"#,
            Listen { resources: Wanted::Yes, ..NOTHING },
        ),
        (r#"{"toolsListChanged":null}"#, NOTHING),
        ("{}", NOTHING),
    ] {
        let body = listen(&format!(r#","notifications":{filter}"#));
        let Incoming::Request(Request { id, operation, .. }) = accepted(&modern(), &body) else { panic!() };
        assert_eq!(id, Id::string("s"));
        assert_eq!(operation.method(), "subscriptions/listen");
        assert!(matches!(operation, Operation::Listen(listen) if listen == wanted), "{filter}");
    }
}

#[test]
fn a_filter_that_cannot_be_read_is_invalid() {
    for filter in [
        "",
        r#","notifications":null"#,
        r#","notifications":[]"#,
        r#","notifications":{"toolsListChanged":"yes"}"#,
        r#","notifications":{"promptsListChanged":1}"#,
        r#","notifications":{"resourcesListChanged":[]}"#,
        r#","notifications":{"resourceSubscriptions":"file:///a"}"#,
        r#","notifications":{"resourceSubscriptions":[1]}"#,
    ] {
        let (status, code, body) = answer(&refused(&modern(), &listen(filter)));
        assert_eq!((status, code, body["id"].as_str()), (200, -32602, Some("s")), "{filter}");
        assert!(body["error"]["message"].as_str().unwrap().contains("notifications"), "{body}");
    }
}

#[test]
fn legacy_clients_have_no_such_method() {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"notifications":{}}}"#;
    let (status, code, _) = answer(&refused(&post(&[("mcp-protocol-version", "2025-11-25")]), body));
    assert_eq!((status, code), (200, -32601));
}

fn get_refused(pairs: &[(&str, &str)]) -> Refusal {
    accept_get(&headers(pairs)).expect_err("this must be refused")
}

#[test]
fn a_legacy_get_with_the_right_accept_opens_a_stream() {
    for accept in ["text/event-stream", "application/json, text/event-stream", "TEXT/Event-Stream;q=0.5"] {
        for version in [None, Some("2025-11-25")] {
            let mut pairs = vec![("accept", accept), ("mcp-session-id", "s-1"), ("last-event-id", "9")];
            pairs.extend(version.map(|version| ("mcp-protocol-version", version)));
            let context = accept_get(&headers(&pairs)).unwrap();
            let revision = version.map_or(Revision::WITHOUT_HEADER, |_| Revision::V2025_11_25);
            assert_eq!((context.era(), context.revision), (Era::Legacy, revision));
            assert_eq!(context.stated.is_some(), version.is_some());
            assert_eq!(context.session.unwrap().as_str(), "s-1");
        }
    }
}

#[test]
fn a_get_that_does_not_ask_for_a_stream_by_name_is_406() {
    for accept in ["", "*/*", "text/*", "application/json", "text/event-stream;q=0"] {
        let (status, code, body) = answer(&get_refused(&[("accept", accept)]));
        assert_eq!((status, code, body.get("id")), (406, -32600, None), "{accept}");
    }
    assert_eq!(get_refused(&[]).status(), 406);
}

#[test]
fn the_modern_era_has_no_get() {
    for version in ["2026-07-28", "2099-01-01"] {
        let refusal = get_refused(&[("accept", "text/event-stream"), ("mcp-protocol-version", version)]);
        assert_eq!((refusal.status().as_u16(), refusal.allow()), (405, Some("POST")), "{version}");
    }
}

#[test]
fn a_get_of_a_revision_that_is_not_known_is_400() {
    for version in ["2025-06-19", "2000-01-01", "latest", ""] {
        let refusal = get_refused(&[("accept", "text/event-stream"), ("mcp-protocol-version", version)]);
        assert_eq!(refusal.status(), 400, "{version}");
    }
    let twice = [
        ("accept", "text/event-stream"),
        ("mcp-protocol-version", "2025-11-25"),
        ("mcp-protocol-version", "2025-11-25"),
    ];
    assert_eq!(get_refused(&twice).status(), 400);
}
