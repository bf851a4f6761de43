//! Results, in the shape of each era.

use crate::value;
use mcpfleet_protocol::{
    Revision, ServerCapabilities, Tool, ToolError,
    answer::{
        CachePolicy, CacheScope, CallResult, Content, Implementation, ListChanges, ServerIdentity, ToolsPage,
        discover, initialize, list_tools, pong,
    },
    json::JsonText,
};
use serde_json::{json, value::RawValue};

const LEGACY: Revision = Revision::V2025_11_25;
const MODERN: Revision = Revision::V2026_07_28;

fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

fn server() -> Implementation {
    Implementation::new("support", "0.1.0")
}

fn identity() -> ServerIdentity {
    ServerIdentity {
        info: server(),
        capabilities: ServerCapabilities::tools_only(ListChanges::Announced),
        instructions: Some("be \"kind\"".into()),
    }
}

const CACHE: CachePolicy = CachePolicy { ttl_ms: 5000, scope: CacheScope::Private };

#[test]
fn initialize_result_has_the_shape_of_2025_11_25() {
    let result = value(initialize(&identity(), Revision::V2025_11_25).as_str());
    let want = json!({
        "protocolVersion": "2025-11-25",
        "capabilities": {"tools": {"listChanged": true}},
        "serverInfo": {"name": "support", "version": "0.1.0"},
        "instructions": "be \"kind\"",
    });
    assert_eq!(result, want);
}

#[test]
fn discover_result_has_the_shape_of_2026_07_28() {
    let result = value(discover(&identity(), CACHE).as_str());
    let want = json!({
        "resultType": "complete",
        "supportedVersions": ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"],
        "capabilities": {"tools": {"listChanged": true}},
        "instructions": "be \"kind\"",
        "ttlMs": 5000,
        "cacheScope": "private",
        "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "support", "version": "0.1.0"}},
    });
    assert_eq!(result, want);
}

#[test]
fn a_server_without_notification_streams_announces_no_changes() {
    let silent = ServerCapabilities::tools_only(ListChanges::Silent);
    assert_eq!(silent.write(Revision::V2025_11_25).as_str(), r#"{"tools":{}}"#);
}

#[test]
fn ping_is_answered_with_an_empty_object() {
    assert_eq!(pong().as_str(), "{}");
}

fn tool() -> Tool {
    let text = r#"{"name":"t","title":"T","description":"d","inputSchema":{"type":"object","x":1.0},
        "outputSchema":{"type":"array"},"annotations":{"readOnlyHint":true},"icons":[{"src":"data:,"}],
        "execution":{"taskSupport":"optional"},"_meta":{"ui":{"resourceUri":"ui://x"}}}"#;
    Tool::read(&raw(text)).unwrap()
}

#[test]
fn a_tool_keeps_what_is_not_known_by_name() {
    let written = value(tool().write(MODERN).as_str());
    assert_eq!(written["icons"][0]["src"], "data:,");
    assert_eq!(written["execution"]["taskSupport"], "optional");
    assert_eq!(written["_meta"]["ui"]["resourceUri"], "ui://x");
    assert!(tool().input_schema.as_str().contains("1.0"), "schemas are not rewritten");
    assert_eq!(Tool::read(&raw(tool().write(MODERN).as_str())).unwrap(), tool());
}

#[test]
fn legacy_clients_get_no_output_schema_of_another_type_than_object() {
    assert!(value(tool().write(LEGACY).as_str()).get("outputSchema").is_none());
    assert_eq!(value(tool().write(MODERN).as_str())["outputSchema"]["type"], "array");
    let object = Tool { output_schema: Some(JsonText::parse(br#"{"type":"object"}"#).unwrap()), ..tool() };
    assert_eq!(value(object.write(LEGACY).as_str())["outputSchema"]["type"], "object");
}

#[test]
fn a_malformed_tool_is_told_by_name_and_member() {
    assert_eq!(Tool::read(&raw("{}")), Err(ToolError::NoName));
    assert_eq!(Tool::read(&raw("7")), Err(ToolError::NoName));
    for (text, member) in [
        (r#"{"name":"t"}"#, "inputSchema"),
        (r#"{"name":"t","inputSchema":{"type":"string"}}"#, "inputSchema"),
        (r#"{"name":"t","inputSchema":{"type":"object"},"description":1}"#, "description"),
        (r#"{"name":"t","inputSchema":{"type":"object"},"_meta":[]}"#, "_meta"),
    ] {
        assert_eq!(Tool::read(&raw(text)), Err(ToolError::Member { name: "t".into(), member }), "{text}");
    }
}

#[test]
fn tools_list_has_the_shape_of_each_era() {
    let tools = [Tool::new("a", JsonText::parse(br#"{"type":"object"}"#).unwrap())];
    let server = server();
    let page = ToolsPage { tools: &tools, next_cursor: Some("c"), cache: CACHE, server: &server };
    let listed = json!([{"name": "a", "inputSchema": {"type": "object"}}]);
    let legacy = value(list_tools(&page, LEGACY).as_str());
    assert_eq!(legacy, json!({"tools": listed, "nextCursor": "c"}));
    let modern = value(list_tools(&ToolsPage { next_cursor: None, ..page }, MODERN).as_str());
    let meta = json!({"io.modelcontextprotocol/serverInfo": {"name": "support", "version": "0.1.0"}});
    let want = json!({"resultType": "complete", "tools": listed, "ttlMs": 5000, "cacheScope": "private", "_meta": meta});
    assert_eq!(modern, want);
}

#[test]
fn a_call_result_has_the_shape_of_each_era() {
    let result = CallResult::text("hi\u{1}");
    let legacy = value(result.write(LEGACY, &server()).as_str());
    assert_eq!(legacy, json!({"content": [{"type": "text", "text": "hi\u{1}"}]}));
    let modern = value(result.write(MODERN, &server()).as_str());
    assert_eq!((&modern["resultType"], &modern["content"]), (&json!("complete"), &legacy["content"]));
}

#[test]
fn a_failed_call_says_so() {
    for revision in Revision::KNOWN {
        assert_eq!(value(CallResult::failed("no").write(revision, &server()).as_str())["isError"], true);
    }
}

#[test]
fn structured_content_goes_with_its_text_and_only_objects_go_to_legacy_clients() {
    let object = CallResult::structured(JsonText::parse(br#"{"n":1}"#).unwrap());
    let written = value(object.write(LEGACY, &server()).as_str());
    assert_eq!(
        (&written["structuredContent"], &written["content"][0]["text"]),
        (&json!({"n": 1}), &json!("{\"n\":1}"))
    );
    let list = CallResult::structured(JsonText::parse(b"[1]").unwrap());
    assert!(value(list.write(LEGACY, &server()).as_str()).get("structuredContent").is_none());
    assert_eq!(value(list.write(MODERN, &server()).as_str())["structuredContent"], json!([1]));
}

#[test]
fn other_content_blocks_pass_as_they_are() {
    let block = JsonText::parse(br#"{"type":"image","data":"","mimeType":"image/png"}"#).unwrap();
    let result = CallResult { content: vec![Content::Block(block)], ..CallResult::text("") };
    assert_eq!(value(result.write(LEGACY, &server()).as_str())["content"][0]["mimeType"], "image/png");
}
