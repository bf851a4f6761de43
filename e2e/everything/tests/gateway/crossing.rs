//! Many calls at once, of several clients and eras: each gets its own answer and is asked its own questions, whatever
//! the ids ("remap ids": two sessions may count the same).

use crate::harness::{Gateway, Modern, Session, UpstreamEra, accept, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tokio::task::JoinSet;

fn contact(name: &str) -> Value {
    accept(&json!({"username": name, "email": format!("{name}@example.com")}))
}

/// Asked to fill in what `name` alone is asked, answers as `name`.
fn as_asked(question: &Value, name: &str) -> Value {
    assert_eq!(question["params"]["message"], format!("For {name}"), "another's question");
    contact(name)
}

async fn legacy(session: Session, call: usize, name: String) {
    if call.is_multiple_of(2) {
        let answer = session.call(call, "greet", &json!({"name": name})).await;
        assert_eq!((&answer["id"], text(&answer)), (&json!(call), format!("Hello, {name}!").as_str()));
        return;
    }
    let arguments = json!({"message": format!("For {name}")});
    let reply = session.start(call, "test_elicitation", &arguments).await;
    let answer = session.converse(reply, |question| as_asked(question, &name)).await;
    assert_eq!(answer["id"], json!(call));
    assert!(text(&answer).contains(&format!("{name}@example.com")), "{name}: {answer}");
}

async fn modern(client: Modern, call: usize, name: String) {
    if call.is_multiple_of(2) {
        let answer = client.call(call, "greet", &json!({"name": name})).await;
        assert_eq!((&answer["id"], text(&answer)), (&json!(call), format!("Hello, {name}!").as_str()));
        return;
    }
    let arguments = json!({"message": format!("For {name}")});
    let asked = client.asked("test_elicitation", &arguments).await;
    let retry = Modern::retry("test_elicitation", &arguments, &asked, |question| as_asked(question, &name));
    let answer = client.again(&retry).await;
    assert!(text(&answer).contains(&format!("{name}@example.com")), "{name}: {answer}");
}

#[tokio::test]
async fn calls_of_many_clients_at_once_never_cross() {
    for era in UpstreamEra::BOTH {
        let gateway = Gateway::start(era).await;
        let mut calls = JoinSet::new();
        for person in 0..4 {
            let session = Session::open(&gateway.mcp).await;
            let client = Modern::new(&gateway.mcp);
            // The same ids in every session.
            for call in 0..5 {
                calls.spawn(legacy(session.clone(), call, format!("legacy{person}{call}")));
                calls.spawn(modern(client.clone(), call, format!("modern{person}{call}")));
            }
        }
        while let Some(ended) = calls.join_next().await {
            ended.unwrap_or_else(|error| panic!("{era:?}: {error}"));
        }
        assert_eq!(gateway.upstream.count("greet", "finished").await, 24, "{era:?}");
        assert_eq!(gateway.upstream.count("test_elicitation", "finished").await, 16, "{era:?}");
    }
}

#[tokio::test]
async fn two_calls_of_one_id_in_one_session_are_both_answered() {
    for era in UpstreamEra::BOTH {
        let gateway = Gateway::start(era).await;
        let session = Session::open(&gateway.mcp).await;
        let start =
            async |name: &str| session.start("same", "test_elicitation", &json!({"message": name})).await;
        let (mut first, mut second) = (start("first").await, start("second").await);
        let (one, other) =
            (first.next().await.expect("a question"), second.next().await.expect("a question"));
        let asked: BTreeSet<_> =
            [&one, &other].iter().map(|it| it["params"]["message"].to_string()).collect();
        assert_eq!(asked.len(), 2, "{era:?}: {asked:?}");
        assert_ne!(one["id"], other["id"], "{era:?}");

        session.respond(&other, &contact("other")).await;
        session.respond(&one, &contact("one")).await;
        for (reply, name) in [(first, "one"), (second, "other")] {
            let answer = reply.answer().await;
            assert_eq!(answer["id"], "same");
            assert!(text(&answer).contains(&format!("{name}@example.com")), "{era:?}: {answer}");
        }
    }
}

#[tokio::test]
async fn an_answer_of_another_session_answers_nothing() {
    let gateway = Gateway::start(UpstreamEra::Legacy).await;
    let (session, thief) = (Session::open(&gateway.mcp).await, Session::open(&gateway.mcp).await);
    let mut reply = session.start(1, "test_elicitation", &json!({})).await;
    let question = reply.next().await.expect("a question");
    thief.respond(&question, &contact("thief")).await;
    session.respond(&question, &contact("owner")).await;
    let answer = reply.answer().await;
    assert!(text(&answer).contains("owner@example.com"), "{answer}");
    assert_eq!(gateway.upstream.ledger().await["answers"]["test_elicitation"], json!([contact("owner")]));
}
