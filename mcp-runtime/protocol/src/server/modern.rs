//! Rules of 2026-07-28 for one message (basic; versioning; streamable HTTP, "Request Metadata").
//!
//! In order: the claim is there, header and claim agree, the revision is served, the rest of `_meta` is there, the
//! mirrored headers agree, the method exists, its params are right. A client that disagrees with itself is told so
//! before it is told that a version is not served, and a version's own rules bind only where it is served.

use super::{
    Accepts, Context, Incoming, Reason, Refusal, Request,
    accept::{Call, header_fault, version_header},
    key, operation,
    refusal::shown,
};
use crate::{
    Era, Revision,
    header::{METHOD, NAME, decode_value, single},
    json::string,
    jsonrpc::Id,
};
use http::HeaderMap;

pub(crate) fn incoming<'a>(
    headers: &HeaderMap,
    accepts: Accepts,
    call: Call<'a>,
) -> Result<Incoming<'a>, Refusal> {
    let revision = revision(headers, &call)?;
    let context = Context { revision, session: None, accepts };
    check_method_header(headers, &call)?;
    if call.id.is_none() {
        return operation::notification(context, &call.method, call.raw_params).map(Incoming::Notification);
    }
    check_name_header(headers, &call)?;
    let Some(id) = call.id else { return Err(Refusal::new(Reason::InvalidRequest, None, "no id")) };
    let operation = operation::read(&id, &call.method, call.params.as_ref(), Era::Modern)?;
    Ok(Incoming::Request(Request { id, context, meta: call.meta, params: call.raw_params, operation }))
}

fn revision(headers: &HeaderMap, call: &Call<'_>) -> Result<Revision, Refusal> {
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

fn check_name_header(headers: &HeaderMap, call: &Call<'_>) -> Result<(), Refusal> {
    let id = call.id.as_ref();
    let source = match &*call.method {
        "tools/call" | "prompts/get" => "name",
        "resources/read" => "uri",
        _ => return Ok(()),
    };
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
