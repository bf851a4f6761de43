//! Programs that do what programs should not, behind `mcp-runtime bridge`: it costs whoever asked for it, and nobody else.

use crate::harness::{Modern, Post, Session, Trouble, is_request, modern, text, until};
use serde_json::{Value, json};

/// What a call says that has failed, whatever the client's era makes of it.
fn told(answer: &Value) -> String {
    assert!(answer["error"].is_object() || answer["result"]["isError"] == true, "{answer}");
    answer.to_string()
}

#[tokio::test]
async fn a_crash_ends_the_calls_that_it_may_have_run_and_the_next_one_finds_a_new_process() {
    for processes in ["shared", "per-session"] {
        let mut trouble = Trouble::start(&["--processes", processes], &[]).await;
        let session = Session::open(&trouble.mcp).await;
        assert_eq!(text(&session.call(1, "count", &json!({})).await), "1");
        let crash = told(&session.call(2, "crash", &json!({})).await);
        assert!(crash.contains("exit code 9") && crash.contains("unknown"), "{crash}");
        let look = || async {
            let answer = session.call(3, "count", &json!({})).await;
            answer["result"]["content"][0]["text"].as_str().map(ToOwned::to_owned)
        };
        assert_eq!(until("a new process", look).await, "1");
        trouble.runtime.assert_sound();
    }
}

#[tokio::test]
async fn what_keeps_ending_is_told_and_the_bridge_goes_on() {
    let mut trouble = Trouble::started(&[], &["--end", "7"]).await;
    let told = trouble.until_told("exit code 7").await;
    assert_eq!(told["state"], "Unreachable");
    trouble.until_told("again; it is started anew in").await;
    let status = trouble.runtime.status().await;
    assert_eq!(status["ready"], false, "it has never answered");
    assert!(trouble.runtime.log().contains("\"lived_ms\""), "{}", trouble.runtime.log());
    trouble.runtime.assert_sound();
}

#[tokio::test]
async fn a_program_that_is_not_there_is_told() {
    let mut trouble = Trouble::under(&["/no/such/program"], &[], &[]).await;
    let told = trouble.until_told("there is none of that name").await;
    assert_eq!(told["state"], "Unreachable");
    assert!(trouble.runtime.log().contains("/no/such/program"), "{}", trouble.runtime.log());
    trouble.runtime.assert_sound();
}

#[tokio::test]
async fn a_first_process_that_ends_is_followed_by_one_that_serves() {
    let directory = tempfile::tempdir().unwrap();
    let once = directory.path().join("once");
    let trouble = Trouble::start(&[], &["--once", once.to_str().unwrap()]).await;
    assert_eq!(text(&Modern::new(&trouble.mcp).call(1, "count", &json!({})).await), "1");
}

#[tokio::test]
async fn a_program_that_knows_no_discover_is_greeted_the_old_way() {
    for (early, started) in [("refuse", 1), ("ignore", 1), ("die", 2)] {
        let trouble = Trouble::start(&[], &["--early", early]).await;
        let modern = Modern::new(&trouble.mcp);
        assert_eq!(text(&modern.call(1, "count", &json!({})).await), "1", "{early}");
        assert_eq!(trouble.processes().len(), started, "{early}");
        // It is remembered: the next process is not asked what the first has died of.
        told(&modern.call(2, "crash", &json!({})).await);
        let look = || async { (trouble.processes().len() > started).then_some(()) };
        until("another process", look).await;
        let look = || async {
            let answer = modern.call(3, "count", &json!({})).await;
            answer["result"]["content"][0]["text"].as_str().map(ToOwned::to_owned)
        };
        assert_eq!(until("its answer", look).await, "1", "{early}");
        assert_eq!(trouble.processes().len(), started + 1, "{early}");
    }
}

#[tokio::test]
async fn what_is_no_message_is_passed_over_and_told() {
    let trouble = Trouble::start(&[], &["--garbage", "100000", "--chatter", "100000"]).await;
    let told = trouble.until_told("lines to standard output that are no messages").await;
    assert_eq!(told["state"], "Connected");
    assert_eq!(text(&Modern::new(&trouble.mcp).call(1, "count", &json!({})).await), "1");
    let log = trouble.runtime.log();
    assert!(log.contains("line 0 of 100000"), "{log}");
    let shown = |what: &str| log.lines().filter(|line| line.contains(what)).count();
    assert!(shown("of 100000") < 20_000 && shown("no message: ") < 20_000, "a log can bear only so much");
}

#[tokio::test]
async fn an_answer_that_is_too_large_costs_its_call() {
    let trouble = Trouble::start(&[], &[]).await;
    let modern = Modern::new(&trouble.mcp);
    let large = told(&modern.call(1, "large", &json!({"bytes": 9 * 1024 * 1024})).await);
    assert!(large.contains("larger than 8388608 bytes"), "{large}");
    let answer = modern.call(2, "large", &json!({"bytes": 1024 * 1024})).await;
    assert_eq!(text(&answer).len(), 1024 * 1024);
    assert_eq!(text(&modern.call(3, "count", &json!({})).await), "3", "the same process");
}

#[tokio::test]
async fn who_does_not_read_keeps_nobody_from_his_answer() {
    let trouble = Trouble::start(&[], &[]).await;
    let client = Modern::new(&trouble.mcp);
    let params = json!({"name": "progress", "arguments": {"steps": 200_000}, "_meta": {"progressToken": 1}});
    let unread = client.request(1, "tools/call", &params).await;
    assert_eq!(text(&client.call(2, "count", &json!({})).await), "2");
    let last = unread.answer().await;
    assert_eq!(text(&last), "done", "what is lost is progress, and never the answer");
}

#[tokio::test]
async fn what_is_said_in_one_call_is_heard_in_no_other() {
    let wants_logs = |name: &str| -> Post {
        let meta = json!({"io.modelcontextprotocol/logLevel": "debug"});
        modern(
            &json!({}),
            1,
            "tools/call",
            &json!({"name": name, "arguments": {"secret": "s"}, "_meta": meta}),
        )
    };
    for (processes, heard) in [("shared", 0), ("per-session", 1)] {
        let trouble = Trouble::start(&["--processes", processes], &[]).await;
        let said = trouble.mcp.post(&wants_logs("tell")).await.all().await;
        assert_eq!(text(said.last().unwrap()), "told");
        let logs = said.iter().filter(|it| it["method"] == "notifications/message").count();
        assert_eq!(logs, heard, "{processes}: {said:?}");
        assert!(!said.iter().any(is_request));
    }
}

#[tokio::test]
async fn a_call_that_hangs_ends_at_its_deadline_and_a_process_of_ones_own_hangs_alone() {
    let trouble = Trouble::start(&["--processes", "per-session", "--timeout", "3s"], &[]).await;
    let (stuck, free) = (Session::open(&trouble.mcp).await, Session::open(&trouble.mcp).await);
    let nothing = json!({});
    let hanging = stuck.start(1, "hang", &nothing);
    let working = async {
        for expected in ["1", "2", "3"] {
            assert_eq!(text(&free.call(1, "count", &json!({})).await), expected);
        }
    };
    let (hung, ()) = tokio::join!(hanging, working);
    told(&hung.answer().await);
}
