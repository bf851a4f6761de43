//! An HTTP answer that says no, and why.

use crate::{
    Era, ErrorCode,
    json::{JsonText, ObjectWriter, quoted},
    jsonrpc::{self, Id, ParseError},
    revision::{Revision, served_list},
};
use bytes::Bytes;
use http::StatusCode;

/// Longest piece of the client's own text that a message repeats, in characters.
const QUOTE_LIMIT: usize = 80;

/// Why a POST was refused. One row each: metric label, HTTP status, JSON-RPC code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// `Content-Type` is not JSON. RFC 9110, section 15.5.16.
    ContentType,
    /// The client takes neither JSON nor an event stream. RFC 9110, section 15.5.7.
    NotAcceptable,
    /// `Origin` is foreign. Transports, "Security Warning" / "Security & Endpoint".
    ForeignOrigin,
    /// GET or DELETE where only POST is served. Transports, "Listening for Messages" / "Earlier Streamable HTTP Revisions".
    MethodNotAllowed,
    /// The body exceeds the caller's limit. RFC 9110, section 15.5.14.
    BodyTooLarge,
    /// The body is not JSON. JSON-RPC 2.0, section 5.1.
    Malformed,
    /// The body is JSON that we do not take: no message, a batch, repeated keys, too deep.
    InvalidRequest,
    /// A legacy `MCP-Protocol-Version` that is not served. 2025-11-25, transports, "Protocol Version Header".
    ProtocolVersionHeader,
    /// 2026-07-28, streamable HTTP, "Server Validation".
    HeaderMismatch,
    /// A required `_meta` key is missing or of the wrong type. 2026-07-28, basic, "Per-request protocol fields".
    Envelope,
    /// 2026-07-28, versioning, "Protocol Version Negotiation".
    UnsupportedProtocolVersion,
    /// The request needs something of the client that it did not declare. 2026-07-28, basic, "Per-request protocol fields".
    MissingCapability,
    /// No such method; 404 in the modern era. 2026-07-28, streamable HTTP, "Protocol Version Header".
    MethodNotFound(Era),
    /// Parameters of the method itself: answered in band. JSON-RPC 2.0, section 5.1.
    InvalidParams,
    /// A notification whose params cannot be read. Transports, "Sending Messages".
    InvalidNotification,
    /// No session id where one is required. 2025-11-25, transports, "Session Management".
    SessionRequired,
    /// The session is unknown or ended. 2025-11-25, transports, "Session Management".
    SessionUnknown,
}

impl Reason {
    const fn row(self) -> (&'static str, StatusCode, ErrorCode) {
        use ErrorCode as Code;
        match self {
            Self::ContentType => ("content_type", StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::InvalidRequest),
            Self::NotAcceptable => ("not_acceptable", StatusCode::NOT_ACCEPTABLE, Code::InvalidRequest),
            Self::ForeignOrigin => ("foreign_origin", StatusCode::FORBIDDEN, Code::InvalidRequest),
            Self::MethodNotAllowed => {
                ("method_not_allowed", StatusCode::METHOD_NOT_ALLOWED, Code::InvalidRequest)
            }
            Self::BodyTooLarge => ("body_too_large", StatusCode::PAYLOAD_TOO_LARGE, Code::InvalidRequest),
            Self::Malformed => ("malformed", StatusCode::BAD_REQUEST, Code::ParseError),
            Self::InvalidRequest => ("invalid_request", StatusCode::BAD_REQUEST, Code::InvalidRequest),
            Self::ProtocolVersionHeader => {
                ("protocol_version_header", StatusCode::BAD_REQUEST, Code::InvalidRequest)
            }
            Self::HeaderMismatch => ("header_mismatch", StatusCode::BAD_REQUEST, Code::HeaderMismatch),
            Self::Envelope => ("envelope", StatusCode::BAD_REQUEST, Code::InvalidParams),
            Self::UnsupportedProtocolVersion => {
                ("unsupported_protocol_version", StatusCode::BAD_REQUEST, Code::UnsupportedProtocolVersion)
            }
            Self::MissingCapability => {
                ("missing_capability", StatusCode::BAD_REQUEST, Code::MissingRequiredClientCapability)
            }
            Self::MethodNotFound(Era::Modern) => {
                ("method_not_found", StatusCode::NOT_FOUND, Code::MethodNotFound)
            }
            Self::MethodNotFound(Era::Legacy) => ("method_not_found", StatusCode::OK, Code::MethodNotFound),
            Self::InvalidParams => ("invalid_params", StatusCode::OK, Code::InvalidParams),
            Self::InvalidNotification => {
                ("invalid_notification", StatusCode::BAD_REQUEST, Code::InvalidParams)
            }
            Self::SessionRequired => ("session_required", StatusCode::BAD_REQUEST, Code::InvalidRequest),
            Self::SessionUnknown => ("session_unknown", StatusCode::NOT_FOUND, Code::InvalidRequest),
        }
    }

    /// A name for metric labels and logs, `snake_case`, one of a fixed few.
    pub const fn label(self) -> &'static str {
        self.row().0
    }

    /// The HTTP status.
    pub const fn status(self) -> StatusCode {
        self.row().1
    }

    /// The JSON-RPC code.
    pub const fn code(self) -> ErrorCode {
        self.row().2
    }
}

