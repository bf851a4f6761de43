//! What comes back: a JSON body, or the data of one event, is one message (or, from servers of 2025-03-26, a batch).

use crate::{
    ErrorCode,
    json::{ElementsError, JsonText, elements, scan},
    jsonrpc::{self, Id, MAX_BATCH, Message, Outcome, ParseError},
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
    /// A request to us, legacy only: POST what [`answer_server_request`] gives, or an answer of the client behind us.
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

/// The messages of a body, each for [`read`]: one, or those of a batch, which servers of 2025-03-26 may send
/// (2025-03-26, basic, "Batching").
///
/// # Errors
/// When it is no JSON, or a batch of none or of more than [`MAX_BATCH`].
pub fn messages(body: &[u8]) -> Result<Vec<&[u8]>, ReplyError> {
    let text = scan(body).map_err(ParseError::from)?;
    match elements(text, MAX_BATCH) {
        Err(ElementsError::NoArray) => Ok(vec![body]),
        Err(ElementsError::TooMany) => Err(ParseError::LongBatch.into()),
        Ok(batch) if batch.is_empty() => Err(ParseError::EmptyBatch.into()),
        Ok(batch) => Ok(batch.into_iter().map(|message| message.get().as_bytes()).collect()),
    }
}

/// The body that answers a request of the server's which nobody behind us can: `ping` is answered, the rest is not
/// offered.
pub fn answer_server_request(id: &Id<'_>, method: &str) -> Bytes {
    match method {
        "ping" => jsonrpc::success(id, &JsonText::empty_object()),
        _ => jsonrpc::error(Some(id), ErrorCode::MethodNotFound, "this client does not offer that", None),
    }
}
