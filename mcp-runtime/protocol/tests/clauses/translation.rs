//! Results and errors of an upstream for a client of another revision.

use crate::value;
use mcpfleet_protocol::{
    Era, Method, Revision,
    answer::{
        CachePolicy, CacheScope, Forward, ForwardError, Implementation, forward_result, translate_error,
        url_elicitations,
    },
    jsonrpc::{Message, Outcome, parse},
};
use serde_json::{Value, json, value::RawValue};

const CACHE: CachePolicy = CachePolicy { ttl_ms: 1000, scope: CacheScope::Public };

fn forwarded(result: &Value, method: Method, to: Revision) -> Result<Value, ForwardError> {
    let raw = RawValue::from_string(result.to_string()).unwrap();
    let server = Implementation::new("us", "1");
    let forward = Forward { method, to, server: &server, cache: CACHE };
    forward_result(&raw, &forward).map(|text| value(text.as_str()))
}

fn call(result: &Value, to: Revision) -> Value {
    forwarded(result, Method::CallTool, to).unwrap()
}

const OURS: &str = "io.modelcontextprotocol/serverInfo";

#[test]
fn every_member_is_kept_and_the_envelope_is_the_clients() {
    let upstream = json!({
        "resultType": "complete", "content": [], "structuredContent": {"n": 1.5}, "more": [1],
        "_meta": {"a": 1, OURS: {"name": "theirs", "version": "9"}},
    });
    let legacy = json!({"content": [], "structuredContent": {"n": 1.5}, "more": [1], "_meta": {"a": 1}});
    assert_eq!(call(&upstream, Revision::V2025_11_25), legacy);
    let modern = call(&legacy, Revision::V2026_07_28);
    assert_eq!(modern["resultType"], "complete");
    assert_eq!(modern["_meta"], json!({"a": 1, OURS: {"name": "us", "version": "1"}}));
    let bare = json!({"content": [], "_meta": {OURS: {"name": "theirs", "version": "9"}}});
    assert_eq!(call(&bare, Revision::V2025_11_25), json!({"content": []}));
}

#[test]
fn structured_content_becomes_text_where_it_cannot_go() {
    let list = json!({"content": [{"type": "text", "text": "two"}], "structuredContent": [1, 2]});
    assert_eq!(call(&list, Revision::V2026_07_28)["structuredContent"], json!([1, 2]));
    for revision in [Revision::V2025_11_25, Revision::V2024_11_05] {
        let told = json!({"content": [{"type": "text", "text": "two"}, {"type": "text", "text": "[1,2]"}]});
        assert_eq!(call(&list, revision), told);
    }
    let said = json!({"content": [{"type": "text", "text": "{\"n\": 1}"}], "structuredContent": {"n": 1}});
    assert_eq!(call(&said, Revision::V2025_03_26), json!({"content": said["content"]}), "once is enough");
    assert_eq!(call(&said, Revision::V2025_06_18), said);
    let alone = json!({"structuredContent": {"n": 1}});
    let told = json!({"content": [{"type": "text", "text": "{\"n\":1}"}]});
    assert_eq!(call(&alone, Revision::V2025_03_26), told);
}

#[test]
fn content_that_the_revision_lacks_becomes_text() {
    let audio = json!({"type": "audio", "data": "AA==", "mimeType": "audio/wav"});
    let link = json!({
        "type": "resource_link", "uri": "file:///a.txt", "name": "a", "mimeType": "text/plain",
        "annotations": {"priority": 1},
    });
    let result = json!({"content": [audio, link, {"type": "text", "text": "t"}]});
    assert_eq!(call(&result, Revision::V2025_06_18), result);
    let middle = call(&result, Revision::V2025_03_26);
    let text = "[resource link: a, file:///a.txt, text/plain]";
    assert_eq!(middle["content"][0], audio);
    assert_eq!(middle["content"][1], json!({"type": "text", "text": text, "annotations": {"priority": 1}}));
    let first = call(&result, Revision::V2024_11_05);
    assert_eq!(first["content"][0], json!({"type": "text", "text": "[audio: audio/wav]"}));
    assert_eq!(first["content"][2], json!({"type": "text", "text": "t"}));
    let prompt = json!({"messages": [{"role": "user", "content": link}]});
    let prompt = forwarded(&prompt, Method::GetPrompt, Revision::V2024_11_05).unwrap();
    assert_eq!(prompt["messages"][0]["content"]["text"], text);
    assert_eq!(prompt["messages"][0]["role"], "user");
}

