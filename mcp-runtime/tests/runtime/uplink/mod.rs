//! The stream to the operator, with the real binary at one end.

mod drain;
mod keys;
mod operator;
mod restart;
mod stream;
mod trust;

use crate::{
    manifests::write,
    process::{Runtime, document, until},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use operator::{Authority, Operator};
use serde_json::{Value, json};
use std::path::PathBuf;
use tempfile::TempDir;

/// The files of a pod.
struct Pod {
    dir: TempDir,
}

impl Pod {
    /// With a token and an authority, and no configuration yet.
    fn new(authority: &Authority) -> Self {
        let pod = Self { dir: tempfile::tempdir().unwrap() };
        std::fs::create_dir(pod.path("state")).unwrap();
        pod.write("ca.crt", &authority.pem());
        pod.write("token", &token("first"));
        pod
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        write(self.dir.path(), name, text);
    }

    /// Mounts a configuration: its number first, since here they are two files.
    fn mount(&self, revision: u64, config: &str) {
        self.write("revision", &format!("{revision}\n"));
        self.write("config.json", config);
    }

    async fn start(&self, operator: &Operator) -> Runtime {
        self.start_with(operator, &[]).await
    }

    async fn start_with(&self, operator: &Operator, more: &[&str]) -> Runtime {
        let path = |name: &str| self.path(name).display().to_string();
        let (config, token, ca, state) = (path("config.json"), path("token"), path("ca.crt"), path("state"));
        let url = operator.url();
        let args = ["--config", &config, "--operator", &url, "--operator-token", &token];
        let rest = ["--operator-ca", &ca, "--state", &state];
        Runtime::start(&[&args[..], &rest, more].concat()).await
    }
}

/// As the API server would make it for `agents/support`, but for the signature.
fn token(id: &str) -> String {
    let claims = json!({"sub": "system:serviceaccount:agents:support", "jti": id});
    format!("e30.{}.x", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

/// A configuration whose tool `greet` says `text`.
fn saying(text: &str) -> String {
    with_tool(
        &json!({"name": "greet", "object": "greet", "inputSchema": {"type": "object"}, "timeoutMs": 1000,
                      "backend": {"static": {"text": text}}}),
    )
}

/// A configuration whose tool `work` asks `url`, one call at a time.
fn working(url: &str) -> String {
    with_tool(
        &json!({"name": "work", "object": "work", "inputSchema": {"type": "object"}, "timeoutMs": 60000,
                      "backend": {"http": {"method": "GET", "url": url, "body": "None",
                                           "maxResponseBytes": 1024}}}),
    )
}

fn with_tool(tool: &Value) -> String {
    json!({
        "format": 1, "server": {"namespace": "agents", "name": "support"},
        "listener": {"tls": null, "allowedOrigins": []}, "access": "Anonymous",
        "admission": {"concurrency": 1, "queueLength": 4, "queueTimeoutMs": 60000},
        "tools": [tool], "upstreams": [], "providers": [], "servesModels": false,
    })
    .to_string()
}

/// What `greet` says.
async fn said(runtime: &Runtime) -> Option<String> {
    let call = runtime.legacy("/mcp", "tools/call", &json!({"name": "greet"}));
    let answer = document(call.send().await.unwrap()).await;
    answer["result"]["content"][0]["text"].as_str().map(ToOwned::to_owned)
}

async fn until_said(runtime: &Runtime, text: &str) {
    until(text, || async { (said(runtime).await.as_deref() == Some(text)).then_some(()) }).await;
}

async fn until_logged(runtime: &Runtime, words: &str) {
    until(words, || async { runtime.logs().iter().any(|line| line.contains(words)).then_some(()) }).await;
}
