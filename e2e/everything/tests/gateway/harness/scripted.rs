//! An upstream that a test writes itself: it says whether a request is for it, and what bytes come back.

use super::until;
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What the upstream is told.
#[derive(Clone, Debug)]
struct Told {
    /// Such as `POST`.
    verb: String,
    /// The JSON-RPC message; null when there is none.
    message: Value,
}

/// What the upstream does about a call.
#[derive(Clone, Debug)]
pub(crate) enum Play {
    /// Sends these bytes, and closes the connection.
    Close(String),
    /// Sends these bytes, and says no more for as long as the other side stays.
    Hold(String),
}

type Script = dyn Fn(&Value) -> Play + Send + Sync;

/// A server of 2025-11-25 without sessions. Handshake and lists are right; `tools/call` is the test's.
pub(crate) struct Scripted {
    address: SocketAddr,
    book: Arc<Book>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Book {
    told: Mutex<Vec<Told>>,
    /// Calls held whose other side has gone.
    left: AtomicU64,
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Scripted {
    /// One that answers calls of its tool `work` as `script` says.
    pub(crate) async fn start(script: impl Fn(&Value) -> Play + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let book = Arc::<Book>::default();
        let (kept, script) = (book.clone(), Arc::new(script) as Arc<Script>);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, kept.clone(), script.clone()));
            }
        });
        Self { address, book, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// How many such messages came.
    pub(crate) fn count(&self, such: impl Fn(&Value) -> bool) -> usize {
        let told = self.book.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.iter().filter(|told| such(&told.message)).count()
    }

    /// How many calls came.
    pub(crate) fn calls(&self) -> usize {
        self.count(|message| message["method"] == "tools/call")
    }

    /// Waits until the other side of a held call has left.
    pub(crate) async fn until_left(&self) {
        until("the upstream to be left alone", || async {
            (self.book.left.load(Ordering::Relaxed) > 0).then_some(())
        })
        .await;
    }

    /// A response with this body.
    pub(crate) fn response(status: &str, kind: &str, body: &str) -> String {
        let length = body.len();
        format!(
            "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}"
        )
    }

    /// The beginning of a stream that says this and is never finished.
    pub(crate) fn stream(events: &str) -> String {
        let size = events.len();
        format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n\
             {size:x}\r\n{events}\r\n"
        )
    }
}

async fn answer(mut stream: TcpStream, book: Arc<Book>, script: Arc<Script>) {
    let Some(told) = read(&mut stream).await else { return };
    book.told.lock().unwrap_or_else(PoisonError::into_inner).push(told.clone());
    let is_call = told.message["method"] == "tools/call";
    let play = if is_call { script(&told.message) } else { Play::Close(proper(&told)) };
    match play {
        // Whoever asked may be gone.
        Play::Close(bytes) => drop(stream.write_all(bytes.as_bytes()).await),
        Play::Hold(bytes) => {
            drop(stream.write_all(bytes.as_bytes()).await);
            drop(stream.read(&mut [0]).await);
            book.left.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Told> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let lower = head.to_ascii_lowercase();
            let length = lower.lines().find_map(|line| line.strip_prefix("content-length:"));
            if body.len() >= length.map_or(0, |length| length.trim().parse().unwrap_or(0)) {
                let verb = head.split(' ').next().unwrap_or_default().to_owned();
                return Some(Told { verb, message: serde_json::from_str(body).unwrap_or_default() });
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// What a server of 2025-11-25 says to everything but a call.
fn proper(told: &Told) -> String {
    let method = told.message["method"].as_str().unwrap_or_default();
    if told.verb != "POST" {
        return Scripted::response("405 Method Not Allowed", "text/plain", "");
    }
    if told.message["id"].is_null() {
        return Scripted::response("202 Accepted", "text/plain", "");
    }
    let tool = json!({"name": "work", "description": "Works", "inputSchema": {"type": "object"}});
    let result = match method {
        "initialize" => json!({
            "protocolVersion": "2025-11-25", "capabilities": {"tools": {}},
            "serverInfo": {"name": "scripted", "version": "1"},
        }),
        "tools/list" => json!({"tools": [tool]}),
        "ping" => json!({}),
        _ => {
            let error = json!({"code": -32601, "message": "no such method"});
            let message = json!({"jsonrpc": "2.0", "id": told.message["id"], "error": error});
            return Scripted::response("400 Bad Request", "application/json", &message.to_string());
        }
    };
    let message = json!({"jsonrpc": "2.0", "id": told.message["id"], "result": result});
    Scripted::response("200 OK", "application/json", &message.to_string())
}