#[test]
fn a_resource_has_cache_hints_in_the_modern_era_only() {
    let modern = json!({"resultType": "complete", "contents": [], "ttlMs": 9000, "cacheScope": "public"});
    let legacy = forwarded(&modern, Method::ReadResource, Revision::V2025_11_25).unwrap();
    assert_eq!(legacy, json!({"contents": []}));
    let hints = |result: &Value| {
        let forwarded = forwarded(result, Method::ReadResource, Revision::V2026_07_28).unwrap();
        (forwarded["ttlMs"].clone(), forwarded["cacheScope"].clone())
    };
    assert_eq!(hints(&modern), (json!(1000), json!("public")), "no longer than we allow");
    assert_eq!(hints(&legacy), (json!(0), json!("private")), "nothing is known of it");
}

#[test]
fn results_that_are_not_complete_are_not_passed_off_as_such() {
    for (result, error) in [
        (json!({"resultType": "input_required"}), ForwardError::InputRequired),
        (json!({"resultType": "surprise"}), ForwardError::UnknownResultType),
        (json!({"resultType": null}), ForwardError::UnknownResultType),
        (json!([]), ForwardError::NoObject),
    ] {
        assert_eq!(forwarded(&result, Method::CallTool, Revision::V2026_07_28), Err(error), "{result}");
    }
    let task = json!({"resultType": "task", "taskId": "t", "ttlMs": null});
    assert_eq!(call(&task, Revision::V2026_07_28)["resultType"], "task");
    assert_eq!(call(&task, Revision::V2026_07_28)["ttlMs"], Value::Null);
    for (method, to) in
        [(Method::CallTool, Revision::V2025_11_25), (Method::ReadResource, Revision::V2026_07_28)]
    {
        assert_eq!(forwarded(&task, method, to), Err(ForwardError::Task));
    }
}

fn error(code: i64, method: Method, from: Era, to: Revision) -> Value {
    let text =
        format!(r#"{{"jsonrpc":"2.0","id":1,"error":{{"code":{code},"message":"m","data":{{"uri":"u"}}}}}}"#);
    let Ok(Message::Response { outcome: Outcome::Error(error), .. }) = parse(text.as_bytes()) else {
        panic!()
    };
    value(translate_error(&error, method, from, to).as_str())
}

#[test]
fn error_codes_are_those_of_the_clients_revision() {
    let (legacy, modern, first) = (Revision::V2025_11_25, Revision::V2026_07_28, Revision::V2024_11_05);
    for (code, method, from, to, becomes) in [
        (-32002, Method::ReadResource, Era::Legacy, modern, -32602),
        (-32002, Method::CallTool, Era::Legacy, modern, -32002),
        (-32602, Method::ReadResource, Era::Modern, legacy, -32002),
        (-32602, Method::ReadResource, Era::Legacy, legacy, -32602),
        (-32602, Method::GetPrompt, Era::Modern, legacy, -32602),
        (-32042, Method::CallTool, Era::Legacy, legacy, -32042),
        (-32042, Method::CallTool, Era::Legacy, modern, -32600),
        (-32042, Method::CallTool, Era::Legacy, first, -32600),
        (-32021, Method::CallTool, Era::Modern, legacy, -32602),
        (-32021, Method::CallTool, Era::Modern, modern, -32021),
        (-32020, Method::CallTool, Era::Modern, legacy, -32603),
        (-32022, Method::CallTool, Era::Modern, modern, -32603),
        (7, Method::CallTool, Era::Modern, legacy, 7),
    ] {
        let translated = error(code, method, from, to);
        assert_eq!(translated, json!({"code": becomes, "message": "m", "data": {"uri": "u"}}), "{code} {to}");
    }
}

fn url_error(data: &Value) -> Option<Value> {
    let text = json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -32042, "message": "m", "data": data}})
        .to_string();
    let Ok(Message::Response { outcome: Outcome::Error(error), .. }) = parse(text.as_bytes()) else {
        panic!()
    };
    url_elicitations(&error).map(|text| value(text.as_str()))
}

#[test]
fn a_url_that_must_be_visited_becomes_an_input_request() {
    let one =
        json!({"mode": "url", "elicitationId": "e-1", "url": "https://a.example/", "message": "sign in"});
    let want = json!({"e-1": {
        "method": "elicitation/create",
        "params": {"mode": "url", "message": "sign in", "url": "https://a.example/"},
    }});
    assert_eq!(url_error(&json!({"elicitations": [one]})), Some(want));
    for bad in [
        json!({}),
        json!({"elicitations": []}),
        json!({"elicitations": [one, one]}),
        json!({"elicitations": [{"mode": "form", "elicitationId": "e", "url": "u", "message": "m"}]}),
        json!({"elicitations": vec![one; 33]}),
    ] {
        assert_eq!(url_error(&bad), None, "{bad}");
    }
}
