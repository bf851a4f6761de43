//! The way of one POST from bytes to [`Incoming`], in the order of the checks.
//!
//! Media types, then the envelope, then the era of this message, then that era's own rules. The era is the message's,
//! never the connection's: a `_meta` that claims a revision is modern, a header that names the modern era is modern,
//! all else is legacy (2026-07-28, versioning, "Backward Compatibility with Initialization-Based Versions").

use super::{Context, Incoming, Meta, Reason, Refusal, Response, legacy, media, modern};
use crate::{
    Era,
    header::{HeaderFault, PROTOCOL_VERSION, single},
    json::Members,
    jsonrpc::{Id, Message, parse},
    revision::names_modern_era,
};
use http::HeaderMap;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Reads one POST. Check `Origin` ([`super::AllowedOrigins`]), the caller and the body's size before, the session after.
///
/// # Errors
/// A [`Refusal`], which is the whole HTTP answer. Never panics, whatever the input.
pub fn accept<'a>(headers: &HeaderMap, body: &'a [u8]) -> Result<Incoming<'a>, Refusal> {
    media::check_content_type(headers)?;
    let accepts = media::accepts(headers)?;
    let message = parse(body).map_err(|error| Refusal::parse(&error))?;
    let call = match message {
        Message::Request { id, method, params } => Call::new(Some(id), method, params)?,
        Message::Notification { method, params } => Call::new(None, method, params)?,
        Message::Response { id, outcome } => {
            let revision = posted_response_revision(headers)?;
            let context = Context { revision, session: legacy::session(headers), accepts };
            return Ok(Incoming::Response(Response { context, id, outcome }));
        }
    };
    match era(headers, &call)? {
        Era::Modern => modern::incoming(headers, accepts, call),
        Era::Legacy => legacy::incoming(headers, accepts, call),
    }
}

/// A request or a notification whose `_meta` has been read.
pub(crate) struct Call<'a> {
    pub(crate) id: Option<Id<'a>>,
    pub(crate) method: Cow<'a, str>,
    pub(crate) raw_params: Option<&'a RawValue>,
    pub(crate) params: Option<Members<'a>>,
    pub(crate) meta: Meta<'a>,
    pub(crate) claimed_version: Option<Cow<'a, str>>,
}

impl<'a> Call<'a> {
    fn new(
        id: Option<Id<'a>>,
        method: Cow<'a, str>,
        raw_params: Option<&'a RawValue>,
    ) -> Result<Self, Refusal> {
        let params = raw_params.and_then(Members::read);
        let envelope = Meta::read(params.as_ref()).and_then(|meta| Ok((meta.claimed_version()?, meta)));
        match envelope {
            Ok((claimed_version, meta)) => Ok(Self { id, method, raw_params, params, meta, claimed_version }),
            Err(why) => Err(Refusal::new(Reason::Envelope, id.as_ref(), why)),
        }
    }
}

fn era(headers: &HeaderMap, call: &Call<'_>) -> Result<Era, Refusal> {
    let header = version_header(headers, call.id.as_ref())?;
    if call.claimed_version.is_some() || header.is_some_and(names_modern_era) {
        Ok(Era::Modern)
    } else {
        Ok(Era::Legacy)
    }
}

/// Modern clients send no responses (2026-07-28, streamable HTTP, "Sending Messages").
fn posted_response_revision(headers: &HeaderMap) -> Result<crate::Revision, Refusal> {
    if version_header(headers, None)?.is_some_and(names_modern_era) {
        let message = "JSON-RPC responses are not part of this protocol revision";
        return Err(Refusal::new(Reason::InvalidRequest, None, message));
    }
    legacy::revision(headers, None)
}

/// The one `MCP-Protocol-Version`, or `None`.
pub(crate) fn version_header<'h>(
    headers: &'h HeaderMap,
    id: Option<&Id<'_>>,
) -> Result<Option<&'h str>, Refusal> {
    single(headers, &PROTOCOL_VERSION).map_err(|fault| header_fault(fault, "MCP-Protocol-Version", id))
}

pub(crate) fn header_fault(fault: HeaderFault, name: &str, id: Option<&Id<'_>>) -> Refusal {
    let what = match fault {
        HeaderFault::Repeated => "is given twice",
        HeaderFault::InvalidCharacters => "holds invalid characters",
    };
    Refusal::new(Reason::HeaderMismatch, id, format!("Header mismatch: {name} {what}"))
}
