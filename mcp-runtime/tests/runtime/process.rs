//! A running `mcp-runtime serve`, and how to talk to it.

use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// Generous: a loaded machine is slow, and nothing here measures time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The process. It is killed when dropped.
pub(crate) struct Runtime {
    child: Child,
    pub(crate) data: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) http: Client,
    logs: Arc<Mutex<Vec<String>>>,
}

impl Runtime {
    /// Starts on a directory of manifests, and waits until it is ready.
    pub(crate) async fn on(dir: &Path) -> Self {
        let runtime = Self::start(&["-f", &dir.display().to_string()]).await;
        runtime.until_ready().await;
        runtime
    }

    /// Starts with these arguments on free ports, and waits until it listens.
    pub(crate) async fn start(args: &[&str]) -> Self {
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let mut child = Command::new(env!("CARGO_BIN_EXE_mcp-runtime"))
            .arg("serve")
            .args(args)
            .args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"])
            .env("RUST_LOG", "debug")
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let logs = Arc::new(Mutex::new(Vec::new()));
        let (stderr, lines) = (child.stderr.take().unwrap(), logs.clone());
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                lines.lock().unwrap().push(line);
            }
        });
        let listening = until("the runtime to listen", || async {
            let lines = logs.lock().unwrap();
            lines.iter().find(|line| line.contains("\"listening\"")).cloned()
        })
        .await;
        let listening: Value = serde_json::from_str(&listening).unwrap();
        let address = |name: &str| listening[name].as_str().unwrap().parse().unwrap();
        let http = Client::builder().no_proxy().build().unwrap();
        Self { child, data: address("listen"), admin: address("admin"), http, logs }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.data)
    }

    pub(crate) async fn until_ready(&self) {
        until("readiness", || async { (self.readyz().await.0 == StatusCode::OK).then_some(()) }).await;
    }

    /// Status and document of `/readyz`.
    pub(crate) async fn readyz(&self) -> (StatusCode, Value) {
        let response = self.http.get(format!("http://{}/readyz", self.admin)).send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    /// Body of a path of the admin port.
    pub(crate) async fn admin(&self, path: &str) -> String {
        self.http.get(format!("http://{}{path}", self.admin)).send().await.unwrap().text().await.unwrap()
    }

    /// A legacy request to an endpoint.
    pub(crate) fn legacy(&self, path: &str, method: &str, params: &Value) -> RequestBuilder {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        self.http
            .post(self.url(path))
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2025-11-25")
            .json(&body)
    }

    /// A modern request to an endpoint.
    pub(crate) fn modern(&self, path: &str, method: &str, params: &Value) -> RequestBuilder {
        let mut params = params.clone();
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let request = self
            .http
            .post(self.url(path))
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", method);
        match params["name"].as_str() {
            Some(name) => request.header("mcp-name", name).json(&body),
            None => request.json(&body),
        }
    }

    /// Names of the tools that `/mcp` lists.
    pub(crate) async fn tools(&self) -> Vec<String> {
        let answer = document(self.legacy("/mcp", "tools/list", &json!({})).send().await.unwrap()).await;
        let tools = answer["result"]["tools"].as_array().cloned().unwrap_or_default();
        tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn logs(&self) -> Vec<String> {
        self.logs.lock().unwrap().clone()
    }

    /// Sends a signal by its number.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the process to end.
    pub(crate) async fn exit(mut self) -> ExitStatus {
        until("the process to end", || {
            let ended = self.child.try_wait().unwrap();
            async move { ended }
        })
        .await
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

pub(crate) async fn document(response: Response) -> Value {
    let text = response.text().await.unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Asks again until there is an answer.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let give_up = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < give_up, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
