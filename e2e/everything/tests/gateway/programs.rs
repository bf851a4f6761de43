//! Programs that behave, behind `mcp-runtime bridge`: what a client of any revision sees of them.

use crate::harness::{
    Everything, Modern, Post, Session, Trouble, UpstreamEra, accept, is_request, request, text,
};
use http::StatusCode;
use serde_json::{Value, json};

/// Each era of program, each way of sharing it.
const ALL: [(UpstreamEra, &str); 4] = [
    (UpstreamEra::Legacy, "shared"),
    (UpstreamEra::Legacy, "per-session"),
    (UpstreamEra::Modern, "shared"),
    (UpstreamEra::Modern, "per-session"),
];

fn contact(_: &Value) -> Value {
    accept(&json!({"username": "ada", "email": "ada@example.com"}))
}

#[tokio::test]
async fn clients_of_both_eras_list_and_call() {
    for (era, processes) in ALL {
        let program = Everything::start(era, processes).await;
        let (session, modern) = (Session::open(&program.mcp).await, Modern::new(&program.mcp));
        for answer in [
            session.call(1, "greet", &json!({"name": "ada"})).await,
            modern.call(1, "greet", &json!({"name": "ada"})).await,
        ] {
            assert_eq!(text(&answer), "Hello, ada!", "{era:?} {processes}");
        }
        assert_eq!(program.count("greet", "finished"), 2, "{era:?} {processes}");
        let prompts = session.request(2, "prompts/list", &json!({})).await.answer().await;
        assert!(!prompts["result"]["prompts"].as_array().expect("prompts").is_empty());
        let status = program.status().await["upstreams"][0].clone();
        assert_eq!((&status["state"], &status["transport"]), (&json!("Connected"), &json!("Stdio")));
    }
}

#[tokio::test]
async fn whoever_has_a_process_of_his_own_is_asked_and_whoever_shares_a_modern_one() {
    for (era, processes) in ALL.into_iter().filter(|it| *it != (UpstreamEra::Legacy, "shared")) {
        let program = Everything::start(era, processes).await;
        let session = Session::open(&program.mcp).await;
        let reply = session.start(1, "test_elicitation", &json!({"message": "who"})).await;
        let answer = session.converse(reply, contact).await;
        assert!(text(&answer).contains("ada@example.com"), "{era:?} {processes}: {answer}");
        let modern = Modern::new(&program.mcp);
        let asked = modern.asked("test_elicitation", &json!({"message": "who"})).await;
        let retry = Modern::retry("test_elicitation", &json!({"message": "who"}), &asked, contact);
        let answer = modern.again(&retry).await;
        assert!(text(&answer).contains("ada@example.com"), "{era:?} {processes}: {answer}");
    }
}

#[tokio::test]
async fn whoever_shares_a_legacy_process_is_asked_nothing() {
    let program = Everything::start(UpstreamEra::Legacy, "shared").await;
    let session = Session::open(&program.mcp).await;
    let said = session.start(1, "test_elicitation", &json!({"message": "who"})).await.all().await;
    assert!(!said.iter().any(is_request), "{said:?}");
    let answer = said.last().expect("an answer");
    assert!(answer["error"].is_object() || answer["result"]["isError"] == true, "{answer}");
}

#[tokio::test]
async fn progress_and_cancellation_reach_their_call() {
    for (era, processes) in ALL {
        let program = Everything::start(era, processes).await;
        let session = Session::open(&program.mcp).await;
        let params =
            json!({"name": "test_tool_with_progress", "arguments": {}, "_meta": {"progressToken": "mine"}});
        let said = session.request(1, "tools/call", &params).await.all().await;
        let progress = said.iter().filter(|it| it["method"] == "notifications/progress");
        let tokens: Vec<&Value> = progress.map(|it| &it["params"]["progressToken"]).collect();
        assert!(tokens.len() >= 3 && tokens.iter().all(|token| **token == "mine"), "{era:?}: {said:?}");

        let same = session.at(&program.mcp);
        let slow =
            tokio::spawn(async move { same.start(2, "slow", &json!({"ms": 600_000})).await.all().await });
        program.until("slow", "began", 1).await;
        session.notify("notifications/cancelled", &json!({"requestId": 2})).await;
        program.until("slow", "cancelled", 1).await;
        slow.abort();
    }
}

#[tokio::test]
async fn changes_reach_those_who_listen() {
    for (era, processes) in [(UpstreamEra::Legacy, "shared"), (UpstreamEra::Modern, "shared")] {
        let program = Everything::start(era, processes).await;
        let session = Session::open(&program.mcp).await;
        let mut stream = session.listen().await;
        session.call(1, "add_tool", &json!({"name": "brand_new"})).await;
        let news = stream.next().await.expect("news");
        assert_eq!(news["method"], "notifications/tools/list_changed", "{era:?}");
    }
}

