//! Asking the client: requests of a server in the words of each revision, and multi round-trip requests.

use crate::value;
use mcpfleet_protocol::{
    Capability, ClientCapabilities, Revision,
    answer::{Implementation, input_required},
    input::{Asked, Inexpressible, rewrite_request, rewrite_response},
    mrtr::{
        InputError, InputMethod, InputRequests, InputResponses, MAX_INPUTS, MAX_STATE_BYTES, write_requests,
        write_responses,
    },
};
use serde_json::{Value, json, value::RawValue};

fn raw(value: &Value) -> Box<RawValue> {
    RawValue::from_string(value.to_string()).unwrap()
}

fn everything() -> ClientCapabilities {
    Capability::ALL.into_iter().fold(ClientCapabilities::default(), ClientCapabilities::with)
}

fn rewritten(method: &str, params: &Value, revision: Revision) -> Result<Value, Inexpressible> {
    let capabilities = everything();
    let to = Asked { revision, capabilities: &capabilities, elicitation_id: "e-9" };
    let params = rewrite_request(method, Some(&raw(params)), &to)?;
    Ok(params.map_or(Value::Null, |params| value(params.as_str())))
}

const ELICIT: &str = "elicitation/create";

#[test]
fn a_forms_mode_is_said_where_there_are_modes() {
    let schema = json!({"type": "object", "properties": {"n": {"type": "string"}}});
    let said = json!({"mode": "form", "message": "m", "requestedSchema": schema});
    let unsaid = json!({"message": "m", "requestedSchema": schema});
    for params in [&said, &unsaid] {
        assert_eq!(rewritten(ELICIT, params, Revision::V2026_07_28).unwrap(), said);
        assert_eq!(rewritten(ELICIT, params, Revision::V2025_11_25).unwrap(), said);
        assert_eq!(rewritten(ELICIT, params, Revision::V2025_06_18).unwrap(), unsaid);
        let older = rewritten(ELICIT, params, Revision::V2025_03_26);
        assert!(matches!(older, Err(Inexpressible::Method { .. })), "{older:?}");
    }
}

#[test]
fn what_belongs_to_the_other_hop_is_left_out() {
    let params = json!({
        "message": "m", "requestedSchema": {"type": "object", "properties": {}}, "task": {"ttl": 1},
        "_meta": {"progressToken": 7, "a": 1},
    });
    let sent = rewritten(ELICIT, &params, Revision::V2025_11_25).unwrap();
    assert_eq!((sent.get("task"), &sent["_meta"]), (None, &json!({"a": 1})));
    let roots = json!({"_meta": {"progressToken": 7}});
    assert_eq!(rewritten("roots/list", &roots, Revision::V2024_11_05).unwrap(), Value::Null);
}

#[test]
fn titled_choices_have_an_older_form_and_several_have_none() {
    let form = |property: Value| json!({"message": "m", "requestedSchema": {"type": "object", "properties": {"c": property}}});
    let titled =
        json!({"type": "string", "title": "T", "oneOf": [{"const": "r", "title": "Red"}, {"const": "g"}]});
    let sent = rewritten(ELICIT, &form(titled.clone()), Revision::V2025_06_18).unwrap();
    let want = json!({"type": "string", "title": "T", "enum": ["r", "g"], "enumNames": ["Red", "g"]});
    assert_eq!(sent["requestedSchema"]["properties"]["c"], want);
    let same = rewritten(ELICIT, &form(titled.clone()), Revision::V2025_11_25).unwrap();
    assert_eq!(same["requestedSchema"]["properties"]["c"], titled);
    let several = form(json!({"type": "array", "items": {"type": "string", "enum": ["a"]}}));
    assert!(matches!(
        rewritten(ELICIT, &several, Revision::V2025_06_18),
        Err(Inexpressible::Part { what: "a choice of several values", .. })
    ));
}

#[test]
fn an_elicitation_by_url_has_an_id_in_one_revision_only() {
    let bare = json!({"mode": "url", "message": "m", "url": "https://a.example/"});
    let with =
        |id: &str| json!({"mode": "url", "message": "m", "url": "https://a.example/", "elicitationId": id});
    assert_eq!(rewritten(ELICIT, &bare, Revision::V2025_11_25).unwrap(), with("e-9"));
    assert_eq!(rewritten(ELICIT, &with("own"), Revision::V2025_11_25).unwrap(), with("own"));
    assert_eq!(rewritten(ELICIT, &with("own"), Revision::V2026_07_28).unwrap(), bare);
    let older = rewritten(ELICIT, &bare, Revision::V2025_06_18);
    assert!(matches!(older, Err(Inexpressible::Part { what: "elicitation by URL", .. })), "{older:?}");
}

