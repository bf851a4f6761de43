//! A `requestState` is worth something for one request of one server, unchanged. Whatever else comes with one is
//! refused before anything runs ("servers MUST treat requestState as untrusted input", 2026-07-28,
//! basic/patterns/mrtr).

use crate::harness::{Gateway, Manifests, Modern, Runtime, Upstream, UpstreamEra, accept, text};
use serde_json::{Value, json};

fn name(_: &Value) -> Value {
    accept(&json!({"name": "Ada"}))
}

/// What runs, and how often it began.
fn begun(ledger: &Value) -> Vec<(String, Value, Value)> {
    let tools = ledger["tools"].as_object().expect("tools");
    tools
        .iter()
        .map(|(name, counts)| (name.clone(), counts["began"].clone(), counts["resumed"].clone()))
        .collect()
}

#[tokio::test]
async fn a_retry_that_is_not_the_request_is_refused_and_spoils_nothing() {
    for era in UpstreamEra::BOTH {
        let gateway = Gateway::start(era).await;
        let client = Modern::new(&gateway.mcp);
        let (tool, arguments) = ("test_elicitation", json!({"message": "Who?"}));
        let asked = client.asked(tool, &arguments).await;
        let right = Modern::retry(tool, &arguments, &asked, |_| {
            accept(&json!({"username": "ada", "email": "ada@example.com"}))
        });
        let before = begun(&gateway.upstream.ledger().await);

        let state = asked["requestState"].as_str().expect("a state");
        let (start, end) = state.split_at(state.len() / 2);
        let flipped = if end.starts_with('A') { "B" } else { "A" };
        let changes = [
            ("other arguments", "arguments", json!({"message": "What?"})),
            ("no arguments", "arguments", json!({})),
            ("another tool", "name", json!("test_sampling")),
            ("a longer state", "requestState", json!(format!("{state}A"))),
            ("a shorter state", "requestState", json!(start)),
            ("a changed state", "requestState", json!(format!("{start}{flipped}{}", &end[1..]))),
            ("another's state", "requestState", json!("forged")),
            ("an empty state", "requestState", json!("")),
            ("a state that is no text", "requestState", json!(7)),
        ];
        for (what, member, value) in changes {
            let mut wrong = right.clone();
            wrong[member] = value;
            let answer = client.again(&wrong).await;
            assert_eq!(answer["error"]["code"], -32602, "{era:?}, {what}: {answer}");
            assert_eq!(answer["id"], 2, "{era:?}, {what}: {answer}");
        }
        assert_eq!(begun(&gateway.upstream.ledger().await), before, "{era:?}");

        let done = client.again(&right).await;
        assert!(text(&done).contains("ada@example.com"), "{era:?}: {done}");
    }
}

#[tokio::test]
async fn the_state_of_another_server_is_refused() {
    for era in UpstreamEra::BOTH {
        let (left, right) = (Upstream::start(era).await, Upstream::start(era).await);
        let manifests = Manifests::named(&[("left", &left.url()), ("right", &right.url())]);
        let runtime = Runtime::start(&manifests).await;
        let client = Modern::new(&runtime.mcp.on("/default/left/mcp"));
        let asked = client.asked("ask_twice", &json!({})).await;
        let retry = Modern::retry("ask_twice", &json!({}), &asked, name);

        let answer = client.at(&runtime.mcp.on("/default/right/mcp")).again(&retry).await;
        assert_eq!(answer["error"]["code"], -32602, "{era:?}: {answer}");
        assert_eq!(right.ledger().await["tools"], json!({}), "{era:?}");
        let next = client.again(&retry).await;
        assert_eq!(next["result"]["resultType"], "input_required", "{era:?}: {next}");
    }
}

#[tokio::test]
async fn answers_that_are_no_answers_complete_nothing() {
    let gateway = Gateway::start(UpstreamEra::Legacy).await;
    let client = Modern::new(&gateway.mcp);
    for bad in [json!(null), json!([]), json!("Ada"), json!({"input_1": 12345}), json!({"input_1": null})] {
        let asked = client.asked("test_input_required_result_elicitation", &json!({})).await;
        let mut retry = Modern::retry("test_input_required_result_elicitation", &json!({}), &asked, name);
        retry["inputResponses"] = bad.clone();
        let answer = client.again(&retry).await;
        assert_ne!(answer["result"]["resultType"], "complete", "{bad}: {answer}");
    }
    assert_eq!(gateway.upstream.count("test_input_required_result_elicitation", "finished").await, 0);
}

#[tokio::test]
async fn answers_to_what_nobody_asked_are_asked_for_again() {
    let gateway = Gateway::start(UpstreamEra::Legacy).await;
    let client = Modern::new(&gateway.mcp);
    let asked = client.asked("test_input_required_result_elicitation", &json!({})).await;
    let mut retry = Modern::retry("test_input_required_result_elicitation", &json!({}), &asked, name);
    retry["inputResponses"] = json!({"somebody": name(&Value::Null)});
    let again = client.again(&retry).await["result"].clone();
    assert_eq!(again["resultType"], "input_required", "{again}");
    let retry = Modern::retry("test_input_required_result_elicitation", &json!({}), &again, name);
    assert_eq!(text(&client.again(&retry).await), "Hello, Ada!");
    assert_eq!(gateway.upstream.count("test_input_required_result_elicitation", "began").await, 1);
}
