//! From messages to bytes.

use bytes::Bytes;
use std::{fmt::Write, time::Duration};

/// A comment: keeps intermediaries from closing a quiet stream (2026-07-28, streamable HTTP, "Receiving Messages").
pub const KEEP_ALIVE: &[u8] = b":\r\n\r\n";

/// One event of kind `message` around one JSON-RPC message. Line ends inside the JSON, which can only be whitespace
/// between tokens, become several data lines.
pub fn encode(message: &str, id: Option<&str>) -> Bytes {
    let mut out = String::with_capacity(message.len() + 32);
    out.push_str("event: message\n");
    push_id(&mut out, id);
    for line in message.split(['\n', '\r']) {
        out.push_str("data: ");
        out.push_str(line);
        out.push('\n');
    }
    out.push('\n');
    out.into()
}

/// The event that lets a client reconnect before there is anything to say: an id and no data
/// (2025-11-25, transports, "Sending Messages to the Server").
pub fn prime(id: &str, retry: Option<Duration>) -> Bytes {
    let mut out = String::new();
    push_id(&mut out, Some(id));
    if let Some(retry) = retry {
        // Writing to a String has no failing case.
        let _ = writeln!(out, "retry: {}", retry.as_millis());
    }
    out.push_str("data:\n\n");
    out.into()
}

/// Tells a client when to come back, before the server closes a stream on it (2025-11-25, transports, "Sending Messages to
/// the Server").
pub fn retry(after: Duration) -> Bytes {
    format!("retry: {}\n\n", after.as_millis()).into()
}

/// The first event of HTTP+SSE: where the client must POST its messages (2024-11-05, transports, "HTTP with SSE"). `None`
/// for a URI that would not fit into one line.
pub fn endpoint(uri: &str) -> Option<Bytes> {
    let fits = !uri.is_empty() && uri.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then(|| format!("event: endpoint\ndata: {uri}\n\n").into())
}

/// An id with a line end or a NUL would be another field or be ignored: it is left out.
fn push_id(out: &mut String, id: Option<&str>) {
    if let Some(id) = id.filter(|id| !id.contains(['\n', '\r', '\0'])) {
        out.push_str("id: ");
        out.push_str(id);
        out.push('\n');
    }
}
