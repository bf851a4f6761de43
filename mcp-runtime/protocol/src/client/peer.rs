//! A server whose era is known, and what can be asked of it.

use super::outgoing::{CallParams, Outgoing, common_headers, mirror, post, version_header};
use crate::{
    Era, Revision,
    answer::Implementation,
    header::{SESSION_ID, SessionId},
    json::{JsonText, ObjectWriter},
    jsonrpc::{Id, notification},
    server::{LogLevel, key},
};
use http::HeaderMap;

/// A server of either era.
#[derive(Clone, Debug)]
pub enum Peer {
    /// 2026-07-28.
    Modern(ModernPeer),
    /// 2025-11-25, after its `initialize`.
    Legacy(LegacyPeer),
}

impl Peer {
    /// Its era.
    pub const fn era(&self) -> Era {
        match self {
            Self::Modern(_) => Era::Modern,
            Self::Legacy(_) => Era::Legacy,
        }
    }

    /// `tools/list`, from the beginning or from a `nextCursor`.
    pub fn list_tools(&self, id: &Id<'_>, cursor: Option<&str>) -> Outgoing {
        match self {
            Self::Modern(peer) => peer.list_tools(id, cursor),
            Self::Legacy(peer) => peer.list_tools(id, cursor),
        }
    }

    /// `tools/call`.
    pub fn call_tool(&self, id: &Id<'_>, call: &CallParams<'_>) -> Outgoing {
        match self {
            Self::Modern(peer) => peer.call_tool(id, call),
            Self::Legacy(peer) => peer.call_tool(id, call),
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
        let params = ObjectWriter::new().raw("_meta", self.meta(ObjectWriter::new()).as_str()).finish();
        Self::request(id, "server/discover", None, &params)
    }

    /// `tools/list`.
    pub fn list_tools(&self, id: &Id<'_>, cursor: Option<&str>) -> Outgoing {
        let meta = self.meta(ObjectWriter::new());
        let params = ObjectWriter::new().text_some("cursor", cursor).raw("_meta", meta.as_str()).finish();
        Self::request(id, "tools/list", None, &params)
    }

    /// `tools/call`.
    pub fn call_tool(&self, id: &Id<'_>, call: &CallParams<'_>) -> Outgoing {
        let meta = self.meta(call.meta());
        let params = ObjectWriter::new()
            .text("name", call.name)
            .raw("arguments", call.arguments)
            .raw("_meta", meta.as_str())
            .finish();
        Self::request(id, "tools/call", Some(call.name), &params)
    }

    /// The per-request fields (2026-07-28, basic, "Per-request protocol fields").
    fn meta(&self, writer: ObjectWriter) -> JsonText {
        writer
            .text(key::PROTOCOL_VERSION, Self::REVISION.as_str())
            .raw(key::CLIENT_INFO, self.client.write().as_str())
            .raw(key::CLIENT_CAPABILITIES, self.capabilities.as_str())
            .text_some(key::LOG_LEVEL, self.log_level.map(LogLevel::as_str))
            .finish()
    }

    fn request(id: &Id<'_>, method: &'static str, name: Option<&str>, params: &JsonText) -> Outgoing {
        let mut headers = common_headers();
        version_header(&mut headers, Self::REVISION);
        mirror(&mut headers, method, name);
        post(headers, id, method, Some(params))
    }
}

/// The `initialize` that opens a legacy session: neither session nor revision header yet
/// (2025-11-25, lifecycle, "Initialization").
pub fn initialize(id: &Id<'_>, client: &Implementation, capabilities: &JsonText) -> Outgoing {
    let params = ObjectWriter::new()
        .text("protocolVersion", Revision::LATEST_LEGACY.as_str())
        .raw("capabilities", capabilities.as_str())
        .raw("clientInfo", client.write().as_str())
        .finish();
    post(common_headers(), id, "initialize", Some(&params))
}

/// A legacy server that has answered `initialize`.
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
        Outgoing { headers: self.post_headers(), body: notification("notifications/initialized", None) }
    }

    /// `ping`.
    pub fn ping(&self, id: &Id<'_>) -> Outgoing {
        post(self.post_headers(), id, "ping", None)
    }

    /// `tools/list`.
    pub fn list_tools(&self, id: &Id<'_>, cursor: Option<&str>) -> Outgoing {
        let params = ObjectWriter::new().text_some("cursor", cursor).finish();
        post(self.post_headers(), id, "tools/list", Some(&params))
    }

    /// `tools/call`.
    pub fn call_tool(&self, id: &Id<'_>, call: &CallParams<'_>) -> Outgoing {
        let meta = call.meta().finish();
        let params = ObjectWriter::new()
            .text("name", call.name)
            .raw("arguments", call.arguments)
            .raw_some("_meta", Some(meta.as_str()).filter(|meta| *meta != "{}"))
            .finish();
        post(self.post_headers(), id, "tools/call", Some(&params))
    }

    /// `notifications/cancelled` for a request of ours, never for `initialize`
    /// (2025-11-25, basic/utilities/cancellation). To a modern server closing the stream is the cancel.
    pub fn cancelled(&self, request: &Id<'_>, reason: &str) -> Outgoing {
        let params = ObjectWriter::new().raw("requestId", request.as_json()).text("reason", reason).finish();
        Outgoing {
            headers: self.post_headers(),
            body: notification("notifications/cancelled", Some(&params)),
        }
    }

    /// Headers and body of a POST that answers a request of the server's ([`super::answer_server_request`]).
    pub fn response(&self, body: bytes::Bytes) -> Outgoing {
        Outgoing { headers: self.post_headers(), body }
    }

    /// Headers of the DELETE that ends the session, or `None` when there is none. 405 is an answer that servers may give.
    pub fn delete(&self) -> Option<HeaderMap> {
        self.session.as_ref().map(|_| self.session_headers(HeaderMap::new()))
    }

    fn post_headers(&self) -> HeaderMap {
        self.session_headers(common_headers())
    }

    fn session_headers(&self, mut headers: HeaderMap) -> HeaderMap {
        version_header(&mut headers, self.revision);
        if let Some(session) = &self.session {
            headers.insert(SESSION_ID, session.header_value());
        }
        headers
    }
}
