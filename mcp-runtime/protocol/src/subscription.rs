//! What stands on one notification stream, in the form of its era.
//!
//! | | legacy | modern |
//! |---|---|---|
//! | clause | 2025-11-25, transports, "Listening for Messages from the Server" | 2026-07-28, basic/patterns/subscriptions |
//! | first | a comment | `notifications/subscriptions/acknowledged` with what is honoured |
//! | the list has changed | `notifications/tools/list_changed` | the same, with the subscription's id, if it was asked for |
//! | nothing to say | a comment | a comment |
//! | the server ends it | nothing: a GET stream carries no response | the empty response to `subscriptions/listen` |
//!
//! The subscription's id is the id of the request, its type preserved; each message carries it.

use crate::{
    Era,
    answer::{Implementation, server_meta_members},
    json::{JsonText, ObjectWriter},
    jsonrpc::{self, Id},
    server::{Listen, Wanted, key},
    sse,
};
use bytes::Bytes;

const TOOLS_CHANGED: &str = "notifications/tools/list_changed";
const ACKNOWLEDGED: &str = "notifications/subscriptions/acknowledged";

/// Writes one stream's frames, each a whole event or comment. Kept for hours: it holds little.
#[derive(Clone, Debug)]
pub struct Subscription(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Legacy,
    Modern { id: Id<'static>, tools: Wanted },
}

impl Subscription {
    /// A stream that a legacy GET opened. It carries every notification there is.
    pub const fn legacy() -> Self {
        Self(Kind::Legacy)
    }

    /// A stream that the `subscriptions/listen` request `id` opened.
    pub fn modern(id: &Id<'_>, wanted: Listen) -> Self {
        Self(Kind::Modern { id: id.clone().into_owned(), tools: wanted.tools })
    }

    /// The era whose list the client reads.
    pub const fn era(&self) -> Era {
        match self.0 {
            Kind::Legacy => Era::Legacy,
            Kind::Modern { .. } => Era::Modern,
        }
    }

    /// Whether changes of the tool list may stand on it.
    pub const fn carries_tools(&self) -> bool {
        match self.0 {
            Kind::Legacy => true,
            Kind::Modern { tools, .. } => matches!(tools, Wanted::Yes),
        }
    }

    /// The first frame. The comment of a legacy stream tells proxies and clients that it is open.
    pub fn opening(&self) -> Bytes {
        match &self.0 {
            Kind::Legacy => Self::keep_alive(),
            Kind::Modern { id, tools } => {
                let honoured = ObjectWriter::new().raw_some("toolsListChanged", honoured(*tools));
                let params = of(id).raw("notifications", honoured.finish().as_str()).finish();
                event(&jsonrpc::notification(ACKNOWLEDGED, Some(&params)))
            }
        }
    }

    /// The tool list has changed. Only for a stream that [carries](Self::carries_tools) it: "The server MUST NOT send
    /// notification types the client has not explicitly requested" (2026-07-28, "Opening a Stream").
    pub fn tools_changed(&self) -> Bytes {
        match &self.0 {
            Kind::Legacy => event(&jsonrpc::notification(TOOLS_CHANGED, None)),
            Kind::Modern { id, .. } => event(&jsonrpc::notification(TOOLS_CHANGED, Some(&of(id).finish()))),
        }
    }

    /// Nothing to say, and still there.
    pub const fn keep_alive() -> Bytes {
        Bytes::from_static(sse::KEEP_ALIVE)
    }

    /// The last frame when it is the server that ends the stream, if there is one: the client knows by it that the
    /// connection was not lost (2026-07-28, "Graceful Closure").
    pub fn closing(&self, server: &Implementation) -> Option<Bytes> {
        let Kind::Modern { id, .. } = &self.0 else { return None };
        let meta = server_meta_members(server).raw(key::SUBSCRIPTION_ID, id.as_json()).finish();
        let result = ObjectWriter::new().text("resultType", "complete").raw("_meta", meta.as_str()).finish();
        Some(event(&jsonrpc::success(id, &result)))
    }
}

/// Params that say whose stream it is.
fn of(id: &Id<'_>) -> ObjectWriter {
    let meta: JsonText = ObjectWriter::new().raw(key::SUBSCRIPTION_ID, id.as_json()).finish();
    ObjectWriter::new().raw("_meta", meta.as_str())
}

const fn honoured(wanted: Wanted) -> Option<&'static str> {
    match wanted {
        Wanted::Yes => Some("true"),
        Wanted::No => None,
    }
}

fn event(message: &Bytes) -> Bytes {
    sse::encode(&String::from_utf8_lossy(message), None)
}
