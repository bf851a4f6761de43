//! What goes out.

use crate::{
    header::{Arguments, METHOD, NAME, PROTOCOL_VERSION, ParamHeader, encode_value},
    json::JsonText,
    jsonrpc::{Id, request},
};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue,
    header::{ACCEPT, CONTENT_TYPE},
};

/// Headers and body of a POST to the MCP endpoint. Credentials and tracing are the caller's to add. On stdio the body
/// is the line.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Everything that the protocol asks for.
    pub headers: HeaderMap,
    /// One JSON-RPC message.
    pub body: Bytes,
}

impl Outgoing {
    /// Adds `Mcp-Param-*` to a `tools/call` for a modern server: `params` from [`crate::Tool::param_headers`],
    /// `arguments` as in [`super::Ask::CallTool`].
    #[must_use]
    pub fn with_param_headers(mut self, params: &[ParamHeader], arguments: &str) -> Self {
        let mut arguments = Arguments::new(arguments);
        for param in params {
            let value = arguments.value_of(param);
            // An encoded value is visible ASCII, so this always holds.
            if let Some(Ok(value)) = value.map(|value| HeaderValue::from_str(&encode_value(&value))) {
                self.headers.insert(param.header().clone(), value);
            }
        }
        self
    }
}

/// Headers of every POST (2026-07-28 and 2025-11-25, "Sending Messages").
pub(super) fn common_headers() -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(6);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    headers
}

pub(super) fn version_header(headers: &mut HeaderMap, revision: crate::Revision) {
    headers.insert(PROTOCOL_VERSION, HeaderValue::from_static(revision.as_str()));
}

/// Mirrors of the body (2026-07-28, streamable HTTP, "Standard Request Headers").
pub(super) fn mirror(headers: &mut HeaderMap, method: &'static str, name: Option<&str>) {
    headers.insert(METHOD, HeaderValue::from_static(method));
    // An encoded value is visible ASCII, so this always holds.
    if let Some(Ok(value)) = name.map(|name| HeaderValue::from_str(&encode_value(name))) {
        headers.insert(NAME, value);
    }
}

pub(super) fn post(headers: HeaderMap, id: &Id<'_>, method: &str, params: Option<&JsonText>) -> Outgoing {
    Outgoing { headers, body: request(id, method, params) }
}