/// A refusal: status and body of the HTTP answer.
#[derive(Clone, Debug)]
pub struct Refusal {
    reason: Reason,
    id: Option<Id<'static>>,
    message: String,
    data: Option<JsonText>,
    allow: Option<&'static str>,
}

impl Refusal {
    /// A refusal for `reason`; `id` when the request's could be read.
    pub fn new(reason: Reason, id: Option<&Id<'_>>, message: impl Into<String>) -> Self {
        let id = id.map(|id| id.clone().into_owned());
        Self { reason, id, message: message.into(), data: None, allow: None }
    }

    /// 413: `limit` bytes are the most.
    pub fn body_too_large(limit: u64) -> Self {
        Self::new(Reason::BodyTooLarge, None, format!("the body is larger than {limit} bytes"))
    }

    /// 405 with an `Allow` header, such as `POST` or `POST, DELETE`.
    pub fn method_not_allowed(allow: &'static str) -> Self {
        let message = format!("this endpoint serves {allow} only");
        Self { allow: Some(allow), ..Self::new(Reason::MethodNotAllowed, None, message) }
    }

    /// 400: a legacy request other than `initialize` came without a session id.
    pub fn session_required(id: Option<&Id<'_>>) -> Self {
        Self::new(Reason::SessionRequired, id, "Mcp-Session-Id is required: send initialize first")
    }

    /// 404: the client must initialise again.
    pub fn session_unknown(id: Option<&Id<'_>>) -> Self {
        Self::new(Reason::SessionUnknown, id, "the session is unknown or has ended: send initialize again")
    }

    pub(crate) fn parse(error: &ParseError) -> Self {
        let reason = match error.code() {
            ErrorCode::ParseError => Reason::Malformed,
            _ => Reason::InvalidRequest,
        };
        Self::new(reason, error.id(), error.to_string())
    }

    /// The method is unknown to the era, or not offered by this server: 404 in the modern era, in band before.
    pub fn method_not_found(id: &Id<'_>, method: &str, era: Era) -> Self {
        Self::new(Reason::MethodNotFound(era), Some(id), format!("method {} is not served", shown(method)))
    }

    /// 400: the request needs `required`, from [`crate::ClientCapabilities::missing_for`].
    pub fn missing_capability(id: &Id<'_>, required: &JsonText) -> Self {
        let data = ObjectWriter::new().raw("requiredCapabilities", required.as_str()).finish();
        let message = "Missing required client capability";
        Self { data: Some(data), ..Self::new(Reason::MissingCapability, Some(id), message) }
    }

    pub(crate) fn unsupported_version(id: Option<&Id<'_>>, requested: &str) -> Self {
        let supported = Revision::SERVED.map(|revision| quoted(revision.as_str())).join(",");
        let data = ObjectWriter::new()
            .raw("supported", &format!("[{supported}]"))
            .text("requested", &clipped(requested))
            .finish();
        let message = "Unsupported protocol version";
        Self { data: Some(data), ..Self::new(Reason::UnsupportedProtocolVersion, id, message) }
    }

    pub(crate) fn version_header(id: Option<&Id<'_>>, found: &str) -> Self {
        let message = format!("MCP-Protocol-Version {} is not served; {} are", shown(found), served_list());
        Self::new(Reason::ProtocolVersionHeader, id, message)
    }

    /// Why.
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// The HTTP status.
    pub const fn status(&self) -> StatusCode {
        self.reason.status()
    }

    /// For people.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Value of the `Allow` header, on a 405.
    pub const fn allow(&self) -> Option<&'static str> {
        self.allow
    }

    /// The same as a message among others: on a stream, or in the answers to a batch. `revision` is what the connection has
    /// agreed on. Up to 2025-06-18 every error response has an id (schema, `JSONRPCError`), which is null when the request's
    /// could not be read (JSON-RPC 2.0, section 5); later it has none then (schema, `JSONRPCErrorResponse`). `None` for a
    /// notification, which nobody may answer (JSON-RPC 2.0, section 4.1).
    pub fn message_in(&self, revision: Option<Revision>) -> Option<Bytes> {
        let unread = matches!(self.reason, Reason::Malformed | Reason::InvalidRequest | Reason::BodyTooLarge);
        match (&self.id, revision) {
            (None, _) if !unread => None,
            (None, Some(revision)) if revision <= Revision::V2025_06_18 => {
                Some(jsonrpc::error_with_null_id(self.reason.code(), &self.message))
            }
            _ => Some(self.body()),
        }
    }

    /// The JSON-RPC error response, `Content-Type: application/json`.
    pub fn body(&self) -> Bytes {
        jsonrpc::error(self.id.as_ref(), self.reason.code(), &self.message, self.data.as_ref())
    }
}

/// The client's own text for a message: quoted, and cut so that answers and logs stay small.
pub(crate) fn shown(text: &str) -> String {
    format!("{:?}", clipped(text))
}

/// As [`shown`], without the quotes.
pub(crate) fn clipped(text: &str) -> String {
    text.chars().take(QUOTE_LIMIT).collect()
}
