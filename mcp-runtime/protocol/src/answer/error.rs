//! An upstream's errors for a client of another revision.
//!
//! | the upstream says | client | becomes |
//! |---|---|---|
//! | -32002 to `resources/read` | modern | -32602 (2026-07-28, server/resources, "Error Handling") |
//! | -32602 to `resources/read`, modern upstream | legacy | -32002 (2025-11-25, server/resources, "Error Handling") |
//! | -32042 | 2025-11-25 | the same |
//! | -32042 | modern | `input_required` by [`url_elicitations`], and -32600 where that cannot be |
//! | -32042 | before 2025-11-25 | -32600: there is no elicitation by URL |
//! | -32021 | legacy | -32602 |
//! | -32020, -32022: about our own request | any | -32603 |
//! | anything else | any | the same |
//!
//! Message and data are kept.

use crate::{
    Era, ErrorCode, Method, Revision,
    json::{JsonText, Members, ObjectWriter, elements, string},
    jsonrpc::RpcError,
    mrtr::{self, InputMethod},
};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The error object for a client of revision `to`, for [`crate::jsonrpc::forwarded_error`]. `from` is the upstream's era.
pub fn translate_error(error: &RpcError<'_>, method: Method, from: Era, to: Revision) -> JsonText {
    let code = ErrorCode::from_number(error.code).map(|code| translated(code, method, from, to));
    let number = code.map_or(error.code, ErrorCode::number);
    if number == error.code {
        return error.raw.into();
    }
    ObjectWriter::new()
        .raw("code", &number.to_string())
        .text("message", &error.message)
        .raw_some("data", error.data.map(RawValue::get))
        .finish()
}

fn translated(code: ErrorCode, method: Method, from: Era, to: Revision) -> ErrorCode {
    let reads = method == Method::ReadResource;
    match (code, to.era()) {
        (ErrorCode::ResourceNotFound, Era::Modern) if reads => ErrorCode::InvalidParams,
        (ErrorCode::InvalidParams, Era::Legacy) if reads && from == Era::Modern => {
            ErrorCode::ResourceNotFound
        }
        (ErrorCode::UrlElicitationRequired, _) if to != Revision::V2025_11_25 => ErrorCode::InvalidRequest,
        (ErrorCode::MissingRequiredClientCapability, Era::Legacy) => ErrorCode::InvalidParams,
        (ErrorCode::HeaderMismatch | ErrorCode::UnsupportedProtocolVersion, _) => ErrorCode::InternalError,
        (code, _) => code,
    }
}

/// The `inputRequests` that say to a modern client what error -32042 says to one of 2025-11-25 (client/elicitation, "URL
/// Elicitation Required Error"), under the elicitations' ids. `None` when the error is another, or its data are not as
/// they must be.
pub fn url_elicitations(error: &RpcError<'_>) -> Option<JsonText> {
    if error.code != ErrorCode::UrlElicitationRequired.number() {
        return None;
    }
    let data = Members::read(error.data?)?;
    let list = elements(data.get("elicitations")?.get(), mrtr::MAX_INPUTS).ok()?;
    let asked: Vec<(Cow<'_, str>, JsonText)> = list.into_iter().map(elicitation).collect::<Option<_>>()?;
    let twice =
        asked.iter().enumerate().any(|(at, (key, _))| asked[..at].iter().any(|(other, _)| other == key));
    if asked.is_empty() || twice {
        return None;
    }
    let requests = asked.iter().map(|(key, params)| (&**key, InputMethod::Elicit, Some(params.as_str())));
    Some(mrtr::write_requests(requests))
}

fn elicitation(raw: &RawValue) -> Option<(Cow<'_, str>, JsonText)> {
    let members = Members::read(raw)?;
    let text = |key| members.get(key).and_then(string);
    let key = text("elicitationId").filter(|id| !id.is_empty() && id.len() <= mrtr::MAX_KEY_BYTES)?;
    if text("mode").as_deref() != Some("url") {
        return None;
    }
    let params = ObjectWriter::new()
        .text("mode", "url")
        .text("message", &text("message")?)
        .text("url", &text("url")?)
        .finish();
    Some((key, params))
}
