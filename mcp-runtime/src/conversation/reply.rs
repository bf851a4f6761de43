//! The last message of an exchange, and what HTTP says with it.

use crate::{admission::Permit, identity::Challenge};
use bytes::Bytes;
use http::StatusCode;
use mcpfleet_protocol::{
    ErrorCode,
    json::JsonText,
    jsonrpc::{self, Id},
    server::Refusal,
};
use serde_json::json;
use std::time::Duration;

/// A JSON-RPC response.
#[derive(Debug)]
pub struct Answered {
    /// The message.
    pub message: Bytes,
    /// The status, when nothing was sent before it over HTTP.
    pub status: StatusCode,
    /// When it is worth trying again.
    pub retry_after: Option<Duration>,
    /// The place in execution, held until the last byte is written.
    pub permit: Option<Permit>,
    /// The caller may not: over HTTP it is told what it needs.
    pub challenge: Option<Box<Challenge>>,
}

impl Answered {
    /// A whole response.
    pub fn message(message: Bytes) -> Self {
        Self { message, status: StatusCode::OK, retry_after: None, permit: None, challenge: None }
    }

    /// A success.
    pub fn success(id: &Id<'_>, result: &JsonText) -> Self {
        Self::message(jsonrpc::success(id, result))
    }

    /// A refusal of the protocol's.
    pub fn refusal(refusal: &Refusal) -> Self {
        Self { status: refusal.status(), ..Self::message(refusal.body()) }
    }

    /// An error.
    pub fn error(id: &Id<'_>, code: ErrorCode, text: &str) -> Self {
        Self::message(jsonrpc::error(Some(id), code, text, None))
    }

    /// A fault of ours, of which nothing more is known.
    pub fn broken() -> Self {
        let text = "the request ended without an answer; whether it took effect is unknown";
        let message = jsonrpc::error(None, ErrorCode::InternalError, text, None);
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, ..Self::message(message) }
    }

    /// The server that this is for is not served any more.
    pub fn unserved() -> Self {
        let text = "this server is no longer served here";
        Self::message(jsonrpc::error(None, ErrorCode::InternalError, text, None))
    }

    /// Nothing was done, and it may be repeated.
    pub fn busy(id: &Id<'_>, why: &str, retry_after: Duration) -> Self {
        let data = JsonText::from(&json!({"retryAfterSeconds": retry_after.as_secs()}));
        let message = jsonrpc::error(Some(id), ErrorCode::Overloaded, why, Some(&data));
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            retry_after: Some(retry_after),
            ..Self::message(message)
        }
    }

    /// The same response under another id: work that was resumed answers the retry, not the request that began it.
    #[must_use]
    pub fn under(self, id: &Id<'_>) -> Self {
        match jsonrpc::with_id(&self.message, id) {
            Some(message) => Self { message, ..self },
            None => self,
        }
    }

    /// The same, holding a place.
    #[must_use]
    pub fn holding(self, permit: Option<Permit>) -> Self {
        Self { permit, ..self }
    }
}
