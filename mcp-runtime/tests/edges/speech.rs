//! What scripted servers say on a stream, message by message.

use crate::{
    mcp::message,
    server::{Body, Seen, streamed},
};
use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};
use std::io;
use tokio::sync::mpsc;

pub(crate) type Sender = mpsc::Sender<io::Result<Bytes>>;

pub(crate) async fn says(
    events: &Sender,
    message: &Value,
) -> Result<(), mpsc::error::SendError<io::Result<Bytes>>> {
    events.send(Ok(Bytes::from(format!("data: {message}\n\n")))).await
}

pub(crate) fn notification(method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "method": method, "params": params})
}

pub(crate) fn question(id: &str, method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

pub(crate) fn done(seen: &Seen) -> Value {
    serde_json::from_str(&message(seen, "result", json!({"content": [], "resultType": "complete"}))).unwrap()
}

/// A stream on which a task of the script's speaks.
pub(crate) fn speaking<W>(speak: impl FnOnce(Sender) -> W) -> Response<Body>
where
    W: Future<Output = ()> + Send + 'static,
{
    let (events, response) = streamed("text/event-stream");
    tokio::spawn(speak(events));
    response
}
