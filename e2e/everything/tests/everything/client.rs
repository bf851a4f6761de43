//! A client that sends one request a connection, byte by byte as a test writes it.

use mcpfleet_everything::{Era, Options, serve};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A server of its own for each test.
pub(crate) struct Server {
    address: SocketAddr,
}

/// What came back.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) session: Option<String>,
    /// The body, or the last event of the stream.
    pub(crate) message: Value,
}

pub(crate) async fn server(era: Era) -> Server {
    server_with_pages(era, None).await
}

pub(crate) async fn server_with_pages(era: Era, page_size: Option<NonZeroUsize>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    let options = Options { era, page_size, extra: 0 };
    tokio::spawn(async move { serve(listener, &options).await });
    Server { address }
}

impl Server {
    /// Sends a request without waiting for what comes back.
    pub(crate) async fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.expect("a connection");
        let length = body.len();
        // HTTP/1.0: the reply ends with the connection, and is in one piece.
        let request = format!(
            "{method} {path} HTTP/1.0\r\nhost: {}\r\ncontent-type: application/json\r\n\
             accept: application/json, text/event-stream\r\ncontent-length: {length}\r\n{headers}\r\n{body}",
            self.address
        );
        stream.write_all(request.as_bytes()).await.expect("sent");
        stream
    }

    pub(crate) async fn request(&self, method: &str, path: &str, headers: &str, body: &str) -> Reply {
        let mut reply = String::new();
        let mut stream = self.send(method, path, headers, body).await;
        stream.read_to_string(&mut reply).await.expect("a reply");
        Reply::parse(&reply)
    }

    /// A request of 2025-11-25, in a session or not.
    pub(crate) async fn legacy(&self, session: Option<&str>, message: &Value) -> Reply {
        let session = session.map(|id| format!("mcp-session-id: {id}\r\n")).unwrap_or_default();
        let headers = format!("mcp-protocol-version: 2025-11-25\r\n{session}");
        self.request("POST", "/mcp", &headers, &message.to_string()).await
    }

    /// A session of 2025-11-25: its id.
    pub(crate) async fn session(&self) -> String {
        let reply = self.legacy(None, &initialize("2025-11-25")).await;
        let session = reply.session.expect("a session id");
        let initialized = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        assert_eq!(self.legacy(Some(&session), &initialized).await.status, 202);
        session
    }

    /// A request of 2026-07-28 from a client that can be elicited.
    pub(crate) async fn modern(&self, method: &str, params: Value) -> Reply {
        let (headers, body) = modern(method, params);
        self.request("POST", "/mcp", &headers, &body).await
    }

    pub(crate) async fn ledger(&self) -> Value {
        self.request("GET", "/ledger", "", "").await.message
    }

    /// Waits until the ledger says so; a test that waits in vain ends after a minute.
    pub(crate) async fn until(&self, pointer: &str, value: &Value) {
        let said = async {
            while self.ledger().await.pointer(pointer) != Some(value) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), said).await.expect("the ledger never said so");
    }
}

/// Headers and body of a request of 2026-07-28.
pub(crate) fn modern(method: &str, mut params: Value) -> (String, String) {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": { "elicitation": {} },
    });
    let name = params["name"].as_str().map(|name| format!("mcp-name: {name}\r\n")).unwrap_or_default();
    let headers = format!("mcp-protocol-version: 2026-07-28\r\nmcp-method: {method}\r\n{name}");
    (headers, json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string())
}

pub(crate) fn initialize(version: &str) -> Value {
    let params = json!({
        "protocolVersion": version, "capabilities": {}, "clientInfo": { "name": "test", "version": "1" },
    });
    json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params })
}

impl Reply {
    fn parse(reply: &str) -> Self {
        let (head, body) = reply.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let mut headers = head.lines().filter_map(|line| line.split_once(": "));
        let session = headers.find(|(name, _)| *name == "mcp-session-id").map(|(_, value)| value.to_owned());
        let event = body.lines().rfind(|line| line.starts_with("data: {"));
        let message = event.map_or(body, |line| line.trim_start_matches("data: "));
        Self { status, session, message: serde_json::from_str(message).unwrap_or_default() }
    }
}
