use super::*;
use proptest::{collection::vec, prelude::*, sample::select};

fn tool(more: &Value) -> Tool {
    let mut tool = json!({
        "name": "find_order", "object": "find-order", "description": "Returns one order.\n",
        "inputSchema": {
            "type": "object", "required": ["id", "state", "note"],
            "properties": {"id": {"type": "integer"}, "state": {"type": ["string", "null"]}, "note": {}},
        },
        "timeoutMs": 1, "backend": {"static": {"text": "x"}},
    });
    tool.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(tool).unwrap()
}

fn guided() -> Tool {
    tool(&json!({"priority": "high", "examples": [
        {"say": "where is \"my\" order 17?", "arguments": {"id": 17, "state": null, "note": ""}},
    ]}))
}

#[test]
fn the_description_says_what_the_schema_says() {
    assert_eq!(
        description(&guided()).unwrap(),
        "Returns one order.\n\n\
         Required: id (integer), state (string or null), note.\n\
         Example: \"where is \\\"my\\\" order 17?\" -> {\"id\":17,\"note\":\"\",\"state\":null}\n\
         Priority: high. Prefer this tool where several would do."
    );
}

#[test]
fn a_tool_that_needs_nothing_said_keeps_its_words() {
    let plain = tool(&json!({"inputSchema": {"type": "object"}}));
    assert_eq!(description(&plain).as_deref(), Some("Returns one order.\n"));
    assert_eq!((input_schema(&plain), meta(&plain)), (json!({"type": "object"}), None));
    let silent = tool(&json!({"inputSchema": {"type": "object"}, "description": null}));
    assert_eq!(description(&silent), None);
}

#[test]
fn examples_join_those_of_the_schema_once() {
    let schema = json!({"type": "object", "examples": [{"id": 1}]});
    let examples = json!([{"say": "a", "arguments": {"id": 1}}, {"say": "b", "arguments": {"id": 2}}]);
    let both = tool(&json!({"inputSchema": schema, "examples": examples}));
    assert_eq!(input_schema(&both)["examples"], json!([{"id": 1}, {"id": 2}]));
    assert_eq!(meta(&guided()), Some(json!({"dev.mcpfleet/priority": "high"})));
}

#[test]
fn many_and_long_things_stay_bounded() {
    let names: Vec<String> = (0..40).map(|i| format!("p{i}")).collect();
    let many = tool(&json!({"inputSchema": {"type": "object", "required": names}}));
    let text = description(&many).unwrap();
    assert!(text.contains("p31, and 8 more.") && !text.contains("p32"), "{text}");
    let long = json!([
        {"say": "long", "arguments": {"id": "x".repeat(MAX_ADDED)}}, {"say": "short", "arguments": {"id": 2}},
    ]);
    let text = description(&tool(&json!({"examples": long}))).unwrap();
    assert!(text.contains("short") && !text.contains("long"), "{text}");
}

proptest! {
    /// A server behind a server, or a description that says it already: nothing is said twice.
    #[test]
    fn saying_it_again_changes_nothing(
        written in "[ -~\n]{0,40}",
        says in vec("[ -~]{1,20}", 0..8),
        long in 0..3_000_usize,
        priority in select(vec!["high", "normal", "low"]),
    ) {
        let example = |say| json!({"say": say, "arguments": {"id": 1, "note": "n".repeat(long)}});
        let examples: Vec<Value> = says.into_iter().map(example).collect();
        let mut tool = tool(&json!({"description": written, "examples": examples, "priority": priority}));
        let once = description(&tool).unwrap();
        prop_assert!(once.len() <= written.len() + MAX_ADDED + 2);
        tool.description = Some(once.clone());
        tool.input_schema = input_schema(&tool);
        let again = description(&tool).unwrap();
        prop_assert_eq!(&again, &once);
        prop_assert_eq!(input_schema(&tool), tool.input_schema);
    }
}
