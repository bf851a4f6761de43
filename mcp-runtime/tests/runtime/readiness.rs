//! A deaf data listener beside a healthy process and admin port is not ready.

use crate::{
    certificate::{self, Files, NAME},
    manifests::{fixed, fleet, write},
    process::{Runtime, until},
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A pod's files: a configuration that wants TLS, and a certificate where there is one.
fn pod(files: Option<&Files>) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let config = json!({
        "format": 1, "server": {"namespace": "agents", "name": "support"},
        "listener": {"tls": {"secret": "cert", "serverName": NAME}, "allowedOrigins": []}, "access": "Anonymous",
        "admission": {"concurrency": 4, "queueLength": 4, "queueTimeoutMs": 1000},
        "tools": [], "upstreams": [], "providers": [], "servesModels": false,
    });
    write(dir.path(), "config.json", &config.to_string());
    std::fs::create_dir(dir.path().join("tls")).unwrap();
    if let Some(files) = files {
        files.write(&dir.path().join("tls"));
    }
    dir
}

async fn start(dir: &Path) -> Runtime {
    let (config, tls) = (dir.join("config.json"), dir.join("tls"));
    Runtime::start(&["--config", &config.display().to_string(), "--tls-dir", &tls.display().to_string()])
        .await
}

/// Waits for a reason that contains `word`; never ready on the way there.
async fn until_refused(runtime: &Runtime, word: &str) {
    until(word, || async {
        let (status, answer) = runtime.readyz().await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{answer}");
        answer["reason"].as_str().filter(|reason| reason.contains(word)).map(|_| ())
    })
    .await;
    assert_eq!(runtime.admin("/livez").await, "ok\n");
    assert!(runtime.admin("/metrics").await.contains("mcpfleet_ready 0"));
}

async fn never_ready(files: Option<&Files>, word: &str) {
    let dir = pod(files);
    until_refused(&start(dir.path()).await, word).await;
}

#[tokio::test]
async fn a_good_certificate_is_ready_and_serves_no_plain_http() {
    let dir = pod(Some(&certificate::good()));
    let runtime = start(dir.path()).await;
    runtime.until_ready().await;
    let plain = runtime.http.get(runtime.url("/mcp")).send().await;
    assert!(plain.is_err(), "{plain:?}");
    let status: Value = serde_json::from_str(&runtime.admin("/status").await).unwrap();
    assert_eq!(status["tls"]["loaded"], true);
}

#[tokio::test]
async fn a_chain_is_ready_too() {
    let dir = pod(Some(&certificate::chained()));
    start(dir.path()).await.until_ready().await;
}

#[tokio::test]
async fn a_certificate_for_another_name_is_not_ready() {
    never_ready(Some(&certificate::other_name()), "not valid for name").await;
}

#[tokio::test]
async fn an_expired_certificate_is_not_ready() {
    never_ready(Some(&certificate::expired()), "expired").await;
}

#[tokio::test]
async fn a_key_of_another_certificate_is_not_ready() {
    never_ready(Some(&certificate::mismatched()), "does not belong").await;
}

#[tokio::test]
async fn a_chain_that_does_not_hold_is_not_ready() {
    never_ready(Some(&certificate::broken_chain()), "TLS").await;
}

#[tokio::test]
async fn without_files_nothing_is_served_until_they_come() {
    let dir = pod(None);
    let runtime = start(dir.path()).await;
    until_refused(&runtime, "tls.crt").await;
    let mut stream = TcpStream::connect(runtime.data).await.unwrap();
    stream.write_all(b"GET /mcp HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    // Closed or reset, but never an answer in the clear.
    drop(stream.read_to_end(&mut answer).await);
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");

    certificate::good().write(&dir.path().join("tls"));
    runtime.until_ready().await;
}

#[tokio::test]
async fn a_new_certificate_must_prove_itself() {
    let dir = pod(Some(&certificate::good()));
    let runtime = start(dir.path()).await;
    runtime.until_ready().await;
    certificate::other_name().write(&dir.path().join("tls"));
    until("the verdict on the new one", || async {
        let (status, answer) = runtime.readyz().await;
        let reason = answer["reason"].as_str().unwrap_or_default();
        (status != StatusCode::OK && reason.contains("not valid for name")).then_some(())
    })
    .await;
    certificate::good().write(&dir.path().join("tls"));
    runtime.until_ready().await;
}

/// Every connection that the listener may hold is held, so that it accepts nobody: the process, the admin port and the
/// port itself look well.
#[tokio::test]
async fn a_listener_that_accepts_nobody_is_not_ready_and_recovers() {
    let dir = fleet(&[fixed("greet", "hello")]);
    let path = dir.path().display().to_string();
    let runtime = Runtime::start(&["-f", &path, "--max-connections", "2"]).await;
    runtime.until_ready().await;
    let mut hogs = Vec::new();
    until("a deaf listener", || {
        hogs.push(std::net::TcpStream::connect(runtime.data).unwrap());
        async {
            let (status, answer) = runtime.readyz().await;
            let reason = answer["reason"].as_str().unwrap_or_default().to_owned();
            (status != StatusCode::OK && reason.contains("does not answer")).then_some(())
        }
    })
    .await;
    assert_eq!(runtime.admin("/livez").await, "ok\n");
    drop(hogs);
    runtime.until_ready().await;
}
