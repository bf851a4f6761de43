//! A client of one of the revisions up to 2025-11-25, in a session.

use super::{Endpoint, Post, Reply, is_request, notification, request};
use http::StatusCode;
use serde_json::{Value, json};

/// A session, or what a test makes of one.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) endpoint: Endpoint,
    pub(crate) id: String,
    pub(crate) revision: String,
}

/// The first message.
pub(crate) fn initialize(revision: &str, capabilities: &Value) -> Value {
    let params = json!({
        "protocolVersion": revision,
        "capabilities": capabilities,
        "clientInfo": {"name": "test", "version": "1"},
    });
    request(0, "initialize", &params)
}

impl Session {
    /// One of 2025-11-25 whose client can be asked everything.
    pub(crate) async fn open(endpoint: &Endpoint) -> Self {
        Self::of(endpoint, "2025-11-25", &json!({"elicitation": {}, "sampling": {}, "roots": {}})).await
    }

    /// One of this revision.
    pub(crate) async fn of(endpoint: &Endpoint, revision: &str, capabilities: &Value) -> Self {
        let reply = endpoint.post(&Post::message(&initialize(revision, capabilities))).await;
        assert_eq!(reply.status, StatusCode::OK);
        let id = reply.header("mcp-session-id").expect("a session id").to_owned();
        let answer = reply.answer().await;
        assert_eq!(answer["result"]["protocolVersion"], revision, "{answer}");
        let session = Self { endpoint: endpoint.clone(), id, revision: revision.to_owned() };
        let ready = session.notify("notifications/initialized", &json!({})).await;
        assert_eq!(ready.status, StatusCode::ACCEPTED);
        session
    }

    /// The same session asked for elsewhere.
    pub(crate) fn at(&self, endpoint: &Endpoint) -> Self {
        Self { endpoint: endpoint.clone(), ..self.clone() }
    }

    /// A message with the headers of the session.
    pub(crate) fn post(&self, message: &Value) -> Post {
        let post = Post::message(message).with("mcp-session-id", &self.id);
        // The header came with 2025-06-18.
        if self.revision.as_str() < "2025-06-18" {
            post
        } else {
            post.with("mcp-protocol-version", &self.revision)
        }
    }

    pub(crate) async fn send(&self, message: &Value) -> Reply {
        self.endpoint.post(&self.post(message)).await
    }

    pub(crate) async fn request(&self, id: impl Into<Value>, method: &str, params: &Value) -> Reply {
        self.send(&request(id, method, params)).await
    }

    pub(crate) async fn notify(&self, method: &str, params: &Value) -> Reply {
        self.send(&notification(method, params)).await
    }

    pub(crate) async fn start(&self, id: impl Into<Value>, tool: &str, arguments: &Value) -> Reply {
        self.request(id, "tools/call", &json!({"name": tool, "arguments": arguments})).await
    }

    /// Calls a tool that asks nothing; its answer.
    pub(crate) async fn call(&self, id: impl Into<Value>, tool: &str, arguments: &Value) -> Value {
        self.start(id, tool, arguments).await.answer().await
    }

    /// Answers a request of the server's.
    pub(crate) async fn respond(&self, asked: &Value, result: &Value) {
        let message = json!({"jsonrpc": "2.0", "id": asked["id"], "result": result});
        assert_eq!(self.send(&message).await.status, StatusCode::ACCEPTED);
    }

    /// Reads to the answer, and answers what the server asks on the way.
    pub(crate) async fn converse(&self, mut reply: Reply, answers: impl Fn(&Value) -> Value) -> Value {
        let mut last = None;
        while let Some(message) = reply.next().await {
            if is_request(&message) {
                self.respond(&message, &answers(&message)).await;
            } else {
                last = Some(message);
            }
        }
        last.expect("an answer")
    }

    /// The stream of what the server says by itself.
    pub(crate) async fn listen(&self) -> Reply {
        self.endpoint
            .get(&[
                ("accept", "text/event-stream"),
                ("mcp-session-id", &self.id),
                ("mcp-protocol-version", &self.revision),
            ])
            .await
    }

    pub(crate) async fn delete(&self) -> Reply {
        let headers = [("mcp-session-id", self.id.as_str()), ("mcp-protocol-version", &self.revision)];
        self.endpoint.delete(&headers).await
    }
}
