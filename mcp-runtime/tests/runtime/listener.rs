//! A client's end of a notification stream.

use crate::process::{Runtime, document};
use mcpfleet_protocol::sse::Decoder;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

pub(crate) const CHANGED: &str = "notifications/tools/list_changed";
const ACKNOWLEDGED: &str = "notifications/subscriptions/acknowledged";
const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

/// An open stream.
pub(crate) struct Listener {
    response: Response,
    decoder: Decoder,
}

impl Listener {
    /// Opens a legacy stream, and waits for its first bytes.
    pub(crate) async fn legacy(runtime: &Runtime, path: &str) -> Self {
        Self::opened_legacy(get(runtime, path).await).await
    }

    pub(crate) async fn opened_legacy(response: Response) -> Self {
        let mut listener = Self::new(response);
        // A comment: it is open.
        let first = listener.response.chunk().await.unwrap().unwrap();
        assert!(first.starts_with(b":"), "{first:?}");
        listener
    }

    /// Opens a modern stream, and waits for its acknowledgement.
    pub(crate) async fn modern(runtime: &Runtime, path: &str) -> Self {
        Self::opened_modern(listen(runtime, path).await).await
    }

    pub(crate) async fn opened_modern(response: Response) -> Self {
        let mut listener = Self::new(response);
        let first = listener.message().await.unwrap();
        assert_eq!(first["method"], ACKNOWLEDGED);
        assert_eq!(first["params"]["notifications"], json!({"toolsListChanged": true}));
        assert_eq!(first["params"]["_meta"][SUBSCRIPTION], 1);
        listener
    }

    fn new(response: Response) -> Self {
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        Self { response, decoder: Decoder::new(1 << 16) }
    }

    /// The next message; `None` at a clean end. A stream that is cut fails the test.
    pub(crate) async fn message(&mut self) -> Option<Value> {
        loop {
            if let Some(event) = self.decoder.next_event().unwrap() {
                return Some(serde_json::from_slice(&event.data).unwrap());
            }
            self.decoder.feed(&self.response.chunk().await.unwrap()?);
        }
    }

    /// Waits for the next change.
    pub(crate) async fn changed(&mut self) {
        assert_eq!(self.message().await.unwrap()["method"], CHANGED);
    }

    /// Reads to the end that a server makes: how many changes were told before it, and the last message.
    pub(crate) async fn rest(mut self) -> (usize, Option<Value>) {
        let (mut changes, mut last) = (0, None);
        while let Some(message) = self.message().await {
            changes += usize::from(message["method"] == CHANGED);
            last = Some(message);
        }
        (changes, last)
    }
}

/// What a legacy client sends to open a stream.
pub(crate) async fn get(runtime: &Runtime, path: &str) -> Response {
    let request = runtime.http.get(runtime.url(path)).header("accept", "text/event-stream");
    request.header("mcp-protocol-version", "2025-11-25").send().await.unwrap()
}

/// What a modern client sends to open a stream.
pub(crate) async fn listen(runtime: &Runtime, path: &str) -> Response {
    let filter = json!({"notifications": {"toolsListChanged": true, "promptsListChanged": true}});
    runtime.modern(path, "subscriptions/listen", &filter).send().await.unwrap()
}

/// Checks the last message of a modern stream: the empty response.
pub(crate) fn is_goodbye(last: Option<&Value>) -> bool {
    last.is_some_and(|last| {
        last["id"] == 1
            && last["result"]["resultType"] == "complete"
            && last["result"]["_meta"][SUBSCRIPTION] == 1
    })
}

/// What `initialize` and `server/discover` say of tools.
pub(crate) async fn tool_capabilities(runtime: &Runtime) -> [Value; 2] {
    let hello = json!({
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"},
    });
    let initialized = document(runtime.legacy("/mcp", "initialize", &hello).send().await.unwrap()).await;
    let discovered =
        document(runtime.modern("/mcp", "server/discover", &json!({})).send().await.unwrap()).await;
    [initialized, discovered].map(|answer| answer["result"]["capabilities"]["tools"].clone())
}
