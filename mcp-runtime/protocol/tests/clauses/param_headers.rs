//! 2026-07-28, streamable HTTP, "Custom Headers from Tool Parameters".

use crate::headers;
use mcpfleet_protocol::{
    Tool,
    answer::Implementation,
    client::{Ask, AskContext, ModernPeer, Outgoing, ToolsReply},
    header::{InvalidParamHeader, MAX_PARAM_HEADERS, ParamHeader, param_headers},
    json::JsonText,
    jsonrpc::Id,
    server::check_param_headers,
};
use serde_json::{json, value::RawValue};
use std::time::{Duration, Instant};

fn schema(properties: &serde_json::Value) -> JsonText {
    JsonText::from(&json!({"type": "object", "properties": properties}))
}

fn found() -> Vec<ParamHeader> {
    let properties = json!({
        "region": {"type": "string", "x-mcp-header": "Region"},
        "page": {"type": "object", "properties": {"size": {"type": "integer", "x-mcp-header": "Page-Size"}}},
        "dry": {"type": "boolean", "x-mcp-header": "Dry"},
        "x-mcp-header": {"type": "string", "default": {"x-mcp-header": "data, no annotation"}},
    });
    param_headers(&schema(&properties)).unwrap()
}

fn sent(arguments: &str) -> Outgoing {
    let client = Implementation::new("c", "1");
    let peer = ModernPeer { client, capabilities: JsonText::empty_object(), log_level: None };
    let call = Ask::CallTool { name: "t", arguments };
    peer.ask(&Id::number(1), &call, &AskContext::default()).with_param_headers(&found(), arguments)
}

fn header(outgoing: &Outgoing, name: &str) -> Option<String> {
    outgoing.headers.get(name).map(|value| value.to_str().unwrap().to_owned())
}

