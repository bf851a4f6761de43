//! Messages of ours, written around text that is JSON already.

use super::Id;
use crate::{
    ErrorCode,
    json::{JsonText, Members, ObjectWriter},
};
use bytes::Bytes;

fn message() -> ObjectWriter {
    ObjectWriter::new().raw("jsonrpc", "\"2.0\"")
}

fn body(message: ObjectWriter) -> Bytes {
    Bytes::from(message.into_string())
}

/// A success response.
pub fn success(id: &Id<'_>, result: &JsonText) -> Bytes {
    body(message().raw("id", id.as_json()).raw("result", result.as_str()))
}

/// An error response. Without an id when the request's could not be read (2026-07-28 and 2025-11-25, schema,
/// `JSONRPCErrorResponse`; as the body of a refused POST since 2025-03-26, transports, "Sending Messages to the Server").
pub fn error(id: Option<&Id<'_>>, code: ErrorCode, text: &str, data: Option<&JsonText>) -> Bytes {
    let error = ObjectWriter::new()
        .raw("code", &code.number().to_string())
        .text("message", text)
        .raw_some("data", data.map(JsonText::as_str))
        .finish();
    body(message().raw_some("id", id.map(Id::as_json)).raw("error", error.as_str()))
}

/// The same for a request whose id could not be read, as base JSON-RPC has it: with a null id (JSON-RPC 2.0, section 5).
pub fn error_with_null_id(code: ErrorCode, text: &str) -> Bytes {
    let error = ObjectWriter::new().raw("code", &code.number().to_string()).text("message", text).finish();
    body(message().raw("id", "null").raw("error", error.as_str()))
}

/// A response under another id; `None` when `message` is none.
pub fn with_id(response: &[u8], id: &Id<'_>) -> Option<Bytes> {
    let members = Members::parse(std::str::from_utf8(response).ok()?)?;
    let (outcome, value) = members.iter().find(|(key, _)| matches!(*key, "result" | "error"))?;
    Some(body(message().raw("id", id.as_json()).raw(outcome, value.get())))
}

/// An error response whose error object came from an upstream, as [`crate::answer::translate_error`] gives it.
pub fn forwarded_error(id: &Id<'_>, error: &JsonText) -> Bytes {
    body(message().raw("id", id.as_json()).raw("error", error.as_str()))
}

/// A notification; `params` must be an object.
pub fn notification(method: &str, params: Option<&JsonText>) -> Bytes {
    body(message().text("method", method).raw_some("params", params.map(JsonText::as_str)))
}

/// A request; `params` must be an object.
pub fn request(id: &Id<'_>, method: &str, params: Option<&JsonText>) -> Bytes {
    let call = message().raw("id", id.as_json()).text("method", method);
    body(call.raw_some("params", params.map(JsonText::as_str)))
}

/// The answers to a batch, each as [`success`] and [`error`] give it (JSON-RPC 2.0, section 6). A batch that nothing
/// answers has no body at all: do not send an empty one.
pub fn batch(messages: &[Bytes]) -> Bytes {
    let length = messages.iter().map(|message| message.len() + 1).sum::<usize>();
    let mut out = Vec::with_capacity(length + 1);
    for message in messages {
        out.push(if out.is_empty() { b'[' } else { b',' });
        out.extend_from_slice(message);
    }
    if out.is_empty() {
        out.push(b'[');
    }
    out.push(b']');
    out.into()
}