#[test]
fn nobody_is_asked_for_what_was_not_declared() {
    let none = ClientCapabilities::default();
    let to = Asked { revision: Revision::V2026_07_28, capabilities: &none, elicitation_id: "" };
    let Err(Inexpressible::NotDeclared(needed)) = rewrite_request("roots/list", None, &to) else { panic!() };
    assert_eq!(value(needed.as_str()), json!({"roots": {}}));
    assert!(matches!(rewrite_request("tools/call", None, &to), Err(Inexpressible::Method { .. })));
    assert!(matches!(rewrite_request("ping", None, &to), Err(Inexpressible::Method { .. })));
    let legacy = Asked { revision: Revision::V2024_11_05, ..to };
    assert_eq!(rewrite_request("ping", None, &legacy), Ok(None));
}

#[test]
fn several_blocks_of_one_message_become_several_messages() {
    let text = |text: &str| json!({"type": "text", "text": text});
    let params = json!({"maxTokens": 5, "messages": [{"role": "user", "content": [text("a"), text("b")]}]});
    let sent = rewritten("sampling/createMessage", &params, Revision::V2025_06_18).unwrap();
    let want = json!([{"role": "user", "content": text("a")}, {"role": "user", "content": text("b")}]);
    assert_eq!((&sent["messages"], &sent["maxTokens"]), (&want, &json!(5)));
    assert_eq!(rewritten("sampling/createMessage", &params, Revision::V2025_11_25).unwrap(), params);
    let tools = json!({"messages": [{"role": "user", "content": [{"type": "tool_use", "id": "1"}]}]});
    assert!(matches!(
        rewritten("sampling/createMessage", &tools, Revision::V2025_06_18),
        Err(Inexpressible::Part { .. })
    ));
}

#[test]
fn several_blocks_of_an_answer_become_one() {
    let text = |text: &str| json!({"type": "text", "text": text});
    let answer = json!({"role": "assistant", "model": "m", "content": [text("a"), text("b")]});
    let one = rewrite_response("sampling/createMessage", &raw(&answer), Revision::V2024_11_05);
    assert_eq!(value(one.as_str())["content"], text("a\n\nb"));
    let same = rewrite_response("sampling/createMessage", &raw(&answer), Revision::V2026_07_28);
    assert_eq!(value(same.as_str()), answer);
}

fn requests(result: &Value) -> Result<Option<usize>, InputError> {
    InputRequests::read(&raw(result)).map(|read| read.map(|read| read.requests.len()))
}

#[test]
fn input_requests_are_written_and_read() {
    let written = write_requests([
        ("a", InputMethod::Elicit, Some(r#"{"message":"m"}"#)),
        ("b\"", InputMethod::ListRoots, None),
    ]);
    let result = input_required(Some(&written), Some("state"), &Implementation::new("us", "1"));
    let result = RawValue::from_string(result.as_str().to_owned()).unwrap();
    let read = InputRequests::read(&result).unwrap().unwrap();
    assert_eq!(read.state.as_deref(), Some("state"));
    let found: Vec<_> = read.requests.iter().map(|one| (&*one.key, one.method)).collect();
    assert_eq!(found, [("a", InputMethod::Elicit), ("b\"", InputMethod::ListRoots)]);
    assert_eq!(read.requests[0].params.unwrap().get(), r#"{"message":"m"}"#);
}

#[test]
fn input_requests_are_bounded_and_of_three_kinds() {
    let required = |requests: Value| json!({"resultType": "input_required", "inputRequests": requests});
    let one = json!({"method": "roots/list"});
    let many =
        |count: usize| (0..count).map(|n| (n.to_string(), one.clone())).collect::<serde_json::Map<_, _>>();
    assert_eq!(requests(&json!({"content": []})), Ok(None));
    assert_eq!(requests(&required(Value::Object(many(MAX_INPUTS)))), Ok(Some(MAX_INPUTS)));
    assert_eq!(requests(&required(Value::Object(many(MAX_INPUTS + 1)))), Err(InputError::TooMany));
    assert_eq!(requests(&required(json!({}))), Err(InputError::Nothing));
    assert_eq!(requests(&required(json!([]))), Err(InputError::Member("inputRequests")));
    assert_eq!(requests(&required(json!({"k": {"method": "ping"}}))), Err(InputError::Request("k".into())));
    let state = |state: Value| json!({"resultType": "input_required", "requestState": state});
    assert_eq!(requests(&state(json!("s"))), Ok(Some(0)));
    assert_eq!(requests(&state(json!(1))), Err(InputError::Member("requestState")));
    assert_eq!(requests(&state(json!("s".repeat(MAX_STATE_BYTES + 1)))), Err(InputError::LongState));
}

#[test]
fn input_responses_are_written_and_read() {
    let written = write_responses([("a", r#"{"action":"accept"}"#), ("b", "{}")]);
    let written = RawValue::from_string(written.as_str().to_owned()).unwrap();
    let read = InputResponses::read(&written).unwrap();
    assert_eq!(read.get("a").unwrap().get(), r#"{"action":"accept"}"#);
    assert!(read.get("c").is_none());
    assert_eq!(InputResponses::read(&raw(&json!({"a": 1}))).err(), Some(InputError::Response("a".into())));
    assert!(InputResponses::read(&raw(&json!([]))).is_err());
}
