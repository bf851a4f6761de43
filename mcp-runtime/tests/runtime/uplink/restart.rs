//! Which configuration counts when the operator is away, and after a restart.

use super::{
    Pod,
    operator::{Authority, Operator, term},
    said, saying, until_logged, until_said,
};
use crate::process::{Runtime, until};
use flate2::{Compression, write::GzEncoder};
use std::io::Write as _;

async fn fleet() -> (Operator, Pod) {
    let authority = Authority::new();
    let operator = Operator::start(&authority, "localhost", term(1)).await;
    (operator, Pod::new(&authority))
}

async fn until_kept(pod: &Pod, text: &str) {
    let kept = || std::fs::read_to_string(pod.path("state").join("accepted.config")).unwrap_or_default();
    until("the kept configuration", || async { kept().contains(text).then_some(()) }).await;
}

async fn restarted(pod: &Pod, operator: &Operator, runtime: Runtime) -> Runtime {
    drop(runtime);
    let runtime = pod.start(operator).await;
    runtime.until_ready().await;
    runtime
}

#[tokio::test]
async fn after_a_restart_the_newer_of_what_was_kept_and_the_file_serves() {
    let (mut operator, pod) = fleet().await;
    pod.mount(8, &saying("eight"));
    let runtime = pod.start(&operator).await;
    let mut stream = operator.caller().await;
    stream.push_accepted(9, &saying("nine")).await;
    until_kept(&pod, "nine").await;
    drop(operator);

    let (away, _) = fleet().await;
    let runtime = restarted(&pod, &away, runtime).await;
    assert_eq!(said(&runtime).await.as_deref(), Some("nine"));
    pod.mount(10, &saying("ten"));
    let runtime = restarted(&pod, &away, runtime).await;
    assert_eq!(said(&runtime).await.as_deref(), Some("ten"));
    // Of two, one that cannot be read leaves the other.
    pod.mount(11, "{");
    let runtime = restarted(&pod, &away, runtime).await;
    assert_eq!(said(&runtime).await.as_deref(), Some("nine"));
}

#[tokio::test]
async fn a_file_that_is_behind_the_stream_is_passed_over_and_one_that_is_ahead_counts() {
    let (mut operator, pod) = fleet().await;
    pod.mount(1, &saying("one"));
    let runtime = pod.start(&operator).await;
    let mut stream = operator.caller().await;
    stream.push_accepted(5, &saying("five")).await;
    pod.mount(4, &saying("four"));
    until_logged(&runtime, "older than what is served").await;
    assert_eq!(said(&runtime).await.as_deref(), Some("five"));
    drop((stream, operator));
    pod.mount(6, &saying("six"));
    until_said(&runtime, "six").await;
    assert!(runtime.admin("/status").await.contains("\"configRevision\":6"));
}

#[tokio::test]
async fn a_compressed_file_is_served_and_its_hash_is_that_of_what_is_in_it() {
    let (mut operator, pod) = fleet().await;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(saying("packed").as_bytes()).unwrap();
    std::fs::write(pod.path("config.json"), encoder.finish().unwrap()).unwrap();
    pod.write("revision", "7");
    let runtime = pod.start(&operator).await;
    let mut stream = operator.caller().await;
    let status = stream.status(|status| status.config_revision == 7).await;
    let hash = mcpfleet_config::ConfigHash::of(saying("packed").as_bytes());
    assert_eq!(status.config_hash, Some(hash));
    assert_eq!(said(&runtime).await.as_deref(), Some("packed"));
}

#[tokio::test]
async fn a_state_directory_that_cannot_be_written_keeps_nobody_from_serving() {
    let (mut operator, pod) = fleet().await;
    std::fs::remove_dir(pod.path("state")).unwrap();
    let runtime = pod.start(&operator).await;
    let mut stream = operator.caller().await;
    for (revision, text) in [(1, "one"), (2, "two")] {
        stream.push_accepted(revision, &saying(text)).await;
    }
    stream.push_accepted(3, &saying("three")).await;
    assert_eq!(said(&runtime).await.as_deref(), Some("three"));
    let told = runtime.logs().iter().filter(|line| line.contains("state directory")).count();
    assert_eq!(told, 1);
}
