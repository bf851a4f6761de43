//! Notifications that are about the server rather than about a call.

use crate::upstream::bell::Bell;
use mcpfleet_protocol::{header::SessionId, json::Members};
use serde_json::value::RawValue;

/// Whether a notification is the server's news, on whatever stream it comes.
pub(super) fn is_news(method: &str) -> bool {
    matches!(
        method,
        "notifications/tools/list_changed"
            | "notifications/prompts/list_changed"
            | "notifications/resources/list_changed"
            | "notifications/resources/updated"
            | "notifications/subscriptions/acknowledged"
    )
}

/// Tells those who keep the lists.
pub(super) fn tell(bell: &Bell, session: Option<&SessionId>, method: &str, params: Option<&RawValue>) {
    match method {
        "notifications/resources/updated" => {
            let uri = params.and_then(Members::read).and_then(|params| params.get("uri"));
            if let Some(uri) = uri.and_then(|uri| serde_json::from_str::<String>(uri.get()).ok()) {
                bell.updated(&uri, session);
            }
        }
        "notifications/subscriptions/acknowledged" => bell.acknowledged(),
        _ => bell.lists_changed(),
    }
}
