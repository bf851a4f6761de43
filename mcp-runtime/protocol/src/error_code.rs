//! Every JSON-RPC error code that this product reads or writes, in one table.
//!
//! 2026-07-28, basic, "Error Codes": -32768..=-32000 is reserved by JSON-RPC, -32020..=-32099 of it by MCP, and
//! -32000..=-32019 must not be used by new code. What MCP has no code for is therefore numbered from -31000 on.

/// What went wrong, as a JSON-RPC client sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// The body is not JSON. JSON-RPC 2.0, section 5.1.
    ParseError,
    /// The body is JSON but no message that may be sent here. JSON-RPC 2.0, section 5.1.
    InvalidRequest,
    /// No such method in this revision. 2026-07-28, streamable HTTP, "Protocol Version Header".
    MethodNotFound,
    /// Wrong or missing parameters, an unknown tool, a missing `_meta` key. 2026-07-28, basic, "Per-request protocol fields".
    InvalidParams,
    /// A fault of ours. JSON-RPC 2.0, section 5.1.
    InternalError,
    /// Header and body disagree, or a required header is missing. 2026-07-28, streamable HTTP, "Server Validation".
    HeaderMismatch,
    /// The call needs a capability that the client did not declare. 2026-07-28, basic, "Per-request protocol fields".
    MissingRequiredClientCapability,
    /// A revision that is not served. 2026-07-28, versioning, "Protocol Version Negotiation".
    UnsupportedProtocolVersion,
    /// No such resource; legacy revisions only. 2025-11-25, server/resources, "Error Handling".
    ResourceNotFound,
    /// A URL must be visited first; 2025-11-25 only. 2025-11-25, client/elicitation, "URL Mode".
    UrlElicitationRequired,
    /// The upstream MCP server failed or gave no valid answer. Ours.
    UpstreamFailed,
    /// No place in the queue, or no place in time; nothing was done, the call may be repeated. Ours.
    Overloaded,
    /// The deadline passed; the work may or may not have been done. Ours.
    DeadlineExceeded,
    /// The caller may not do this: scopes are missing. Ours; over HTTP it comes with 403 and a challenge.
    Forbidden,
}

impl ErrorCode {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 14] = [
        Self::ParseError,
        Self::InvalidRequest,
        Self::MethodNotFound,
        Self::InvalidParams,
        Self::InternalError,
        Self::HeaderMismatch,
        Self::MissingRequiredClientCapability,
        Self::UnsupportedProtocolVersion,
        Self::ResourceNotFound,
        Self::UrlElicitationRequired,
        Self::UpstreamFailed,
        Self::Overloaded,
        Self::DeadlineExceeded,
        Self::Forbidden,
    ];

    /// The number on the wire and the name that logs and metrics use.
    const fn row(self) -> (i64, &'static str) {
        match self {
            Self::ParseError => (-32_700, "parse_error"),
            Self::InvalidRequest => (-32_600, "invalid_request"),
            Self::MethodNotFound => (-32_601, "method_not_found"),
            Self::InvalidParams => (-32_602, "invalid_params"),
            Self::InternalError => (-32_603, "internal_error"),
            Self::HeaderMismatch => (-32_020, "header_mismatch"),
            Self::MissingRequiredClientCapability => (-32_021, "missing_required_client_capability"),
            Self::UnsupportedProtocolVersion => (-32_022, "unsupported_protocol_version"),
            Self::ResourceNotFound => (-32_002, "resource_not_found"),
            Self::UrlElicitationRequired => (-32_042, "url_elicitation_required"),
            Self::UpstreamFailed => (-31_502, "upstream_failed"),
            Self::Overloaded => (-31_503, "overloaded"),
            Self::DeadlineExceeded => (-31_504, "deadline_exceeded"),
            Self::Forbidden => (-31_403, "forbidden"),
        }
    }

    /// The number on the wire.
    pub const fn number(self) -> i64 {
        self.row().0
    }

    /// A name for metric labels and logs, `snake_case`.
    pub const fn label(self) -> &'static str {
        self.row().1
    }

    /// The code with this number, when it is one of the table.
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.number() == number)
    }

    /// Whether only a modern server uses it, so that it tells the server's era
    /// (2026-07-28, streamable HTTP, "Backward Compatibility").
    pub const fn is_modern(self) -> bool {
        matches!(
            self,
            Self::HeaderMismatch | Self::MissingRequiredClientCapability | Self::UnsupportedProtocolVersion
        )
    }
}
