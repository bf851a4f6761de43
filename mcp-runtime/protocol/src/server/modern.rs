//! Rules of 2026-07-28 for one message (basic; versioning; streamable HTTP, "Request Metadata").
//!
//! In order: the claim is there, header and claim agree, the revision is served, the rest of `_meta` is there, the
//! mirrored headers agree, the method exists, its params are right. A client that disagrees with itself is told so
//! before it is told that a version is not served, and a version's own rules bind only where it is served.

use super::{
    Accepts, Context, Incoming, Reason, Refusal, Request,
    accept::{Call, Source, header_fault, version_header},
    key, notified, operation,
    refusal::shown,
};
use crate::{
    Era, Method, Revision,
    header::{METHOD, NAME, decode_value, single},
    json::string,
    jsonrpc::Id,
};
use http::HeaderMap;

pub(crate) fn incoming<'a>(
    source: Source<'_>,
    accepts: Accepts,
    call: Call<'a>,
) -> Result<Incoming<'a>, Refusal> {
    let revision = match source {
        Source::Http(headers) => mirrored_revision(headers, &call)?,
        Source::Connection(negotiated) => own_revision(negotiated, &call)?,
    };
    let context = Context { revision, stated: Some(revision), session: None, accepts };
    if let Source::Http(headers) = source {
        check_method_header(headers, &call)?;
        check_name_header(headers, &call, revision)?;
    }
    let Some(id) = call.id else {
        return notified::read(context, &call.method, call.raw_params).map(Incoming::Notification);
    };
    let operation = operation::read(&id, &call.method, call.params.as_ref(), revision)?;
    Ok(Incoming::Request(Request { id, context, meta: call.meta, params: call.raw_params, operation }))
}

/// Over HTTP the header repeats the claim.
fn mirrored_revision(headers: &HeaderMap, call: &Call<'_>) -> Result<Revision, Refusal> {
    let id = call.id.as_ref();
    let header = version_header(headers, id)?;
    let claimed = match (&call.claimed_version, header, id) {
        (Some(claimed), Some(header), _) if claimed == header => header,
        (Some(claimed), Some(header), _) => {
            let what = format!("{} but _meta says {}", shown(header), shown(claimed));
            return Err(mismatch(id, &format!("MCP-Protocol-Version is {what}")));
        }
        (Some(_), None, _) => return Err(mismatch(id, "MCP-Protocol-Version is missing")),
        // A later revision's rules are unknown here; an own revision's notifications carry no claim.
        (None, Some(header), _) if served(header).is_none() => {
            return Err(Refusal::unsupported_version(id, header));
        }
        (None, Some(header), None) => header,
        (None, _, _) => return Err(missing(id, key::PROTOCOL_VERSION)),
    };
    check_served(claimed, call)
}

/// Elsewhere the claim stands alone; a notification without one is of what was spoken before.
fn own_revision(negotiated: Option<Revision>, call: &Call<'_>) -> Result<Revision, Refusal> {
    match (&call.claimed_version, &call.id) {
        (Some(claimed), _) => check_served(claimed, call),
        (None, Some(_)) => Err(missing(call.id.as_ref(), key::PROTOCOL_VERSION)),
        (None, None) => Ok(negotiated.unwrap_or(Revision::LATEST_MODERN)),
    }
}

fn check_served(claimed: &str, call: &Call<'_>) -> Result<Revision, Refusal> {
    let id = call.id.as_ref();
    let revision = served(claimed).ok_or_else(|| Refusal::unsupported_version(id, claimed))?;
    match (id, call.meta.client_capabilities) {
        (Some(_), None) => Err(missing(id, key::CLIENT_CAPABILITIES)),
        _ => Ok(revision),
    }
}

fn served(version: &str) -> Option<Revision> {
    Revision::parse(version).filter(|revision| revision.is_served() && revision.era() == Era::Modern)
}

/// Required on requests. On notifications the revision leaves it open; one that is sent must be true all the same.
fn check_method_header(headers: &HeaderMap, call: &Call<'_>) -> Result<(), Refusal> {
    let id = call.id.as_ref();
    match single(headers, &METHOD).map_err(|fault| header_fault(fault, "Mcp-Method", id))? {
        Some(method) if method == call.method => Ok(()),
        Some(method) => {
            let what = format!("{} but the body says {}", shown(method), shown(&call.method));
            Err(mismatch(id, &format!("Mcp-Method is {what}")))
        }
        None if id.is_none() => Ok(()),
        None => Err(mismatch(id, "Mcp-Method is missing")),
    }
}

/// Required on the requests that name something ([`Method::named_by`]).
fn check_name_header(headers: &HeaderMap, call: &Call<'_>, revision: Revision) -> Result<(), Refusal> {
    let id = call.id.as_ref();
    let source = Method::parse(&call.method, revision).and_then(Method::named_by);
    let (Some(source), Some(_)) = (source, id) else { return Ok(()) };
    let header = single(headers, &NAME).map_err(|fault| header_fault(fault, "Mcp-Name", id))?;
    let in_body = call.params.as_ref().and_then(|params| params.get(source)).and_then(string);
    match (header, in_body) {
        // Without a name in the body there is nothing to mirror; the params are refused as such.
        (_, None) => Ok(()),
        (None, Some(_)) => Err(mismatch(id, "Mcp-Name is missing")),
        (Some(header), Some(in_body)) => match decode_value(header) {
            Some(decoded) if decoded == in_body => Ok(()),
            Some(decoded) => {
                let what = format!("{} but the body says {}", shown(&decoded), shown(&in_body));
                Err(mismatch(id, &format!("Mcp-Name is {what}")))
            }
            None => Err(mismatch(id, "Mcp-Name is no valid base64")),
        },
    }
}

fn mismatch(id: Option<&Id<'_>>, what: &str) -> Refusal {
    Refusal::new(Reason::HeaderMismatch, id, format!("Header mismatch: {what}"))
}

fn missing(id: Option<&Id<'_>>, key: &str) -> Refusal {
    Refusal::new(Reason::Envelope, id, format!("params._meta lacks {key}"))
}
