//! A call that asks its client something is one call, wherever its retry lands (2026-07-28, basic/patterns/mrtr).
//!
//! The upstream is legacy: it asks in the middle of the call, which waits in the replica that began it.

use crate::harness::{
    Manifests, Modern, Play, Runtime, Scripted, Session, Upstream, UpstreamEra, accept, text,
};
use serde_json::{Value, json};

/// Two replicas with one set of keys, in front of one upstream.
struct Replicas {
    upstream: Upstream,
    one: Runtime,
    other: Runtime,
    _manifests: Manifests,
}

impl Replicas {
    async fn start(era: UpstreamEra) -> Self {
        let upstream = Upstream::start(era).await;
        let manifests = Manifests::of(&upstream.url());
        let (one, other) = tokio::join!(Runtime::start(&manifests), Runtime::start(&manifests));
        Self { upstream, one, other, _manifests: manifests }
    }
}

fn contact(_: &Value) -> Value {
    accept(&json!({"username": "ada", "email": "ada@example.com"}))
}

#[tokio::test]
async fn a_retry_at_another_replica_is_answered_by_the_one_call() {
    let replicas = Replicas::start(UpstreamEra::Legacy).await;
    let (one, other) = (Modern::new(&replicas.one.mcp), Modern::new(&replicas.other.mcp));
    let arguments = json!({"message": "Who?"});
    let asked = one.asked("test_elicitation", &arguments).await;
    let question = asked["inputRequests"].as_object().expect("questions").values().next().expect("one");
    assert_eq!(question["method"], "elicitation/create");
    assert_eq!(question["params"]["message"], "Who?");

    let answer = other.again(&Modern::retry("test_elicitation", &arguments, &asked, contact)).await;
    assert!(text(&answer).contains("ada@example.com"), "{answer}");
    assert_eq!(answer["id"], 2);
    assert_eq!(answer["result"]["resultType"], "complete");

    let ledger = replicas.upstream.ledger().await;
    let counts = json!({"began": 1, "resumed": 0, "asked": 0, "finished": 1, "refused": 0, "cancelled": 0});
    assert_eq!(ledger["tools"]["test_elicitation"], counts);
    assert_eq!(ledger["answers"]["test_elicitation"], json!([contact(&Value::Null)]));
}

#[tokio::test]
async fn a_prompt_that_asks_is_one_call_too() {
    let replicas = Replicas::start(UpstreamEra::Legacy).await;
    let (one, other) = (Modern::new(&replicas.one.mcp), Modern::new(&replicas.other.mcp));
    let params = json!({"name": "test_input_required_result_prompt"});
    let asked = one.request(1, "prompts/get", &params).await.answer().await["result"].clone();
    assert_eq!(asked["resultType"], "input_required", "{asked}");

    let mut retry = Modern::retry("test_input_required_result_prompt", &json!({}), &asked, |question| {
        let field =
            question["params"]["requestedSchema"]["properties"].as_object().and_then(|it| it.keys().next());
        accept(&json!({field.expect("a field"): "Marie"}))
    });
    retry.as_object_mut().expect("params").remove("arguments");
    let answer = other.request(2, "prompts/get", &retry).await.answer().await;
    assert!(answer["result"]["messages"].to_string().contains("Marie"), "{answer}");
    assert_eq!(replicas.upstream.count("prompt:test_input_required_result_prompt", "began").await, 1);
}

