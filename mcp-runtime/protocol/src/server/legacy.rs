//! Rules of the legacy revisions for one message (transports; lifecycle).

use super::{
    Accepts, Context, Incoming, Operation, Refusal, Request,
    accept::{Call, Source, version_header},
    notified, operation,
};
use crate::{Era, Revision, header::SessionId, jsonrpc::Id};
use http::HeaderMap;

pub(crate) fn incoming<'a>(
    source: Source<'_>,
    accepts: Accepts,
    call: Call<'a>,
) -> Result<Incoming<'a>, Refusal> {
    let mut context = if call.method == "initialize" {
        initialize_context(source, accepts, call.id.as_ref())?
    } else {
        context(source, accepts, call.id.as_ref())?
    };
    let Some(id) = call.id else {
        return notified::read(context, &call.method, call.raw_params).map(Incoming::Notification);
    };
    let operation = operation::read(&id, &call.method, call.params.as_ref(), context.revision)?;
    if let Operation::Initialize(wanted) = &operation {
        context.revision = wanted.negotiated;
    }
    Ok(Incoming::Request(Request { id, context, meta: call.meta, params: call.raw_params, operation }))
}

/// "If the server receives a request with an invalid or unsupported `MCP-Protocol-Version`, it MUST respond with 400"
/// (2025-06-18 and 2025-11-25, transports, "Protocol Version Header"). Without the header it is the session that knows,
/// and without a session it is [`Revision::WITHOUT_HEADER`].
pub(crate) fn context(source: Source<'_>, accepts: Accepts, id: Option<&Id<'_>>) -> Result<Context, Refusal> {
    let stated = match source {
        Source::Http(headers) => stated(headers, id)?,
        Source::Connection(negotiated) => negotiated.filter(|revision| revision.era() == Era::Legacy),
    };
    let revision = stated.unwrap_or(match source {
        Source::Http(_) => Revision::WITHOUT_HEADER,
        Source::Connection(_) => Revision::LATEST_LEGACY,
    });
    Ok(Context { revision, stated, session: session(source), accepts })
}

/// The revision of the header of a legacy message.
pub(crate) fn stated(headers: &HeaderMap, id: Option<&Id<'_>>) -> Result<Option<Revision>, Refusal> {
    let Some(text) = version_header(headers, id)? else { return Ok(None) };
    match Revision::parse(text).filter(|revision| revision.era() == Era::Legacy) {
        Some(revision) => Ok(Some(revision)),
        None => Err(Refusal::version_header(id, text)),
    }
}

/// `initialize` negotiates in the body, so any known revision in the header is no reason to refuse.
fn initialize_context(source: Source<'_>, accepts: Accepts, id: Option<&Id<'_>>) -> Result<Context, Refusal> {
    if let Source::Http(headers) = source
        && let Some(text) = version_header(headers, id)?
        && Revision::parse(text).is_none()
    {
        return Err(Refusal::version_header(id, text));
    }
    Ok(Context { revision: Revision::LATEST_LEGACY, stated: None, session: session(source), accepts })
}

/// One that cannot be a session id names no session, which is what an unknown one does.
fn session(source: Source<'_>) -> Option<SessionId> {
    match source {
        Source::Http(headers) => SessionId::from_headers(headers),
        Source::Connection(_) => None,
    }
}
