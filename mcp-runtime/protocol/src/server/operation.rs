//! Methods and their params.

use super::{
    CallTool, Context, Initialize, Listen, Notification, Notified, Operation, Reason, Refusal, Wanted,
};
use crate::{
    Era, Revision,
    json::{Members, is_object, string},
    jsonrpc::Id,
};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Reads a request of `era`.
///
/// # Errors
/// `MethodNotFound` for what the era does not have, `InvalidParams` for params that cannot be read.
pub(crate) fn read<'a>(
    id: &Id<'_>,
    method: &str,
    params: Option<&Members<'a>>,
    era: Era,
) -> Result<Operation<'a>, Refusal> {
    let none = Members::default();
    let params = params.unwrap_or(&none);
    let operation = match (method, era) {
        ("initialize", Era::Legacy) => initialize(params).map(Operation::Initialize),
        ("ping", Era::Legacy) => Ok(Operation::Ping),
        ("server/discover", Era::Modern) => Ok(Operation::Discover),
        ("tools/list", _) => text(params, "cursor").map(|cursor| Operation::ListTools { cursor }),
        ("tools/call", _) => call_tool(params).map(Operation::CallTool),
        ("subscriptions/listen", Era::Modern) => listen(params).map(Operation::Listen),
        _ => return Err(Refusal::method_not_found(id, method, era)),
    };
    operation.map_err(|why| Refusal::new(Reason::InvalidParams, Some(id), why))
}

fn initialize<'a>(params: &Members<'a>) -> Result<Initialize<'a>, String> {
    let requested = text(params, "protocolVersion")?.ok_or("protocolVersion is missing")?;
    Ok(Initialize {
        negotiated: Revision::negotiate(&requested),
        requested,
        capabilities: object(params, "capabilities")?.ok_or("capabilities is missing")?,
        client_info: object(params, "clientInfo")?.ok_or("clientInfo is missing")?,
    })
}

fn call_tool<'a>(params: &Members<'a>) -> Result<CallTool<'a>, String> {
    Ok(CallTool {
        name: text(params, "name")?.ok_or("name is missing")?,
        arguments: object(params, "arguments")?,
        input_responses: object(params, "inputResponses")?,
        request_state: text(params, "requestState")?,
    })
}

/// All filters are optional, the object is not.
fn listen(params: &Members<'_>) -> Result<Listen, String> {
    let filter =
        object(params, "notifications")?.and_then(Members::read).ok_or("notifications is missing")?;
    for unserved in ["promptsListChanged", "resourcesListChanged"] {
        wanted(&filter, unserved)?;
    }
    match filter.get_some("resourceSubscriptions") {
        Some(uris) if serde_json::from_str::<Vec<Cow<'_, str>>>(uris.get()).is_err() => {
            Err("notifications.resourceSubscriptions must be a list of URIs".to_owned())
        }
        _ => Ok(Listen { tools: wanted(&filter, "toolsListChanged")? }),
    }
}

fn wanted(filter: &Members<'_>, key: &str) -> Result<Wanted, String> {
    match filter.get_some(key).map(RawValue::get) {
        Some("true") => Ok(Wanted::Yes),
        None | Some("false") => Ok(Wanted::No),
        Some(_) => Err(format!("notifications.{key} must be a boolean")),
    }
}

/// Reads a notification. Unknown ones are let through: their sender expects no answer.
///
/// # Errors
/// 400 for a cancellation that names no request.
pub(crate) fn notification<'a>(
    context: Context,
    method: &Cow<'a, str>,
    params: Option<&'a RawValue>,
) -> Result<Notification<'a>, Refusal> {
    let notified = match &**method {
        "notifications/initialized" => Notified::Initialized,
        "notifications/cancelled" => {
            cancelled(params).map_err(|why| Refusal::new(Reason::InvalidNotification, None, why))?
        }
        "notifications/progress" => Notified::Progress { params },
        _ => Notified::Other { method: method.clone() },
    };
    Ok(Notification { context, notified })
}

fn cancelled(params: Option<&RawValue>) -> Result<Notified<'_>, String> {
    let params = params.and_then(Members::read).unwrap_or_default();
    let request_id = params.get("requestId").ok_or("requestId is missing")?;
    let request_id = Id::read(request_id).ok_or("requestId must be a string or an integer")?;
    Ok(Notified::Cancelled { request_id, reason: text(&params, "reason")? })
}

fn text<'a>(params: &Members<'a>, key: &str) -> Result<Option<Cow<'a, str>>, String> {
    match params.get_some(key) {
        None => Ok(None),
        Some(value) => string(value).map(Some).ok_or_else(|| format!("{key} must be a string")),
    }
}

fn object<'a>(params: &Members<'a>, key: &str) -> Result<Option<&'a RawValue>, String> {
    match params.get_some(key) {
        Some(value) if !is_object(value) => Err(format!("{key} must be an object")),
        value => Ok(value),
    }
}
