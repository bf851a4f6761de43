//! Rules of 2025-11-25 for one message (transports; lifecycle).

use super::{
    Accepts, Context, Incoming, Refusal, Request,
    accept::{Call, version_header},
    operation,
};
use crate::{Era, Revision, header::SessionId, jsonrpc::Id};
use http::HeaderMap;

pub(crate) fn incoming<'a>(
    headers: &HeaderMap,
    accepts: Accepts,
    call: Call<'a>,
) -> Result<Incoming<'a>, Refusal> {
    let revision = if call.method == "initialize" {
        initialize_revision(headers, call.id.as_ref())?
    } else {
        revision(headers, call.id.as_ref())?
    };
    let context = Context { revision, session: session(headers), accepts };
    let Some(id) = call.id else {
        return operation::notification(context, &call.method, call.raw_params).map(Incoming::Notification);
    };
    let operation = operation::read(&id, &call.method, call.params.as_ref(), Era::Legacy)?;
    Ok(Incoming::Request(Request { id, context, meta: call.meta, params: call.raw_params, operation }))
}

/// "If the server receives a request with an invalid or unsupported `MCP-Protocol-Version`, it MUST respond with 400"
/// (2025-11-25, transports, "Protocol Version Header"). Without the header it is the session that knows.
pub(crate) fn revision(headers: &HeaderMap, id: Option<&Id<'_>>) -> Result<Revision, Refusal> {
    let Some(text) = version_header(headers, id)? else { return Ok(Revision::LATEST_LEGACY) };
    Revision::parse(text)
        .filter(|revision| revision.is_served() && revision.era() == Era::Legacy)
        .ok_or_else(|| Refusal::version_header(id, text))
}

/// `initialize` negotiates in the body, so an older but known revision in the header is no reason to refuse.
fn initialize_revision(headers: &HeaderMap, id: Option<&Id<'_>>) -> Result<Revision, Refusal> {
    match version_header(headers, id)? {
        Some(text) if Revision::parse(text).is_none() => Err(Refusal::version_header(id, text)),
        _ => Ok(Revision::LATEST_LEGACY),
    }
}

/// One that cannot be a session id names no session, which is what an unknown one does.
pub(crate) fn session(headers: &HeaderMap) -> Option<SessionId> {
    SessionId::from_headers(headers)
}
