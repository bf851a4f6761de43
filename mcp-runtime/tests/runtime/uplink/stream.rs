//! Configurations come down, acknowledgements and load go up.

use super::{
    Pod,
    operator::{Authority, Operator, term},
    said, saying, working,
};
use crate::{backend::Backend, process::document};
use mcpfleet_config::ConfigHash;
use serde_json::json;

async fn fleet() -> (Operator, Pod) {
    let authority = Authority::new();
    let operator = Operator::start(&authority, "localhost", term(1)).await;
    (operator, Pod::new(&authority))
}

#[tokio::test]
async fn the_first_configuration_that_is_pushed_makes_it_serve() {
    let (mut operator, pod) = fleet().await;
    let runtime = pod.start(&operator).await;
    let mut stream = operator.caller().await;
    let hello = stream.hello().await;
    assert_eq!(
        (hello.server.to_string().as_str(), hello.format),
        ("agents/support", mcpfleet_config::FORMAT)
    );
    let status = stream.status(|_| true).await;
    assert_eq!((status.config_hash, status.ready), (None, false));
    assert_eq!(runtime.admin("/startupz").await, "ok\n");
    let status = stream.push_accepted(5, &saying("hello")).await;
    assert_eq!(status.config_revision, 5);
    stream.status(|status| status.ready && status.tools == 1).await;
    assert_eq!(said(&runtime).await.as_deref(), Some("hello"));
    // Whatever its revision, the operator's word counts.
    assert_eq!(stream.push_accepted(3, &saying("again")).await.config_revision, 3);
    assert_eq!(said(&runtime).await.as_deref(), Some("again"));
}

#[tokio::test]
async fn what_cannot_be_served_is_refused_with_its_reason_and_the_old_serves_on() {
    let (mut operator, pod) = fleet().await;
    pod.mount(1, &saying("one"));
    let runtime = pod.start_with(&operator, &["--max-config-format", "1"]).await;
    let mut stream = operator.caller().await;
    assert_eq!(stream.hello().await.format, 1);
    let served = stream.status(|status| status.config_hash.is_some()).await.config_hash;
    let newer = saying("two").replace("\"format\":1", "\"format\":2");
    let foreign = saying("two").replace("\"name\":\"support\"", "\"name\":\"other\"");
    let damaged = ConfigHash::of(b"what was meant");
    let sent = [
        (damaged, saying("two"), "damaged on the way"),
        (ConfigHash::of(newer.as_bytes()), newer, "format 2"),
        (ConfigHash::of(foreign.as_bytes()), foreign, "agents/other"),
        (ConfigHash::of(b"{"), "{".to_owned(), "cannot be read"),
    ];
    for (hash, text, why) in sent {
        stream.push_as(2, &hash, &text);
        let status = stream.status(|status| status.rejected.as_ref().is_some_and(|no| no.hash == hash)).await;
        assert!(status.rejected.as_ref().is_some_and(|no| no.message.contains(why)), "{status:?}");
        assert_eq!((&status.config_hash, status.config_revision), (&served, 1));
        assert_eq!(said(&runtime).await.as_deref(), Some("one"));
    }
    // Given back what it serves, it acknowledges that, and nothing is refused any more.
    assert_eq!(stream.push_accepted(1, &saying("one")).await.config_hash, served);
}

#[tokio::test]
async fn every_push_is_acknowledged_even_when_nothing_changes() {
    let (mut operator, pod) = fleet().await;
    pod.mount(1, &saying("one"));
    let _runtime = pod.start(&operator).await;
    let mut stream = operator.caller().await;
    stream.status(|status| status.ready).await;
    for _ in 0..3 {
        stream.push_accepted(1, &saying("one")).await;
    }
}

#[tokio::test]
async fn a_large_configuration_arrives_whole() {
    let (mut operator, pod) = fleet().await;
    let _runtime = pod.start(&operator).await;
    let mut stream = operator.caller().await;
    stream.push_accepted(1, &saying(&"x".repeat(800 * 1024))).await;
}

#[tokio::test]
async fn calls_that_queue_are_told_and_counted() {
    let (mut operator, pod) = fleet().await;
    let backend = Backend::start().await;
    pod.mount(1, &working(&backend.url()));
    let runtime = pod.start(&operator).await;
    runtime.until_ready().await;
    let mut stream = operator.caller().await;
    let calls = [(); 3].map(|()| {
        let call = runtime.modern("/mcp", "tools/call", &json!({"name": "work"}));
        tokio::spawn(async move { document(call.send().await.unwrap()).await })
    });
    let report = stream.report(|report| report.signals.queued == 2).await;
    assert_eq!((report.signals.running, report.signals.concurrency, report.signals.queue_length), (1, 1, 4));
    backend.answer(3);
    for call in calls {
        assert_eq!(call.await.unwrap()["result"]["content"][0]["text"], "done");
    }
    let after = stream.report(|report| report.signals.finished == 3).await.signals;
    assert_eq!((after.running, after.queued, after.refused), (0, 0, 0));
    assert!(after.running_ms <= after.uptime_ms && after.service_ms >= after.running_ms.saturating_sub(3));
}

#[tokio::test]
async fn a_deposed_leader_is_hung_up_on() {
    let (mut operator, pod) = fleet().await;
    operator.behave(term(5));
    pod.mount(1, &saying("one"));
    let runtime = pod.start(&operator).await;
    runtime.until_ready().await;
    drop(operator.caller().await);
    operator.behave(term(4));
    let mut deposed = operator.caller().await;
    deposed.push(2, &saying("of the past"));
    while deposed.next().await.is_some() {}
    assert_eq!(said(&runtime).await.as_deref(), Some("one"));
    operator.behave(term(6));
    // A dial that was under way may still meet the old term, and is hung up on too.
    loop {
        let mut stream = operator.caller().await;
        let hash = stream.push(3, &saying("three"));
        if stream.acknowledges(&hash).await {
            break;
        }
    }
    assert_eq!(said(&runtime).await.as_deref(), Some("three"));
}
