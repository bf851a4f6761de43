//! A GET to the MCP endpoint: a legacy client asks for a stream of notifications
//! (2025-11-25, transports, "Listening for Messages from the Server").
//!
//! The modern era has no GET (2026-07-28, streamable HTTP, "Earlier Streamable HTTP Revisions"), so a GET that names it
//! is 405; without a header it is legacy, as a POST is. Streams cannot be resumed: `Last-Event-ID`, which names an event
//! that was never given, is ignored.

use super::{
    Accepts, Context, Refusal,
    accept::{Source, version_header},
    legacy, media,
};
use crate::revision::names_modern_era;
use http::HeaderMap;

/// Methods of an endpoint where a modern client is concerned.
const MODERN_METHODS: &str = "POST";

/// Reads a GET. Check `Origin` ([`super::AllowedOrigins`]) and the caller before, the session after.
///
/// # Errors
/// A [`Refusal`], which is the whole HTTP answer: 405 in the modern era, 406 without `Accept: text/event-stream`, 400
/// for a revision that is not served.
pub fn accept_get(headers: &HeaderMap) -> Result<Context, Refusal> {
    if version_header(headers, None)?.is_some_and(names_modern_era) {
        return Err(Refusal::method_not_allowed(MODERN_METHODS));
    }
    media::check_stream(headers)?;
    legacy::context(Source::Http(headers), Accepts::EventStreamOnly, None)
}
