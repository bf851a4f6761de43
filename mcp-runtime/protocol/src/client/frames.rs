//! What stands on an upstream's notification stream: a GET stream, or the answer to `subscriptions/listen`.

use crate::{
    json::{Members, string},
    jsonrpc::Id,
    message::Change,
    server::{Listen, key, read_filter},
    subscription::ACKNOWLEDGED,
};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// One notification of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// The server honours this much of what was asked; modern, first.
    Acknowledged(Listen),
    /// The list of tools is another.
    ToolsChanged,
    /// The list of prompts is another.
    PromptsChanged,
    /// The list of resources or of templates is another.
    ResourcesChanged,
    /// This resource, or one below it, is another.
    Updated(Cow<'a, str>),
    /// Anything else: a log message, progress, what is unknown, what is on another subscription's id.
    Other,
}

/// Reads a notification ([`super::FromServer::Notification`]). `subscription` is the id of our `subscriptions/listen`;
/// `None` on a legacy stream. A message that bears another id is not ours (2026-07-28, basic/patterns/subscriptions,
/// "Receiving Notifications").
pub fn read_frame<'a>(
    method: &str,
    params: Option<&'a RawValue>,
    subscription: Option<&Id<'_>>,
) -> Frame<'a> {
    let params = params.and_then(Members::read).unwrap_or_default();
    if !is_ours(&params, subscription) {
        return Frame::Other;
    }
    let is = |change: Change<'_>| method == change.method();
    if method == ACKNOWLEDGED {
        let filter = params.get("notifications").and_then(Members::read).unwrap_or_default();
        return read_filter(&filter).map_or(Frame::Other, Frame::Acknowledged);
    }
    if is(Change::Tools) {
        return Frame::ToolsChanged;
    }
    if is(Change::Prompts) {
        return Frame::PromptsChanged;
    }
    if is(Change::Resources) {
        return Frame::ResourcesChanged;
    }
    match params.get("uri").and_then(string) {
        Some(uri) if is(Change::Updated("")) && uri.len() <= Listen::MAX_URI_BYTES => Frame::Updated(uri),
        _ => Frame::Other,
    }
}

/// Servers that leave the id out have one stream only to mean.
fn is_ours(params: &Members<'_>, subscription: Option<&Id<'_>>) -> bool {
    let meta = params.get("_meta").and_then(Members::read).unwrap_or_default();
    match (subscription, meta.get_some(key::SUBSCRIPTION_ID)) {
        (Some(ours), Some(theirs)) => Id::read(theirs).is_some_and(|theirs| theirs == *ours),
        _ => true,
    }
}
