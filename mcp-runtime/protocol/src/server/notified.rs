//! Notifications and their params.

use super::{Context, Notification, Notified, Reason, Refusal, operation::text};
use crate::{json::Members, jsonrpc::Id};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Reads a notification. Unknown ones are let through: their sender expects no answer.
///
/// # Errors
/// 400 for a cancellation that names no request, and for progress that names none.
pub(crate) fn read<'a>(
    context: Context,
    method: &Cow<'a, str>,
    params: Option<&'a RawValue>,
) -> Result<Notification<'a>, Refusal> {
    let notified = match &**method {
        "notifications/initialized" => Ok(Notified::Initialized),
        "notifications/cancelled" => cancelled(params),
        "notifications/progress" => progress(params),
        "notifications/roots/list_changed" => Ok(Notified::RootsListChanged),
        _ => Ok(Notified::Other { method: method.clone() }),
    };
    let notified = notified.map_err(|why| Refusal::new(Reason::InvalidNotification, None, why))?;
    Ok(Notification { context, notified })
}

fn cancelled(params: Option<&RawValue>) -> Result<Notified<'_>, String> {
    let params = params.and_then(Members::read).unwrap_or_default();
    let request_id = id(&params, "requestId")?;
    Ok(Notified::Cancelled { request_id, reason: text(&params, "reason")? })
}

fn progress(params: Option<&RawValue>) -> Result<Notified<'_>, String> {
    let params = params.ok_or("progressToken is missing")?;
    let token = id(&Members::read(params).unwrap_or_default(), "progressToken")?;
    Ok(Notified::Progress { token, params })
}

fn id<'a>(params: &Members<'a>, key: &str) -> Result<Id<'a>, String> {
    let id = params.get(key).ok_or_else(|| format!("{key} is missing"))?;
    Id::read(id).ok_or_else(|| format!("{key} must be a string or an integer"))
}
