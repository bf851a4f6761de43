//! What the tests share: processes, an HTTP client that hides nothing, and the two eras' ways of speaking.

mod http;
mod legacy;
mod modern;
mod process;
mod program;
mod replicas;
mod scripted;

pub(crate) use http::{Endpoint, Post, Reply};
pub(crate) use legacy::{Session, initialize};
pub(crate) use modern::{Modern, modern};
pub(crate) use process::{Gateway, Manifests, Runtime, Upstream, UpstreamEra, piped};
pub(crate) use program::{Everything, Trouble};
pub(crate) use replicas::{Fate, Replicas, Sharing};
pub(crate) use scripted::{Play, Scripted};

use serde_json::{Value, json};
use std::{future::Future, time::Duration};

/// No machine is so slow. It bounds a test that would wait in vain, and measures nothing.
const PATIENCE: Duration = Duration::from_mins(1);
/// Between two looks at something that is to become true.
const GLANCE: Duration = Duration::from_millis(10);

/// Waits for `future`; a test that waits in vain fails, naming `what`.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    let awaited = tokio::time::timeout(PATIENCE, future).await;
    awaited.unwrap_or_else(|_| panic!("waited a minute in vain for {what}"))
}

/// Looks again and again until there is something.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let seen = async {
        loop {
            if let Some(value) = look().await {
                return value;
            }
            tokio::time::sleep(GLANCE).await;
        }
    };
    within(what, seen).await
}

/// A JSON-RPC request.
pub(crate) fn request(id: impl Into<Value>, method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id.into(), "method": method, "params": params})
}

/// A JSON-RPC notification.
pub(crate) fn notification(method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "method": method, "params": params})
}

/// The answer of a user who fills in a form.
pub(crate) fn accept(content: &Value) -> Value {
    json!({"action": "accept", "content": content})
}

/// The first text of a tool's result.
pub(crate) fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {answer}"))
}

/// Whether a message is a request of the server's.
pub(crate) fn is_request(message: &Value) -> bool {
    message["method"].is_string() && !message["id"].is_null()
}
