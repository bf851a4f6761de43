//! What is sent to an upstream again, and what is not.

use crate::{
    callers::{Client, tool_call},
    mcp::{connected, count, modern, said, tool},
    server::{Server, dies},
};
use mcpfleet_runtime::{
    call::{CallError, Outcome},
    upstream::{Pool, Repeat},
};
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Calls the tool `t`, which may be sent again as `repeat` says.
async fn call_repeating(pool: &Pool, repeat: Repeat) -> Result<Value, CallError> {
    let (request, caller) = (tool_call("t", &json!({})), Client::modern(0).silent());
    match pool.line("up")?.repeating(repeat).send("up", &request, &caller, None).await? {
        Outcome::Forwarded(result) => Ok(serde_json::from_str(result.get()).unwrap()),
        other => panic!("{other:?}"),
    }
}

/// A modern server whose first calls die.
async fn shaky(deaths: usize) -> Server {
    let left = Arc::new(AtomicUsize::new(deaths));
    Server::start(move |seen| {
        let dying =
            || left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        std::future::ready(
            modern(&seen, &[tool("t")]).unwrap_or_else(|| if dying() { dies() } else { said(&seen, "done") }),
        )
    })
    .await
}

#[tokio::test]
async fn what_may_be_repeated_is_sent_again_a_few_times_and_what_may_not_never() {
    let server = shaky(2).await;
    let pool = connected(&server).await;
    let outcome = call_repeating(&pool, Repeat::Idempotent).await.unwrap();
    assert_eq!(outcome["content"][0]["text"], "done");
    assert_eq!(count(&server.seen(), "tools/call"), 3);

    let server = shaky(1).await;
    let pool = connected(&server).await;
    call_repeating(&pool, Repeat::Unsent).await.unwrap_err();
    assert_eq!(count(&server.seen(), "tools/call"), 1);
}

#[tokio::test]
async fn a_server_that_always_dies_is_not_sent_more_than_its_budget_allows() {
    let server = shaky(1000).await;
    let pool = connected(&server).await;
    for _ in 0..20 {
        call_repeating(&pool, Repeat::Idempotent).await.unwrap_err();
    }
    // 20 calls, 10 that may be repeated at once, and what the 20 have earned by and by.
    let calls = count(&server.seen(), "tools/call");
    assert!((30..=32).contains(&calls), "{calls}");
}
