//! Messages of ours, written around text that is JSON already.

use super::Id;
use crate::{
    ErrorCode,
    json::{JsonText, ObjectWriter},
};
use bytes::Bytes;
use serde_json::value::RawValue;

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

/// An error response. Without an id when the request's could not be read: MCP has no null ids
/// (2026-07-28, basic, "Error Responses").
pub fn error(id: Option<&Id<'_>>, code: ErrorCode, text: &str, data: Option<&JsonText>) -> Bytes {
    let error = ObjectWriter::new()
        .raw("code", &code.number().to_string())
        .text("message", text)
        .raw_some("data", data.map(JsonText::as_str))
        .finish();
    body(message().raw_some("id", id.map(Id::as_json)).raw("error", error.as_str()))
}

/// An error response whose error object came from an upstream ([`super::RpcError::raw`]).
pub fn forwarded_error(id: &Id<'_>, error: &RawValue) -> Bytes {
    body(message().raw("id", id.as_json()).raw("error", error.get()))
}

/// A notification; `params` must be an object.
pub fn notification(method: &str, params: Option<&JsonText>) -> Bytes {
    body(message().text("method", method).raw_some("params", params.map(JsonText::as_str)))
}

/// What a request says besides its id.
pub(crate) struct RequestText<'a> {
    pub(crate) method: &'a str,
    pub(crate) params: Option<&'a JsonText>,
}

/// A request.
pub(crate) fn request(id: &Id<'_>, text: &RequestText<'_>) -> Bytes {
    let call = message().raw("id", id.as_json()).text("method", text.method);
    body(call.raw_some("params", text.params.map(JsonText::as_str)))
}
