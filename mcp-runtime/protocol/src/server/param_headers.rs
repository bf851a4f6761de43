//! `Mcp-Param-*` of a call must say what its arguments say.

use super::{Reason, Refusal, accept::header_fault, refusal::shown};
use crate::{
    header::{Arguments, ParamHeader, decode_value, single},
    jsonrpc::Id,
};
use http::HeaderMap;

/// Checks a modern `tools/call` once its tool is known (2026-07-28, streamable HTTP, "Server Behavior for Custom Headers").
/// A value that is null or absent in the arguments expects no header; a header without a value is ignored.
///
/// # Errors
/// `HeaderMismatch`, 400.
pub fn check_param_headers(
    headers: &HeaderMap,
    params: &[ParamHeader],
    arguments: &str,
    id: &Id<'_>,
) -> Result<(), Refusal> {
    let mut arguments = Arguments::new(arguments);
    params.iter().try_for_each(|param| check(headers, param, arguments.value_of(param), id))
}

fn check(
    headers: &HeaderMap,
    param: &ParamHeader,
    in_body: Option<String>,
    id: &Id<'_>,
) -> Result<(), Refusal> {
    let name = param.header();
    let mismatch = |what: &str| {
        Err(Refusal::new(Reason::HeaderMismatch, Some(id), format!("Header mismatch: {name} {what}")))
    };
    let Some(in_body) = in_body else { return Ok(()) };
    match single(headers, name).map_err(|fault| header_fault(fault, name.as_str(), Some(id)))? {
        None => mismatch("is missing"),
        Some(header) => match decode_value(header) {
            Some(decoded) if param.same(&decoded, &in_body) => Ok(()),
            Some(decoded) => {
                mismatch(&format!("is {} but the body says {}", shown(&decoded), shown(&in_body)))
            }
            None => mismatch("is no valid base64"),
        },
    }
}
