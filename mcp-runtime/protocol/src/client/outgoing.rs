//! What goes out.

use crate::{
    header::{Arguments, METHOD, NAME, PROTOCOL_VERSION, ParamHeader, encode_value},
    json::{JsonText, Members, ObjectWriter},
    jsonrpc::{Id, RequestText, request},
    server::key,
};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue,
    header::{ACCEPT, CONTENT_TYPE},
};
use serde_json::value::RawValue;

/// Headers and body of a POST to the MCP endpoint. Credentials and tracing are the caller's to add.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Everything that the protocol asks for.
    pub headers: HeaderMap,
    /// One JSON-RPC message.
    pub body: Bytes,
}

impl Outgoing {
    /// Adds `Mcp-Param-*` to a `tools/call` for a modern server: `params` from [`crate::Tool::param_headers`],
    /// `arguments` as in [`CallParams`].
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

/// What a `tools/call` says.
#[derive(Clone, Copy, Debug)]
pub struct CallParams<'a> {
    /// The upstream's own name of the tool, without our prefix.
    pub name: &'a str,
    /// An object as JSON text; [`crate::server::CallTool::arguments_json`] gives it.
    pub arguments: &'a str,
    /// Asks for progress; ours, not the client's.
    pub progress_token: Option<&'a Id<'a>>,
    /// `_meta` members of the client to hand on, such as `traceparent`. Those that belong to one hop (revision, client,
    /// capabilities, log level, progress token) are left out and written anew.
    pub meta: Option<&'a RawValue>,
}

impl CallParams<'_> {
    /// `_meta` so far: the client's own members and the progress token.
    pub(super) fn meta(&self) -> ObjectWriter {
        let members = self.meta.and_then(Members::read).unwrap_or_default();
        let own = members.iter().filter(|(key, _)| !is_hop_key(key));
        let writer = own.fold(ObjectWriter::new(), |writer, (key, value)| writer.raw(key, value.get()));
        writer.raw_some("progressToken", self.progress_token.map(Id::as_json))
    }
}

fn is_hop_key(key: &str) -> bool {
    matches!(
        key,
        key::PROTOCOL_VERSION
            | key::CLIENT_INFO
            | key::CLIENT_CAPABILITIES
            | key::LOG_LEVEL
            | key::PROGRESS_TOKEN
    )
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
    Outgoing { headers, body: request(id, &RequestText { method, params }) }
}
