//! The tasks extension (SEP-2663).

use crate::value;
use mcpfleet_protocol::{
    Tool,
    answer::Implementation,
    json::JsonText,
    task::{self, Task, TaskState, TaskSupport},
};
use serde_json::{Value, json, value::to_raw_value};

const TASK: Task<'static> = Task {
    id: "t",
    created_at: "2026-07-28T00:00:00Z",
    updated_at: "2026-07-28T00:00:01Z",
    message: Some("half of it"),
    ttl_ms: 60_000,
    poll_interval_ms: 500,
};

fn server() -> Implementation {
    Implementation::new("s", "1")
}

fn both(state: &TaskState<'_>) -> (Value, Value) {
    let (created, detailed) =
        (task::created(&TASK, state, &server()), task::detailed(&TASK, state, &server()));
    (value(created.as_str()), value(detailed.as_str()))
}

#[test]
fn each_state_adds_its_own_member_to_what_gets_it_and_nothing_to_what_creates_it() {
    let (requests, result, error) = (
        JsonText::from(&json!({"input_1": {"method": "roots/list"}})),
        to_raw_value(&json!({"content": [], "isError": true})).unwrap(),
        to_raw_value(&json!({"code": -32603, "message": "broken"})).unwrap(),
    );
    let states = [
        (TaskState::Working, "working", None),
        (TaskState::InputRequired(&requests), "input_required", Some("inputRequests")),
        (TaskState::Completed(&result), "completed", Some("result")),
        (TaskState::Failed(&error), "failed", Some("error")),
        (TaskState::Cancelled, "cancelled", None),
    ];
    for (state, word, own) in states {
        let (created, detailed) = both(&state);
        assert_eq!((&created["resultType"], &detailed["resultType"]), (&json!("task"), &json!("complete")));
        for result in [&created, &detailed] {
            assert_eq!((&result["taskId"], &result["status"]), (&json!("t"), &json!(word)));
            assert_eq!((&result["ttlMs"], &result["pollIntervalMs"]), (&json!(60_000), &json!(500)));
            let says = if word == "failed" { "broken" } else { "half of it" };
            assert_eq!(result["statusMessage"], says);
            assert!(result.get("requestState").is_none(), "{result}");
        }
        for member in ["inputRequests", "result", "error"] {
            assert!(created.get(member).is_none(), "{created}");
            assert_eq!(detailed.get(member).is_some(), own == Some(member), "{detailed}");
        }
    }
}

#[test]
fn a_task_gets_another_id_and_keeps_the_rest() {
    let given =
        to_raw_value(&json!({"resultType": "task", "taskId": "theirs", "new": {"taskId": "inner"}})).unwrap();
    assert_eq!(task::id_of(&given).as_deref(), Some("theirs"));
    let ours = task::with_id(&given, "o\"urs").unwrap();
    let expected = json!({"resultType": "task", "taskId": "o\"urs", "new": {"taskId": "inner"}});
    assert_eq!(value(ours.get()), expected);
    let acknowledged = to_raw_value(&json!({"resultType": "complete"})).unwrap();
    assert_eq!(task::id_of(&acknowledged), None);
    assert_eq!(task::with_id(&acknowledged, "ours").unwrap().get(), acknowledged.get());
}

#[test]
fn a_legacy_tool_says_how_it_lends_itself_to_tasks() {
    let cases = [
        (json!({"taskSupport": "optional"}), TaskSupport::Optional),
        (json!({"taskSupport": "required"}), TaskSupport::Required),
        (json!({"taskSupport": "forbidden"}), TaskSupport::Forbidden),
        (json!({"taskSupport": 7}), TaskSupport::Forbidden),
        (json!("optional"), TaskSupport::Forbidden),
        (Value::Null, TaskSupport::Forbidden),
    ];
    for (execution, expected) in cases {
        let raw = json!({"name": "t", "inputSchema": {"type": "object"}, "execution": execution});
        let tool = Tool::read(&to_raw_value(&raw).unwrap()).unwrap();
        assert_eq!(tool.task_support(), expected, "{raw}");
    }
}

#[test]
fn what_a_client_has_to_declare_is_named() {
    let required = value(task::required_capabilities().as_str());
    assert_eq!(required, json!({"extensions": {"io.modelcontextprotocol/tasks": {}}}));
}