#[test]
fn annotated_parameters_are_mirrored_at_any_depth_of_properties() {
    let outgoing = sent(r#"{"region":"us-west1","page":{"size":42},"dry":false}"#);
    assert_eq!(header(&outgoing, "mcp-param-region").as_deref(), Some("us-west1"));
    assert_eq!(header(&outgoing, "mcp-param-page-size").as_deref(), Some("42"));
    assert_eq!(header(&outgoing, "mcp-param-dry").as_deref(), Some("false"));
}

#[test]
fn null_absent_and_mistyped_values_are_not_mirrored() {
    let outgoing = sent(r#"{"region":null,"page":{"size":9007199254740993},"dry":"yes"}"#);
    for name in ["mcp-param-region", "mcp-param-page-size", "mcp-param-dry"] {
        assert_eq!(header(&outgoing, name), None, "{name}");
    }
}

#[test]
fn unsafe_values_are_encoded() {
    let outgoing = sent(r#"{"region":"Hello, 世界"}"#);
    assert_eq!(header(&outgoing, "mcp-param-region").as_deref(), Some("=?base64?SGVsbG8sIOS4lueVjA==?="));
}

#[test]
fn annotations_against_the_rules_are_refused() {
    use InvalidParamHeader::{Name, Twice, Type, Unreachable};
    let text = json!({"type": "string", "x-mcp-header": "A"});
    for (properties, error) in [
        (json!({"a": {"type": "string", "x-mcp-header": ""}}), Name("\"\"".into())),
        (json!({"a": {"type": "string", "x-mcp-header": "a b"}}), Name("\"a b\"".into())),
        (json!({"a": {"type": "string", "x-mcp-header": 1}}), Name("1".into())),
        (json!({"a": {"type": "number", "x-mcp-header": "A"}}), Type("mcp-param-a".into())),
        (json!({"a": text, "b": {"type": "string", "x-mcp-header": "a"}}), Twice("mcp-param-a".into())),
        (json!({"a": {"type": "array", "items": text}}), Unreachable),
        (json!({"a": {"anyOf": [{"properties": {"b": text}}]}}), Unreachable),
        (json!({"a": {"$defs": {"d": text}}}), Unreachable),
    ] {
        assert_eq!(param_headers(&schema(&properties)), Err(error), "{properties}");
    }
    let root = JsonText::from(&json!({"type": "object", "x-mcp-header": "A"}));
    assert_eq!(param_headers(&root), Err(Unreachable));
}

#[test]
fn a_modern_tool_with_a_bad_annotation_is_left_out_and_a_legacy_one_is_not() {
    let tool = Tool::new("t", schema(&json!({"a": {"type": "number", "x-mcp-header": "A"}})));
    let tool = tool.write(mcpfleet_protocol::Revision::LATEST_MODERN);
    let read = |more: &str| {
        let result = RawValue::from_string(format!("{{{more}\"tools\":[{}]}}", tool.as_str())).unwrap();
        ToolsReply::read(&result).unwrap()
    };
    assert_eq!(read(r#""resultType":"complete","#).left_out.len(), 1);
    assert_eq!(read("").tools.len(), 1);
}

fn check(header: &[(&str, &str)], arguments: &str) -> Option<u16> {
    check_param_headers(&headers(header), &found(), arguments, &Id::number(1))
        .err()
        .map(|r| r.status().as_u16())
}

#[test]
fn a_server_refuses_a_header_that_disagrees_or_is_missing() {
    let region = r#"{"region":"us"}"#;
    for (header, arguments) in [
        (vec![], region),
        (vec![("mcp-param-region", "eu")], region),
        (vec![("mcp-param-region", "=?base64?***?=")], region),
        (vec![("mcp-param-region", "us"), ("mcp-param-region", "us")], region),
        (vec![("mcp-param-page-size", "43")], r#"{"page":{"size":42}}"#),
    ] {
        assert_eq!(check(&header, arguments), Some(400), "{header:?}");
    }
}

#[test]
fn a_server_takes_equal_numbers_and_expects_nothing_for_null() {
    assert_eq!(check(&[("mcp-param-page-size", "42.0")], r#"{"page":{"size":42}}"#), None);
    assert_eq!(check(&[("mcp-param-region", "=?base64?dXM=?=")], r#"{"region":"us"}"#), None);
    assert_eq!(check(&[("mcp-param-region", "ignored")], r#"{"region":null}"#), None);
    assert_eq!(check(&[], "{}"), None);
}

fn annotated(count: usize) -> Result<Vec<ParamHeader>, InvalidParamHeader> {
    let property = |n| (format!("p{n}"), json!({"type": "string", "x-mcp-header": format!("P{n}")}));
    let properties: serde_json::Map<_, _> = (0..count).map(property).collect();
    param_headers(&schema(&json!({"in": {"type": "object", "properties": properties}})))
}

#[test]
fn a_tool_with_too_many_annotated_parameters_is_refused() {
    assert_eq!(annotated(MAX_PARAM_HEADERS).map(|found| found.len()), Ok(MAX_PARAM_HEADERS));
    assert_eq!(annotated(MAX_PARAM_HEADERS + 1), Err(InvalidParamHeader::TooMany));
}

/// The shortest of a few runs, so that a busy machine does not fail the test.
fn shortest(work: impl Fn()) -> Duration {
    let timed = |_| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    (0..5).map(timed).min().unwrap()
}

#[test]
fn arguments_are_read_once_for_all_parameters() {
    let arguments = format!(r#"{{"in":{{"filler":"{}"}}}}"#, "x".repeat(4 << 20));
    let check = |params: &[ParamHeader]| {
        check_param_headers(&headers(&[]), params, &arguments, &Id::number(1)).unwrap();
    };
    let all = annotated(MAX_PARAM_HEADERS).unwrap();
    let (one, many) = (shortest(|| check(&all[..1])), shortest(|| check(&all)));
    assert!(many < one * 8, "one parameter {one:?}, {MAX_PARAM_HEADERS} parameters {many:?}");
}