#[tokio::test]
async fn two_rounds_at_alternating_replicas_are_one_call() {
    for era in UpstreamEra::BOTH {
        let replicas = Replicas::start(era).await;
        let (one, other) = (Modern::new(&replicas.one.mcp), Modern::new(&replicas.other.mcp));
        let name = |name: &'static str| move |_: &Value| accept(&json!({"name": name}));

        let first = one.asked("ask_twice", &json!({})).await;
        let retry = Modern::retry("ask_twice", &json!({}), &first, name("Ada"));
        let second = other.again(&retry).await["result"].clone();
        assert_eq!(second["resultType"], "input_required", "{era:?}: {second}");
        assert_ne!(second["requestState"], first["requestState"], "{era:?}");
        let done = one.again(&Modern::retry("ask_twice", &json!({}), &second, name("Grace"))).await;
        assert_eq!(text(&done), r#""Ada" and "Grace""#, "{era:?}");

        let ledger = replicas.upstream.ledger().await;
        let counts = &ledger["tools"]["ask_twice"];
        assert_eq!((&counts["began"], &counts["finished"]), (&json!(1), &json!(1)), "{era:?}: {ledger}");
    }
}

#[tokio::test]
async fn a_state_that_was_used_is_worth_nothing_and_spoils_nothing() {
    let replicas = Replicas::start(UpstreamEra::Legacy).await;
    let client = Modern::new(&replicas.one.mcp);
    let name = |name: &'static str| move |_: &Value| accept(&json!({"name": name}));
    let first = client.asked("ask_twice", &json!({})).await;
    let used = Modern::retry("ask_twice", &json!({}), &first, name("Ada"));
    let second = client.again(&used).await["result"].clone();

    for endpoint in [&replicas.one.mcp, &replicas.other.mcp] {
        let refused = client.at(endpoint).again(&used).await;
        assert_eq!(refused["error"]["code"], -32602, "{refused}");
    }
    let done = client.again(&Modern::retry("ask_twice", &json!({}), &second, name("Grace"))).await;
    assert_eq!(text(&done), r#""Ada" and "Grace""#);
    assert_eq!(replicas.upstream.count("ask_twice", "began").await, 1);
}

#[tokio::test]
async fn one_retry_sent_twice_at_once_gives_one_result_and_one_error() {
    let replicas = Replicas::start(UpstreamEra::Legacy).await;
    let (one, other) = (Modern::new(&replicas.one.mcp), Modern::new(&replicas.other.mcp));
    for (left, right) in [(&one, &one), (&one, &other), (&other, &other)] {
        let asked = one.asked("test_elicitation", &json!({})).await;
        let retry = Modern::retry("test_elicitation", &json!({}), &asked, contact);
        let (first, second) = tokio::join!(left.again(&retry), right.again(&retry));
        let (done, refused) = if first["result"].is_object() { (first, second) } else { (second, first) };
        assert!(text(&done).contains("ada"), "{done}");
        assert_eq!(refused["error"]["code"], -32602, "{refused}");
    }
    assert_eq!(replicas.upstream.count("test_elicitation", "began").await, 3);
    assert_eq!(replicas.upstream.count("test_elicitation", "finished").await, 3);
}

#[tokio::test]
async fn when_the_owner_has_died_the_client_is_told_so_and_nothing_runs_again() {
    let mut replicas = Replicas::start(UpstreamEra::Legacy).await;
    let (one, other) = (Modern::new(&replicas.one.mcp), Modern::new(&replicas.other.mcp));
    let asked = one.asked("test_elicitation", &json!({})).await;
    replicas.one.kill().await;

    let retry = Modern::retry("test_elicitation", &json!({}), &asked, contact);
    let answer = other.again(&retry).await;
    assert!(answer["result"].is_null(), "{answer}");
    let said = answer["error"]["message"].as_str().expect("an error");
    assert!(said.contains("gone") && said.contains("not run a second time"), "{answer}");
    assert_eq!(answer["id"], 2);

    let ledger = replicas.upstream.ledger().await;
    assert_eq!(ledger["tools"]["test_elicitation"]["began"], 1, "{ledger}");
    assert_eq!(ledger["tools"]["test_elicitation"]["finished"], 0, "{ledger}");
    assert_eq!(ledger["answers"], json!({}), "{ledger}");
    // Whoever wants it again says so.
    let anew = other.asked("test_elicitation", &json!({})).await;
    let done = other.again(&Modern::retry("test_elicitation", &json!({}), &anew, contact)).await;
    assert!(text(&done).contains("ada"), "{done}");
}

#[tokio::test]
async fn an_upstream_learns_that_the_owner_of_its_call_has_died() {
    let upstream = Scripted::start(|_| {
        let question = json!({"jsonrpc": "2.0", "id": "q", "method": "elicitation/create", "params": {
            "message": "Who?", "requestedSchema": {"type": "object", "properties": {}},
        }});
        Play::Hold(Scripted::stream(&format!("data: {question}\n\n")))
    })
    .await;
    let manifests = Manifests::of(&upstream.url());
    let mut runtime = Runtime::start(&manifests).await;
    Modern::new(&runtime.mcp).asked("work", &json!({})).await;
    runtime.kill().await;
    upstream.until_left().await;
    assert_eq!(upstream.calls(), 1);
}

#[tokio::test]
async fn what_was_not_answered_is_asked_again() {
    for era in UpstreamEra::BOTH {
        let replicas = Replicas::start(era).await;
        let (one, other) = (Modern::new(&replicas.one.mcp), Modern::new(&replicas.other.mcp));
        let tool = "test_input_required_result_multiple_inputs";
        let asked = one.asked(tool, &json!({})).await;
        assert_eq!(
            methods(&asked),
            ["elicitation/create", "roots/list", "sampling/createMessage"],
            "{era:?}"
        );

        let mut retry = Modern::retry(tool, &json!({}), &asked, answer);
        let name = key(&asked, "elicitation/create");
        retry["inputResponses"] = json!({&name: retry["inputResponses"][&name]});
        let rest = other.again(&retry).await["result"].clone();
        assert_eq!(rest["resultType"], "input_required", "{era:?}: {rest}");
        assert_eq!(methods(&rest), ["roots/list", "sampling/createMessage"], "{era:?}");

        let none = json!({"name": tool, "arguments": {}, "inputResponses": {}, "requestState": rest["requestState"]});
        let again = one.again(&none).await["result"].clone();
        assert_eq!(methods(&again), ["roots/list", "sampling/createMessage"], "{era:?}: {again}");

        let done = other.again(&Modern::retry(tool, &json!({}), &again, answer)).await;
        for said in ["Ada", "Good day", "file:///home"] {
            assert!(text(&done).contains(said), "{era:?}: {done}");
        }
        let ledger = replicas.upstream.ledger().await;
        assert_eq!(ledger["tools"][tool]["began"], 1, "{era:?}: {ledger}");
        assert_eq!(ledger["tools"][tool]["finished"], 1, "{era:?}: {ledger}");
    }
}

#[tokio::test]
async fn a_legacy_client_may_ask_and_answer_at_different_replicas() {
    for era in UpstreamEra::BOTH {
        let replicas = Replicas::start(era).await;
        let session = Session::open(&replicas.one.mcp).await;
        let elsewhere = session.at(&replicas.other.mcp);
        let mut reply = elsewhere.start(7, "ask_twice", &json!({})).await;
        for (answering, name) in [(&session, "Ada"), (&elsewhere, "Grace")] {
            let question = reply.next().await.expect("a question");
            assert_eq!(question["method"], "elicitation/create", "{era:?}: {question}");
            answering.respond(&question, &accept(&json!({"name": name}))).await;
        }
        assert_eq!(text(&reply.answer().await), r#""Ada" and "Grace""#, "{era:?}");
        assert_eq!(replicas.upstream.count("ask_twice", "began").await, 1, "{era:?}");
    }
}

fn answer(question: &Value) -> Value {
    match question["method"].as_str() {
        Some("elicitation/create") => accept(&json!({"name": "Ada"})),
        Some("roots/list") => json!({"roots": [{"uri": "file:///home", "name": "home"}]}),
        _ => json!({"role": "assistant", "model": "test", "content": {"type": "text", "text": "Good day"}}),
    }
}

/// What is asked, in order.
fn methods(asked: &Value) -> Vec<String> {
    let questions = asked["inputRequests"].as_object().unwrap_or_else(|| panic!("nothing is asked: {asked}"));
    let methods =
        questions.values().map(|question| question["method"].as_str().unwrap_or_default().to_owned());
    let mut methods: Vec<_> = methods.collect();
    methods.sort();
    methods
}

/// The key of the question that asks so.
fn key(asked: &Value, method: &str) -> String {
    let questions = asked["inputRequests"].as_object().expect("questions");
    questions.iter().find(|(_, question)| question["method"] == method).expect("that question").0.clone()
}
