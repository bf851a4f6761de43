//! Several processes with one file of session keys: what one of them is asked, a peer hears through its peer port.

use crate::{
    manifests::{fixed, fleet, write},
    process::{Runtime, until},
};
use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt as _;
use mcpfleet_runtime::{
    peer::{PeerError, Peers, Unreached},
    seal::{Keyring, file::KeyFile},
};
use serde_json::Value;
use std::{path::Path, sync::Arc};

const FIRST: &str = "8b1f0c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";
const SECOND: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// Where the process says that other replicas reach it.
pub(crate) async fn advertised(runtime: &Runtime) -> String {
    let line = until("the peer port", || async {
        runtime.logs().into_iter().find(|line| line.contains("listening for other replicas"))
    })
    .await;
    serde_json::from_str::<Value>(&line).unwrap()["advertised"].as_str().unwrap().to_owned()
}

/// What the process at `to` answers to a replica with these keys.
pub(crate) async fn asked(keys: &Arc<Keyring>, to: &str) -> Result<String, PeerError> {
    let body = r#"{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}"#;
    let request = Request::post("/mcp")
        .header("accept", "application/json, text/event-stream")
        .header("content-type", "application/json")
        .header("mcp-protocol-version", "2025-11-25")
        .body(Bytes::from_static(body.as_bytes()))
        .unwrap();
    let answer = Peers::new(keys.clone(), "127.0.0.1:1".parse().unwrap()).forward(to, request).await?;
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    Ok(String::from_utf8(body.to_vec()).unwrap())
}

fn keys_of(path: &Path) -> Arc<Keyring> {
    let keys = Keyring::random().unwrap();
    KeyFile::open(path, &keys).unwrap();
    keys
}

#[tokio::test]
async fn processes_with_one_key_file_answer_each_other_and_follow_its_changes() {
    let (dir, secrets) = (fleet(&[fixed("greet", "hello")]), tempfile::tempdir().unwrap());
    let path = secrets.path().join("keys");
    write(secrets.path(), "keys", &format!("{FIRST}\n"));
    let manifests = dir.path().display().to_string();
    let file = path.display().to_string();
    let args = ["-f", &manifests, "--session-keys", &file, "--peer", "127.0.0.1:0"];
    let (one, other) = tokio::join!(Runtime::start(&args), Runtime::start(&args));
    let first = keys_of(&path);
    let mut before = 0;
    for runtime in [&one, &other] {
        runtime.until_ready().await;
        let answer = asked(&first, &advertised(runtime).await).await.unwrap();
        assert!(answer.contains("greet"), "{answer}");
        assert!(!runtime.logs().join("\n").contains(&FIRST[..16]), "a key in the log");
        before += requests(runtime).await;
    }
    assert_eq!(before, 0, "a forwarded request was counted where the client reached us");

    write(secrets.path(), "keys", &format!("{SECOND}\n"));
    let second = keys_of(&path);
    let to = advertised(&one).await;
    until("the new key", || async { asked(&second, &to).await.ok() }).await;
    let refused = asked(&first, &to).await.unwrap_err();
    assert!(matches!(refused, PeerError::Unreachable { why: Unreached::Unproved(_), .. }), "{refused:?}");
}

/// Requests for MCP that the process has counted.
async fn requests(runtime: &Runtime) -> usize {
    let metrics = runtime.admin("/metrics").await;
    metrics.lines().filter(|line| line.starts_with("mcpfleet_http_requests_total{route=\"mcp\"")).count()
}

#[tokio::test]
async fn flags_that_cannot_work_are_refused_with_the_reason() {
    let (dir, secrets) = (fleet(&[fixed("greet", "hello")]), tempfile::tempdir().unwrap());
    write(secrets.path(), "keys", "# none\nshort\n");
    let file = secrets.path().join("keys").display().to_string();
    for (more, said) in [
        (vec!["--session-keys", &file], "line 2 is no key"),
        (vec!["--session-keys", "/does/not/exist"], "/does/not/exist"),
        (vec!["--peer", "0.0.0.0:0"], "--peer-advertise"),
        (vec!["--peer-advertise", "10.0.0.1"], "--peer"),
        (vec!["--peer", "127.0.0.1:0", "--peer-advertise", "pod-1"], "neither an IP address"),
    ] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_mcp-runtime"))
            .args(["serve", "-f"])
            .arg(dir.path())
            .args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"])
            .args(&more)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && told.contains(said), "{more:?}: {told}");
    }
}
