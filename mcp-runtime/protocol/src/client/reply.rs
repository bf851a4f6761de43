//! What comes back: a JSON body, or the data of one event, is one message.

use crate::{
    ErrorCode, Revision, Tool, ToolError,
    json::{JsonText, Members, is_object, string},
    jsonrpc::{self, Id, Message, Outcome, ParseError},
};
use bytes::Bytes;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// One message from a server.
#[derive(Clone, Debug)]
pub enum FromServer<'a> {
    /// The answer to our request.
    Answer(Outcome<'a>),
    /// Progress, a log message, a changed list.
    Notification {
        /// Such as `notifications/progress`.
        method: Cow<'a, str>,
        /// Unread.
        params: Option<&'a RawValue>,
    },
    /// A request to us, legacy only: POST what [`answer_server_request`] gives.
    Request {
        /// The server's id.
        id: Id<'a>,
        /// Such as `ping` or `elicitation/create`.
        method: Cow<'a, str>,
        /// Unread.
        params: Option<&'a RawValue>,
    },
}

/// Why an answer is of no use. The upstream is at fault; nothing is known about the work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// No message.
    #[error("the server sent no valid message: {0}")]
    NoMessage(#[from] ParseError),
    /// An answer to something that was not asked.
    #[error("the server answered another request")]
    WrongId,
    /// A result without what its method promises.
    #[error("the server's result lacks a valid {0}")]
    Member(&'static str),
}

/// Reads one message that came in answer to the request `id`.
///
/// An error without an id answers it too: the server could not read it.
///
/// # Errors
/// [`ReplyError`]; never panics.
pub fn read<'a>(message: &'a [u8], id: &Id<'_>) -> Result<FromServer<'a>, ReplyError> {
    match jsonrpc::parse(message)? {
        Message::Notification { method, params } => Ok(FromServer::Notification { method, params }),
        Message::Request { id, method, params } => Ok(FromServer::Request { id, method, params }),
        Message::Response { id: Some(answered), .. } if answered != *id => Err(ReplyError::WrongId),
        Message::Response { outcome, .. } => Ok(FromServer::Answer(outcome)),
    }
}

/// The body that answers a request of the server's: `ping` is answered, the rest is not offered
/// (we declare no client capabilities).
pub fn answer_server_request(id: &Id<'_>, method: &str) -> Bytes {
    match method {
        "ping" => jsonrpc::success(id, &JsonText::empty_object()),
        _ => jsonrpc::error(Some(id), ErrorCode::MethodNotFound, "this client does not offer that", None),
    }
}

/// The result of `initialize`.
#[derive(Clone, Debug)]
pub struct InitializeReply<'a> {
    /// What the server wants to speak.
    pub revision: Revision,
    /// An object.
    pub capabilities: &'a RawValue,
    /// An object.
    pub server_info: Option<&'a RawValue>,
    /// Guidance for models.
    pub instructions: Option<Cow<'a, str>>,
}

impl<'a> InitializeReply<'a> {
    /// Reads it.
    ///
    /// # Errors
    /// When the revision is unknown or not spoken here ("If the client does not support the version in the server's
    /// response, it SHOULD disconnect", 2025-11-25, lifecycle), or a member is missing.
    pub fn read(result: &'a RawValue) -> Result<Self, ReplyError> {
        let members = Members::read(result).ok_or(ReplyError::Member("result"))?;
        let version = members.get("protocolVersion").and_then(string);
        let revision = version.and_then(|version| Revision::parse(&version)).filter(|known| speaks(*known));
        let capabilities = members.get("capabilities").filter(|value| is_object(value));
        Ok(Self {
            revision: revision.ok_or(ReplyError::Member("protocolVersion"))?,
            capabilities: capabilities.ok_or(ReplyError::Member("capabilities"))?,
            server_info: members.get_some("serverInfo"),
            instructions: members.get_some("instructions").and_then(string),
        })
    }
}

/// As a client the tool calls of every Streamable HTTP revision before the modern one are the same to us: older servers
/// that answer with their own latest revision are spoken to.
fn speaks(revision: Revision) -> bool {
    (Revision::V2025_03_26..=Revision::LATEST_LEGACY).contains(&revision)
}

/// One page of `tools/list`.
#[derive(Clone, Debug, Default)]
pub struct ToolsReply {
    /// Those that can be used.
    pub tools: Vec<Tool>,
    /// Those that cannot, and why.
    pub left_out: Vec<ToolError>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
    /// How long the page may be kept, in ms; modern only.
    pub ttl_ms: Option<u64>,
}

impl ToolsReply {
    /// Longest page that is read: a tool, or why it is left out, takes many times the two bytes that an element of a
    /// hostile list takes.
    pub const MAX_TOOLS: usize = 10_000;

    /// Reads it.
    ///
    /// # Errors
    /// When there is no list at all, or one longer than [`ToolsReply::MAX_TOOLS`].
    pub fn read(result: &RawValue) -> Result<Self, ReplyError> {
        let members = Members::read(result).ok_or(ReplyError::Member("result"))?;
        let list = members.get("tools").ok_or(ReplyError::Member("tools"))?;
        let list: Vec<&RawValue> =
            serde_json::from_str(list.get()).map_err(|_| ReplyError::Member("tools"))?;
        if list.len() > Self::MAX_TOOLS {
            return Err(ReplyError::Member("tools"));
        }
        let ttl = members.get_some("ttlMs").and_then(|ttl| serde_json::from_str(ttl.get()).ok());
        let cursor = members.get_some("nextCursor").and_then(string).map(Cow::into_owned);
        let mut reply = Self { next_cursor: cursor, ttl_ms: ttl, ..Self::default() };
        // Only modern results have a type, and only to modern servers the annotations mean anything.
        let rule = if members.get("resultType").is_some() { check_param_headers } else { Ok };
        for tool in list {
            match Tool::read(tool).and_then(rule) {
                Ok(tool) => reply.tools.push(tool),
                Err(why) => reply.left_out.push(why),
            }
        }
        Ok(reply)
    }
}

fn check_param_headers(tool: Tool) -> Result<Tool, ToolError> {
    tool.param_headers().map(|_| tool)
}
