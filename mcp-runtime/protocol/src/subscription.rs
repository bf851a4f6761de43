//! What stands on one notification stream, in the form of its era.
//!
//! | | legacy | modern |
//! |---|---|---|
//! | clause | 2025-11-25, transports, "Listening for Messages from the Server" | 2026-07-28, basic/patterns/subscriptions |
//! | first | a comment | `notifications/subscriptions/acknowledged` with what is honoured |
//! | a list or a resource has changed | its notification | the same, with the subscription's id, if it was asked for |
//! | nothing to say | a comment | a comment |
//! | the server ends it | nothing: a GET stream carries no response | the empty response to `subscriptions/listen` |
//!
//! The subscription's id is the id of the request, its type preserved; each message carries it. Which resources a legacy
//! client has subscribed to, its session knows: a legacy stream carries what it is given.
//!
//! Frames are for streams of events; the `_message` forms are for stdio.

use crate::{
    Era,
    answer::{Implementation, server_meta_members},
    json::{JsonText, ObjectWriter},
    jsonrpc::{self, Id},
    message::Change,
    server::{Listen, Wanted, key},
    sse,
};
use bytes::Bytes;

/// What the server honours, first on each modern stream.
pub(crate) const ACKNOWLEDGED: &str = "notifications/subscriptions/acknowledged";

/// Writes one stream's frames, each a whole event or comment. Kept for hours: it holds little.
#[derive(Clone, Debug)]
pub struct Subscription(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Legacy,
    Modern { id: Id<'static>, honoured: Listen },
}

impl Subscription {
    /// A stream that a legacy GET opened. It carries every notification there is.
    pub const fn legacy() -> Self {
        Self(Kind::Legacy)
    }

    /// A stream that the `subscriptions/listen` request `id` opened, with what of it is honoured.
    pub fn modern(id: &Id<'_>, honoured: Listen) -> Self {
        Self(Kind::Modern { id: id.clone().into_owned(), honoured })
    }

    /// The era whose list the client reads.
    pub const fn era(&self) -> Era {
        match self.0 {
            Kind::Legacy => Era::Legacy,
            Kind::Modern { .. } => Era::Modern,
        }
    }

    /// Whether this may stand on it. "The server MUST NOT send notification types the client has not explicitly
    /// requested" (2026-07-28, "Opening a Stream").
    pub fn carries(&self, change: Change<'_>) -> bool {
        let Kind::Modern { honoured, .. } = &self.0 else { return true };
        match change {
            Change::Tools => honoured.tools == Wanted::Yes,
            Change::Prompts => honoured.prompts == Wanted::Yes,
            Change::Resources => honoured.resources == Wanted::Yes,
            Change::Updated(uri) => honoured.updates.iter().any(|wanted| wanted == uri),
        }
    }

    /// Whether changes of the tool list may stand on it.
    pub fn carries_tools(&self) -> bool {
        self.carries(Change::Tools)
    }

    /// The first frame. The comment of a legacy stream tells proxies and clients that it is open.
    pub fn opening(&self) -> Bytes {
        self.opening_message().map_or(Self::keep_alive(), |message| event(&message))
    }

    /// The first message; none in the legacy era.
    pub fn opening_message(&self) -> Option<Bytes> {
        let Kind::Modern { id, honoured } = &self.0 else { return None };
        let params = ObjectWriter::new()
            .raw("_meta", meta(id).as_str())
            .raw("notifications", honoured.write().as_str())
            .finish();
        Some(jsonrpc::notification(ACKNOWLEDGED, Some(&params)))
    }

    /// Something has changed. Only for a stream that [carries](Self::carries) it.
    pub fn changed(&self, change: Change<'_>) -> Bytes {
        event(&self.changed_message(change))
    }

    /// As [`Subscription::changed`], the message alone.
    pub fn changed_message(&self, change: Change<'_>) -> Bytes {
        match &self.0 {
            Kind::Legacy => change.message(None),
            Kind::Modern { id, .. } => change.message(Some(&meta(id))),
        }
    }

    /// The tool list has changed.
    pub fn tools_changed(&self) -> Bytes {
        self.changed(Change::Tools)
    }

    /// Nothing to say, and still there.
    pub const fn keep_alive() -> Bytes {
        Bytes::from_static(sse::KEEP_ALIVE)
    }

    /// The last frame when it is the server that ends the stream, if there is one: the client knows by it that the
    /// connection was not lost (2026-07-28, "Graceful Closure").
    pub fn closing(&self, server: &Implementation) -> Option<Bytes> {
        self.closing_message(server).map(|message| event(&message))
    }

    /// As [`Subscription::closing`], the message alone.
    pub fn closing_message(&self, server: &Implementation) -> Option<Bytes> {
        let Kind::Modern { id, .. } = &self.0 else { return None };
        let meta = server_meta_members(server).raw(key::SUBSCRIPTION_ID, id.as_json()).finish();
        let result = ObjectWriter::new().text("resultType", "complete").raw("_meta", meta.as_str()).finish();
        Some(jsonrpc::success(id, &result))
    }
}

/// `_meta` that says whose stream it is.
fn meta(id: &Id<'_>) -> JsonText {
    ObjectWriter::new().raw(key::SUBSCRIPTION_ID, id.as_json()).finish()
}

fn event(message: &Bytes) -> Bytes {
    sse::encode(&String::from_utf8_lossy(message), None)
}
