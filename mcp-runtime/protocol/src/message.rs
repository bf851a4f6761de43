//! Messages that are no answers: requests and notifications to a client or to an upstream.

use crate::{
    Revision,
    json::{JsonText, Members, ObjectWriter},
    jsonrpc::{self, Id},
};
use bytes::Bytes;
use serde_json::value::RawValue;

pub use crate::jsonrpc::{notification, request};

/// A kind of notification that a client can subscribe to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// The list of tools is another.
    Tools,
    /// The list of prompts is another.
    Prompts,
    /// The list of resources, or of their templates, is another.
    Resources,
    /// The resource of this URI is another.
    Updated(&'a str),
}

impl Change<'_> {
    /// Its method.
    pub const fn method(self) -> &'static str {
        match self {
            Self::Tools => "notifications/tools/list_changed",
            Self::Prompts => "notifications/prompts/list_changed",
            Self::Resources => "notifications/resources/list_changed",
            Self::Updated(_) => "notifications/resources/updated",
        }
    }

    /// The notification; `meta` is an object.
    pub(crate) fn message(self, meta: Option<&JsonText>) -> Bytes {
        let uri = match self {
            Self::Updated(uri) => Some(uri),
            Self::Tools | Self::Prompts | Self::Resources => None,
        };
        let params =
            ObjectWriter::new().raw_some("_meta", meta.map(JsonText::as_str)).text_some("uri", uri).finish();
        let params = (params.as_str() != "{}").then_some(params);
        jsonrpc::notification(self.method(), params.as_ref())
    }
}

/// `notifications/{tools,prompts,resources}/list_changed` or `notifications/resources/updated`, outside of a modern
/// subscription ([`crate::Subscription`] writes those).
pub fn changed(change: Change<'_>) -> Bytes {
    change.message(None)
}

/// `notifications/resources/updated`.
pub fn resource_updated(uri: &str) -> Bytes {
    changed(Change::Updated(uri))
}

/// `notifications/progress` under `token`: the other side's params with its token replaced, and without `message` for a
/// client of 2024-11-05, which has none. `params` that are no object count as none.
pub fn progress(token: &Id<'_>, params: Option<&RawValue>, to: Revision) -> Bytes {
    let members = params.and_then(Members::read).unwrap_or_default();
    let kept = members.iter().filter(|(key, _)| match *key {
        "progressToken" => false,
        "message" => to >= Revision::V2025_03_26,
        _ => true,
    });
    let writer = ObjectWriter::new().raw("progressToken", token.as_json());
    let params = kept.fold(writer, |writer, (key, value)| writer.raw(key, value.get())).finish();
    jsonrpc::notification("notifications/progress", Some(&params))
}

/// `notifications/message`: a log message as it came.
pub fn log(params: &RawValue) -> Bytes {
    jsonrpc::notification("notifications/message", Some(&params.into()))
}

/// `notifications/cancelled` for a request that the sender made. Between modern peers on HTTP the closed stream says it.
pub fn cancelled(request: &Id<'_>, reason: &str) -> Bytes {
    let params = ObjectWriter::new().raw("requestId", request.as_json()).text("reason", reason).finish();
    jsonrpc::notification("notifications/cancelled", Some(&params))
}

/// `notifications/roots/list_changed`: to a legacy server only.
pub fn roots_list_changed() -> Bytes {
    jsonrpc::notification("notifications/roots/list_changed", None)
}

/// `notifications/elicitation/complete`: to a client of 2025-11-25 only; `None` for any other revision.
pub fn elicitation_complete(id: &str, to: Revision) -> Option<Bytes> {
    let params = ObjectWriter::new().text("elicitationId", id).finish();
    (to == Revision::V2025_11_25)
        .then(|| jsonrpc::notification("notifications/elicitation/complete", Some(&params)))
}
