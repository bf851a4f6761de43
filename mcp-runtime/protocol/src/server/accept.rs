//! The way of a message from bytes to [`Incoming`], in the order of the checks.
//!
//! Media types, then the envelope, then the era of this message, then that era's own rules. The era is the message's,
//! never the connection's: a `_meta` that claims a revision is modern, a header that names the modern era is modern,
//! all else is legacy (2026-07-28, versioning, "Backward Compatibility with Initialization-Based Versions"). Transports
//! without headers (stdio; HTTP+SSE of 2024-11-05) differ in one thing: what no message says, the connection has
//! negotiated.

use super::{
    Accepts, Context, Incoming, Meta, Posted, Reason, Refusal, Response, batch, legacy, media, modern,
};
use crate::{
    Era, Revision,
    header::{HeaderFault, PROTOCOL_VERSION, single},
    json::Members,
    jsonrpc::{Body, Id, Message, ParseError, parse, parse_body},
    revision::names_modern_era,
};
use http::HeaderMap;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Reads one POST that must be one message. Check `Origin` ([`super::AllowedOrigins`]), the caller and the body's size
/// before, the session after.
///
/// # Errors
/// A [`Refusal`], which is the whole HTTP answer. Never panics, whatever the input.
pub fn accept<'a>(headers: &HeaderMap, body: &'a [u8]) -> Result<Incoming<'a>, Refusal> {
    media::check_content_type(headers)?;
    let accepts = media::accepts(headers)?;
    let message = parse(body).map_err(|error| Refusal::parse(&error))?;
    incoming(Source::Http(headers), accepts, message)
}

/// Reads one POST that may be a batch, which 2025-03-26 has (its transports, "Sending Messages to the Server").
///
/// A batch is refused when the header names another revision. Without a header the caller must refuse it
/// ([`Refusal::batch`]) unless its session has negotiated [`Revision::WITH_BATCHES`].
///
/// # Errors
/// As [`accept`]; what is wrong with one message of a batch is that message's own refusal.
pub fn accept_post<'a>(headers: &HeaderMap, body: &'a [u8]) -> Result<Posted<'a>, Refusal> {
    media::check_content_type(headers)?;
    let accepts = media::accepts(headers)?;
    posted(Source::Http(headers), accepts, body)
}

/// Reads one message, or a batch, of a transport without headers: a line of stdio, or the body of a POST of HTTP+SSE.
/// `negotiated` is what this connection has agreed on by `initialize`, if it has. A message that claims a revision in
/// its `_meta` is modern all the same, and `initialize` is legacy (2026-07-28, versioning; basic/transports/stdio).
///
/// # Errors
/// A [`Refusal`], of which stdio sends the [body](Refusal::body) alone.
pub fn accept_message(body: &[u8], negotiated: Option<Revision>) -> Result<Posted<'_>, Refusal> {
    posted(Source::Connection(negotiated), Accepts::Either, body)
}

fn posted<'a>(source: Source<'_>, accepts: Accepts, body: &'a [u8]) -> Result<Posted<'a>, Refusal> {
    match parse_body(body).map_err(|error| Refusal::parse(&error))? {
        Body::One(message) => incoming(source, accepts, message).map(Posted::One),
        Body::Batch(messages) => {
            batch::check_revision(source)?;
            Ok(Posted::Batch(batch::incoming(source, accepts, messages)))
        }
    }
}

/// What is known of a message besides its text.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source<'h> {
    /// The headers of its POST.
    Http(&'h HeaderMap),
    /// What its connection has negotiated.
    Connection(Option<Revision>),
}

pub(crate) fn incoming<'a>(
    source: Source<'_>,
    accepts: Accepts,
    message: Message<'a>,
) -> Result<Incoming<'a>, Refusal> {
    let call = match message {
        Message::Request { id, method, params } => Call::new(Some(id), method, params)?,
        Message::Notification { method, params } => Call::new(None, method, params)?,
        Message::Response { id, outcome } => {
            let context = posted_response_context(source, accepts)?;
            return Ok(Incoming::Response(Response { context, id, outcome }));
        }
    };
    match era(source, &call)? {
        Era::Modern => modern::incoming(source, accepts, call),
        Era::Legacy => legacy::incoming(source, accepts, call),
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

fn era(source: Source<'_>, call: &Call<'_>) -> Result<Era, Refusal> {
    let said = match source {
        Source::Http(headers) => version_header(headers, call.id.as_ref())?.is_some_and(names_modern_era),
        Source::Connection(Some(negotiated)) => {
            negotiated.era() == Era::Modern && call.method != "initialize"
        }
        Source::Connection(None) => false,
    };
    Ok(if call.claimed_version.is_some() || said { Era::Modern } else { Era::Legacy })
}

/// Modern clients send no responses (2026-07-28, streamable HTTP, "Sending Messages").
fn posted_response_context(source: Source<'_>, accepts: Accepts) -> Result<Context, Refusal> {
    let modern = match source {
        Source::Http(headers) => version_header(headers, None)?.is_some_and(names_modern_era),
        Source::Connection(negotiated) => negotiated.is_some_and(|revision| revision.era() == Era::Modern),
    };
    if modern {
        let message = "JSON-RPC responses are not part of this protocol revision";
        return Err(Refusal::new(Reason::InvalidRequest, None, message));
    }
    legacy::context(source, accepts, None)
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

impl Refusal {
    /// 400: a batch in a session whose revision has none.
    pub fn batch() -> Self {
        Self::parse(&ParseError::Batch)
    }
}
