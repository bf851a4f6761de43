//! 2026-07-28 as a server.

use crate::{accepted, answer, post, refused};
use mcpfleet_protocol::{
    Era, Revision,
    jsonrpc::Id,
    server::{Incoming, LogLevel, Notified, Operation, Request},
};

const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"c","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}"#;

const SERVED: [&str; 5] = ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

fn body(method: &str, params: &str) -> String {
    let comma = if params.is_empty() { "" } else { "," };
    format!(r#"{{"jsonrpc":"2.0","id":5,"method":"{method}","params":{{{META}{comma}{params}}}}}"#)
}

fn modern(more: &[(&str, &str)]) -> http::HeaderMap {
    post(&[&[("mcp-protocol-version", "2026-07-28")], more].concat())
}

fn request<'a>(headers: &http::HeaderMap, body: &'a str) -> Request<'a> {
    match accepted(headers, body) {
        Incoming::Request(request) => request,
        other => panic!("{other:?}"),
    }
}

fn call_headers(name: &str) -> http::HeaderMap {
    modern(&[("mcp-method", "tools/call"), ("mcp-name", name)])
}

#[test]
fn tools_list_needs_no_discover_before() {
    let body = body("tools/list", r#""cursor":"p2""#);
    let request = request(&modern(&[("mcp-method", "tools/list")]), &body);
    assert!(matches!(&request.operation, Operation::ListTools { cursor: Some(cursor) } if cursor == "p2"));
    assert_eq!((request.context.era(), request.context.revision), (Era::Modern, Revision::V2026_07_28));
    assert_eq!(request.id, Id::number(5));
}

#[test]
fn discover_is_served() {
    let body = body("server/discover", "");
    let request = request(&modern(&[("mcp-method", "server/discover")]), &body);
    assert!(matches!(request.operation, Operation::Discover));
    assert_eq!(request.meta.client_capabilities.unwrap().get(), "{}");
    assert!(request.meta.client_info.unwrap().get().contains("\"c\""));
}

#[test]
fn a_call_keeps_arguments_meta_and_input_responses_unread() {
    let params = r#""name":"t","arguments":{"n": 1.50},"inputResponses":{"a":{}},"requestState":"s""#;
    let body = body("tools/call", params);
    let request = request(&call_headers("t"), &body);
    assert!(request.params.unwrap().get().contains("1.50"));
    let Operation::CallTool(call) = request.operation else { panic!() };
    assert_eq!((&*call.name, call.arguments_json()), ("t", r#"{"n": 1.50}"#));
    assert_eq!(
        (call.input_responses.unwrap().get(), call.request_state.as_deref()),
        (r#"{"a":{}}"#, Some("s"))
    );
}

#[test]
fn log_level_and_progress_token_are_read_from_meta() {
    let more = r#""io.modelcontextprotocol/logLevel":"warning","progressToken":"p","traceparent":"00-x","#;
    let body = body("tools/list", "").replace(r#""_meta":{"#, &format!(r#""_meta":{{{more}"#));
    let meta = request(&modern(&[("mcp-method", "tools/list")]), &body).meta;
    assert_eq!((meta.log_level, meta.progress_token), (Some(LogLevel::Warning), Some(Id::string("p"))));
    assert_eq!(meta.members.get("traceparent").unwrap().get(), "\"00-x\"");
    let bad = body.replace("\"warning\"", "\"loud\"");
    assert_eq!(answer(&refused(&modern(&[("mcp-method", "tools/list")]), &bad)).1, -32602);
}

#[test]
fn a_missing_meta_key_is_32602_and_400() {
    let headers = modern(&[("mcp-method", "tools/list")]);
    for meta in [
        "",
        r#""_meta":{}"#,
        r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#,
        r#""_meta":{"io.modelcontextprotocol/clientCapabilities":{}}"#,
        r#""_meta":{"io.modelcontextprotocol/protocolVersion":20260728,"io.modelcontextprotocol/clientCapabilities":{}}"#,
        r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":[]}"#,
        r#""_meta":[]"#,
    ] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":101,"method":"tools/list","params":{{{meta}}}}}"#);
        let (status, code, answer) = answer(&refused(&headers, &body));
        assert_eq!((status, code, answer["id"].as_i64()), (400, -32602, Some(101)), "{meta}");
    }
    let without_params = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    assert_eq!(answer(&refused(&headers, without_params)).1, -32602);
}

#[test]
fn client_info_may_be_left_out() {
    let meta = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
    let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{{{meta}}}}}"#);
    assert!(request(&modern(&[("mcp-method", "tools/list")]), &body).meta.client_info.is_none());
}

#[test]
fn an_unsupported_version_is_32022_with_what_is_supported() {
    for version in ["v999.0.0", "2027-01-01", "2025-11-25", "1900-01-01"] {
        let headers = post(&[("mcp-protocol-version", version), ("mcp-method", "server/discover")]);
        let body = body("server/discover", "").replace("2026-07-28", version);
        let (status, code, answer) = answer(&refused(&headers, &body));
        assert_eq!((status, code), (400, -32022), "{version}");
        assert_eq!(answer["error"]["data"]["requested"], version);
        assert_eq!(answer["error"]["data"]["supported"], serde_json::json!(SERVED));
    }
}

#[test]
fn a_future_version_in_the_header_alone_is_unsupported() {
    let headers = post(&[("mcp-protocol-version", "2099-01-01")]);
    let (status, code, answer) =
        answer(&refused(&headers, r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#));
    assert_eq!((status, code), (400, -32022));
    assert_eq!(answer["error"]["data"]["requested"], "2099-01-01");
}

#[test]
fn version_header_and_meta_must_agree() {
    let body = body("server/discover", "").replace("2026-07-28", "v999.0.0");
    let method = ("mcp-method", "server/discover");
    for headers in
        [modern(&[method]), post(&[method]), post(&[method, ("mcp-protocol-version", "2025-11-25")])]
    {
        let (status, code, answer) = answer(&refused(&headers, &body));
        assert_eq!((status, code, answer["id"].as_i64()), (400, -32020, Some(5)));
    }
}

#[test]
fn the_method_header_must_agree_in_case_too() {
    let body = body("tools/list", "");
    for headers in
        [modern(&[]), modern(&[("mcp-method", "prompts/list")]), modern(&[("mcp-method", "TOOLS/LIST")])]
    {
        assert_eq!(answer(&refused(&headers, &body)).1, -32020);
    }
    request(&modern(&[("MCP-METHOD", "  tools/list\t")]), &body);
}

#[test]
fn the_name_header_must_agree_once_decoded() {
    let body = body("tools/call", r#""name":"Grüße""#);
    request(&call_headers("=?base64?R3LDvMOfZQ==?="), &body);
    for bad in [
        "Grusse",
        "=?base64?R3LDvMOfZQ?=",
        "=?base64?!!!!?=",
        "=?BASE64?R3LDvMOfZQ==?=",
        "Gr\u{fc}\u{df}e",
        "",
    ] {
        let (status, code, _) = answer(&refused(&call_headers(bad), &body));
        assert_eq!((status, code), (400, -32020), "{bad}");
    }
    let missing = modern(&[("mcp-method", "tools/call")]);
    assert_eq!(answer(&refused(&missing, &body)).1, -32020);
}

#[test]
fn an_encoded_plain_name_is_decoded_too() {
    let body = body("tools/call", r#""name":"echo""#);
    request(&call_headers("=?base64?ZWNobw==?="), &body);
    request(&call_headers("  echo  "), &body);
}

#[test]
fn the_name_header_is_checked_for_prompts_and_resources_as_well() {
    for (method, params) in [("prompts/get", r#""name":"p""#), ("resources/read", r#""uri":"file:///p""#)] {
        let body = body(method, params);
        let headers = modern(&[("mcp-method", method), ("mcp-name", "other")]);
        assert_eq!(answer(&refused(&headers, &body)).1, -32020, "{method}");
    }
}

#[test]
fn a_header_sent_twice_is_a_mismatch() {
    let body = body("tools/call", r#""name":"a""#);
    let twice = modern(&[("mcp-method", "tools/call"), ("mcp-name", "a"), ("mcp-name", "b")]);
    assert_eq!(answer(&refused(&twice, &body)).1, -32020);
    let twice =
        modern(&[("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/call"), ("mcp-name", "a")]);
    assert_eq!(answer(&refused(&twice, &body)).1, -32020);
}

#[test]
fn removed_and_unknown_methods_are_404() {
    for method in
        ["initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe", "no/such"]
    {
        let (status, code, answer) = answer(&refused(&modern(&[("mcp-method", method)]), &body(method, "")));
        assert_eq!((status, code, answer["id"].as_i64()), (404, -32601, Some(5)), "{method}");
    }
}

#[test]
fn bad_params_are_answered_in_band() {
    for params in [
        r#""name":5"#,
        r#""arguments":{}"#,
        r#""name":"t","arguments":[1]"#,
        r#""name":"t","requestState":1"#,
    ] {
        let (status, code, _) = answer(&refused(&call_headers("t"), &body("tools/call", params)));
        assert_eq!((status, code), (200, -32602), "{params}");
    }
    let list = refused(&modern(&[("mcp-method", "tools/list")]), &body("tools/list", r#""cursor":7"#));
    assert_eq!(list.status(), 200);
}

#[test]
fn absent_and_null_arguments_mean_none() {
    for params in [r#""name":"t""#, r#""name":"t","arguments":null"#] {
        let body = body("tools/call", params);
        let Operation::CallTool(call) = request(&call_headers("t"), &body).operation else { panic!() };
        assert_eq!(call.arguments_json(), "{}");
    }
}

#[test]
fn a_session_header_is_ignored() {
    let headers = modern(&[("mcp-method", "tools/list"), ("mcp-session-id", "abc")]);
    assert!(request(&headers, &body("tools/list", "")).context.session.is_none());
}

#[test]
fn responses_are_refused() {
    let (status, code, _) = answer(&refused(&modern(&[]), r#"{"jsonrpc":"2.0","id":1,"result":{}}"#));
    assert_eq!((status, code), (400, -32600));
}

#[test]
fn notifications_are_taken_without_meta() {
    let body = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"x"}}"#;
    let Incoming::Notification(notification) = accepted(&modern(&[]), body) else { panic!() };
    assert_eq!(notification.context.era(), Era::Modern);
    assert!(
        matches!(notification.notified, Notified::Cancelled { request_id, .. } if request_id == Id::string("x"))
    );
    assert_eq!(answer(&refused(&modern(&[("mcp-method", "notifications/other")]), body)).1, -32020);
}

#[test]
fn a_clients_own_text_is_cut_in_messages() {
    let name = "x".repeat(5000);
    let refusal = refused(&call_headers(&name), &body("tools/call", r#""name":"t""#));
    assert!(refusal.message().len() < 300);
}