#[tokio::test]
async fn a_program_speaks_for_itself() {
    let trouble = Trouble::start(&["--name", "front"], &[]).await;
    let initialize = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let message = request(1, "initialize", &initialize);
    let answer = trouble.mcp.post(&Post::message(&message)).await.answer().await;
    let info = json!({"name": "troublemaker", "title": "Trouble", "version": "9.9",
                      "websiteUrl": "https://trouble.example.com"});
    assert_eq!(answer["result"]["serverInfo"], info);
    assert_eq!(answer["result"]["instructions"], "Call with care.");
    let answer = Modern::new(&trouble.mcp).request(1, "server/discover", &json!({})).await.answer().await;
    assert_eq!(answer["result"]["_meta"]["io.modelcontextprotocol/serverInfo"], info);
    let named = trouble.mcp.on("/default/front/mcp");
    assert_eq!(Modern::new(&named).request(1, "tools/list", &json!({})).await.status, StatusCode::OK);
}

#[tokio::test]
async fn it_sees_the_environment_that_was_made_for_it_and_the_log_does_not() {
    let trouble = Trouble::start(&[], &[]).await;
    let modern = Modern::new(&trouble.mcp);
    let seen = async |name: &str| {
        let answer = modern.call(1, "variable", &json!({"name": name})).await;
        text(&answer).to_owned()
    };
    assert_eq!(seen("TOKEN_OF_THE_TEST").await, "hunter2");
    assert_eq!(seen("MCPFLEET_RUNTIME").await, "", "what is meant for the runtime");
    assert!(!trouble.runtime.log().contains("hunter2"));
    assert!(!trouble.runtime.status().await.to_string().contains("hunter2"));
}

#[tokio::test]
async fn a_session_of_ones_own_is_a_process_of_ones_own() {
    let trouble = Trouble::start(&["--processes", "per-session"], &[]).await;
    let (one, other) = (Session::open(&trouble.mcp).await, Session::open(&trouble.mcp).await);
    for expected in ["1", "2", "3"] {
        assert_eq!(text(&one.call(1, "count", &json!({})).await), expected);
    }
    assert_eq!(text(&other.call(1, "count", &json!({})).await), "1");
    // The third is the one that lists.
    trouble.until_alive(3).await;
    assert!(one.delete().await.status.is_success());
    trouble.until_alive(2).await;
    assert_eq!(text(&other.call(2, "count", &json!({})).await), "2");
}

#[tokio::test]
async fn processes_are_bounded_and_whoever_comes_too_late_is_told() {
    let trouble = Trouble::start(&["--processes", "per-session"], &[]).await;
    let mut sessions = Vec::new();
    for _ in 0..15 {
        let session = Session::open(&trouble.mcp).await;
        assert_eq!(text(&session.call(1, "count", &json!({})).await), "1");
        sessions.push(session);
    }
    let late = Session::open(&trouble.mcp).await;
    let answer = late.call(1, "count", &json!({})).await;
    assert!(answer.to_string().contains("all of its 16 processes are in use"), "{answer}");
    assert_eq!(text(&sessions[0].call(2, "count", &json!({})).await), "2", "nobody has lost what is his");
    sessions[0].delete().await;
    trouble.until_alive(15).await;
    assert_eq!(text(&late.call(2, "count", &json!({})).await), "1");
}

#[tokio::test]
async fn the_process_that_lists_has_a_place_of_its_own() {
    let trouble = Trouble::start(&["--processes", "per-session"], &[]).await;
    let lister = trouble.alive();
    let mut sessions = Vec::new();
    for _ in 0..15 {
        let session = Session::open(&trouble.mcp).await;
        assert_eq!(text(&session.call(1, "count", &json!({})).await), "1");
        sessions.push(session);
    }
    let late = Session::open(&trouble.mcp).await;
    let kill = async {
        // The one who is late waits for a place, and would take this one.
        let killed = std::process::Command::new("kill").args(["-KILL", &lister[0]]).status();
        assert!(killed.expect("kill").success());
    };
    let nothing = json!({});
    let (answer, ()) = tokio::join!(late.call(1, "count", &nothing), kill);
    assert!(answer.to_string().contains("all of its 16 processes are in use"), "{answer}");
    trouble.until_alive(16).await;
    assert_eq!(text(&sessions[0].call(2, "count", &json!({})).await), "2");
}
