//! A server whose era is known, and how it is asked.

use super::{
    Ask, AskContext,
    outgoing::{Outgoing, common_headers, mirror, post, version_header},
};
use crate::{
    Era, Revision,
    answer::Implementation,
    header::{SESSION_ID, SessionId},
    json::{JsonText, ObjectWriter},
    jsonrpc::{Id, notification},
    message,
    server::{LogLevel, key},
};
use http::HeaderMap;

/// A server of either era.
#[derive(Clone, Debug)]
pub enum Peer {
    /// 2026-07-28.
    Modern(ModernPeer),
    /// Any earlier revision, after its `initialize`.
    Legacy(LegacyPeer),
}

impl Peer {
    /// Its era.
    pub const fn era(&self) -> Era {
        self.revision().era()
    }

    /// The revision that is spoken with it.
    pub const fn revision(&self) -> Revision {
        match self {
            Self::Modern(_) => ModernPeer::REVISION,
            Self::Legacy(peer) => peer.revision,
        }
    }

    /// Any request.
    pub fn ask(&self, id: &Id<'_>, ask: &Ask<'_>, context: &AskContext<'_>) -> Outgoing {
        match self {
            Self::Modern(peer) => peer.ask(id, ask, context),
            Self::Legacy(peer) => peer.ask(id, ask, context),
        }
    }
}

/// A modern server: everything is said with each request.
#[derive(Clone, Debug)]
pub struct ModernPeer {
    /// Who we are.
    pub client: Implementation,
    /// What we can do; an object, `{}` for nothing.
    pub capabilities: JsonText,
    /// Least severe log message that we want; none without it.
    pub log_level: Option<LogLevel>,
}

impl ModernPeer {
    const REVISION: Revision = Revision::LATEST_MODERN;

    /// `server/discover`: also the probe of a server whose era is unknown
    /// (2026-07-28, streamable HTTP, "Backward Compatibility").
    pub fn discover(&self, id: &Id<'_>) -> Outgoing {
        self.ask(id, &Ask::Discover, &AskContext::default())
    }

    /// Any request.
    pub fn ask(&self, id: &Id<'_>, ask: &Ask<'_>, context: &AskContext<'_>) -> Outgoing {
        let params = ask
            .params(Self::REVISION)
            .raw_some("inputResponses", context.input_responses)
            .text_some("requestState", context.request_state)
            .raw("_meta", self.meta(context).as_str())
            .finish();
        let method = ask.method().as_str();
        let mut headers = common_headers();
        version_header(&mut headers, Self::REVISION);
        mirror(&mut headers, method, ask.name());
        post(headers, id, method, Some(&params))
    }

    /// The per-request fields (2026-07-28, basic, "Per-request protocol fields").
    fn meta(&self, context: &AskContext<'_>) -> JsonText {
        let capabilities = context.client_capabilities.unwrap_or(&self.capabilities);
        let log_level = context.log_level.or(self.log_level);
        context
            .meta()
            .text(key::PROTOCOL_VERSION, Self::REVISION.as_str())
            .raw(key::CLIENT_INFO, self.client.write(Self::REVISION).as_str())
            .raw(key::CLIENT_CAPABILITIES, capabilities.as_str())
            .text_some(key::LOG_LEVEL, log_level.map(LogLevel::as_str))
            .finish()
    }
}

/// The `initialize` that opens a legacy session: neither session nor revision header yet
/// (2025-11-25, lifecycle, "Initialization"). `capabilities` as [`crate::ClientCapabilities::write`] gives them for the
/// same revision.
pub fn initialize(
    id: &Id<'_>,
    client: &Implementation,
    capabilities: &JsonText,
    revision: Revision,
) -> Outgoing {
    let params = ObjectWriter::new()
        .text("protocolVersion", revision.as_str())
        .raw("capabilities", capabilities.as_str())
        .raw("clientInfo", client.write(revision).as_str())
        .finish();
    post(common_headers(), id, "initialize", Some(&params))
}

/// A legacy server that has answered `initialize`. On HTTP+SSE and on stdio there is no session id, and what stands in
/// the headers is not looked at.
#[derive(Clone, Debug)]
pub struct LegacyPeer {
    /// What it answered with.
    pub revision: Revision,
    /// From the answer's `Mcp-Session-Id`, when it had one.
    pub session: Option<SessionId>,
}

impl LegacyPeer {
    /// `notifications/initialized`: to be sent once, before anything else.
    pub fn initialized(&self) -> Outgoing {
        self.message(notification("notifications/initialized", None))
    }

    /// `ping`.
    pub fn ping(&self, id: &Id<'_>) -> Outgoing {
        self.ask(id, &Ask::Ping, &AskContext::default())
    }

    /// Any request.
    pub fn ask(&self, id: &Id<'_>, ask: &Ask<'_>, context: &AskContext<'_>) -> Outgoing {
        let meta = context.meta().finish();
        let meta = Some(meta.as_str()).filter(|meta| *meta != "{}");
        let params = ask.params(self.revision).raw_some("_meta", meta).finish();
        let bare = matches!(ask, Ask::Ping) && params.as_str() == "{}";
        post(self.post_headers(), id, ask.method().as_str(), (!bare).then_some(&params))
    }

    /// `notifications/cancelled` for a request of ours, never for `initialize`
    /// (2025-11-25, basic/utilities/cancellation). To a modern server closing the stream is the cancel.
    pub fn cancelled(&self, request: &Id<'_>, reason: &str) -> Outgoing {
        self.message(message::cancelled(request, reason))
    }

    /// `notifications/roots/list_changed`, if we have declared that we tell.
    pub fn roots_list_changed(&self) -> Outgoing {
        self.message(message::roots_list_changed())
    }

    /// A POST that answers a request of the server's, with [`crate::jsonrpc::success`], [`crate::jsonrpc::error`] or
    /// [`super::answer_server_request`].
    pub fn response(&self, body: bytes::Bytes) -> Outgoing {
        self.message(body)
    }

    /// Headers of the DELETE that ends the session, or `None` when there is none. 405 is an answer that servers may give.
    pub fn delete(&self) -> Option<HeaderMap> {
        self.session.as_ref().map(|_| self.session_headers(HeaderMap::new()))
    }

    /// Headers of the GET that opens the stream of notifications and requests of the server; 405 is an answer that
    /// servers may give (2025-11-25, transports, "Listening for Messages from the Server").
    pub fn listen(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::ACCEPT, http::HeaderValue::from_static("text/event-stream"));
        self.session_headers(headers)
    }

    /// Headers and body of a POST of any message.
    fn message(&self, body: bytes::Bytes) -> Outgoing {
        Outgoing { headers: self.post_headers(), body }
    }

    fn post_headers(&self) -> HeaderMap {
        self.session_headers(common_headers())
    }

    /// Servers of 2025-03-26 do not know the header and ignore it; 2024-11-05 had no such transport at all.
    fn session_headers(&self, mut headers: HeaderMap) -> HeaderMap {
        if self.revision > Revision::V2024_11_05 {
            version_header(&mut headers, self.revision);
        }
        if let Some(session) = &self.session {
            headers.insert(SESSION_ID, session.header_value());
        }
        headers
    }
}
