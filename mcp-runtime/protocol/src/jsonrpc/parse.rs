//! The envelope.

use super::Id;
use crate::{
    ErrorCode,
    json::{ElementsError, Members, ScanError, elements, is_object, scan, string},
};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// One message, borrowed from its body.
#[derive(Clone, Debug)]
pub enum Message<'a> {
    /// Expects an answer.
    Request {
        /// Echoed in the answer.
        id: Id<'a>,
        /// Such as `tools/call`.
        method: Cow<'a, str>,
        /// An object, when given.
        params: Option<&'a RawValue>,
    },
    /// Expects none.
    Notification {
        /// Such as `notifications/cancelled`.
        method: Cow<'a, str>,
        /// An object, when given.
        params: Option<&'a RawValue>,
    },
    /// Answers a request of ours.
    Response {
        /// Absent when the other side could not read the request's.
        id: Option<Id<'a>>,
        /// What came of it.
        outcome: Outcome<'a>,
    },
}

/// The result or the error of a response.
#[derive(Clone, Debug)]
pub enum Outcome<'a> {
    /// The result, an object.
    Result(&'a RawValue),
    /// The error.
    Error(RpcError<'a>),
}

/// An error object.
#[derive(Clone, Debug)]
pub struct RpcError<'a> {
    /// Any integer; [`ErrorCode::from_number`] knows some.
    pub code: i64,
    /// For people.
    pub message: Cow<'a, str>,
    /// Whatever the other side adds.
    pub data: Option<&'a RawValue>,
    /// The whole object as it came, to pass on.
    pub raw: &'a RawValue,
}

/// Why a body is no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Not JSON, or JSON that no two readers agree on.
    #[error("the body is refused: {0}")]
    Text(#[from] ScanError),
    /// An array where one message is due. Only 2025-03-26 has batches.
    #[error("JSON-RPC batches are not part of this protocol revision: send one message a request")]
    Batch,
    /// A batch of nothing. JSON-RPC 2.0, section 6.
    #[error("the batch is empty")]
    EmptyBatch,
    /// A batch of more than [`MAX_BATCH`] messages.
    #[error("the batch has more than {MAX_BATCH} messages: send fewer at a time")]
    LongBatch,
    /// An object that is no message.
    #[error("the body is no JSON-RPC message: {why}")]
    NotAMessage {
        /// What is wrong with it.
        why: &'static str,
        /// Its id, when that could be read.
        id: Option<Id<'static>>,
    },
}

impl ParseError {
    /// What the sender is told: `ParseError` for what is not JSON, `InvalidRequest` for the rest.
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Text(ScanError::NotUtf8(_) | ScanError::Malformed(_)) => ErrorCode::ParseError,
            Self::Text(_) | Self::Batch | Self::EmptyBatch | Self::LongBatch | Self::NotAMessage { .. } => {
                ErrorCode::InvalidRequest
            }
        }
    }

    /// The id to answer with, when it could be read.
    pub fn id(&self) -> Option<&Id<'static>> {
        match self {
            Self::NotAMessage { id, .. } => id.as_ref(),
            Self::Text(_) | Self::Batch | Self::EmptyBatch | Self::LongBatch => None,
        }
    }
}

/// Most messages of one batch: each costs memory and work of its own.
pub const MAX_BATCH: usize = 64;

/// A body that may be a batch.
#[derive(Clone, Debug)]
pub enum Body<'a> {
    /// One message.
    One(Message<'a>),
    /// A batch (JSON-RPC 2.0, section 6): each element by itself, one bad one does not spoil the others.
    Batch(Vec<Result<Message<'a>, ParseError>>),
}

/// Reads one message.
///
/// # Errors
/// [`ParseError`]; never panics, whatever the bytes.
pub fn parse(body: &[u8]) -> Result<Message<'_>, ParseError> {
    let text = scan(body)?;
    if text.trim_ascii_start().starts_with('[') { Err(ParseError::Batch) } else { message(text) }
}

/// Reads one message or a batch of them.
///
/// # Errors
/// [`ParseError`] for the whole; a fault of one element of a batch is that element's.
pub fn parse_body(body: &[u8]) -> Result<Body<'_>, ParseError> {
    let text = scan(body)?;
    match elements(text, MAX_BATCH) {
        Err(ElementsError::NoArray) => message(text).map(Body::One),
        Err(ElementsError::TooMany) => Err(ParseError::LongBatch),
        Ok(batch) if batch.is_empty() => Err(ParseError::EmptyBatch),
        Ok(batch) => Ok(Body::Batch(batch.into_iter().map(|element| message(element.get())).collect())),
    }
}

/// One message in text that has been scanned.
fn message(text: &str) -> Result<Message<'_>, ParseError> {
    let envelope = Members::parse(text).ok_or_else(|| refuse("it is no object", None))?;
    let id = envelope.get("id").and_then(Id::read);
    envelope_message(&envelope).map_err(|why| refuse(why, id))
}

fn refuse(why: &'static str, id: Option<Id<'_>>) -> ParseError {
    ParseError::NotAMessage { why, id: id.map(Id::into_owned) }
}

fn envelope_message<'a>(envelope: &Members<'a>) -> Result<Message<'a>, &'static str> {
    if envelope.get("jsonrpc").and_then(string).as_deref() != Some("2.0") {
        return Err("\"jsonrpc\" must be \"2.0\"");
    }
    let answers = envelope.get("result").is_some() || envelope.get("error").is_some();
    match (envelope.get("method"), answers) {
        (Some(_), true) => Err("it has both \"method\" and \"result\" or \"error\""),
        (Some(method), false) => call(envelope, method),
        (None, true) => response(envelope),
        (None, false) => Err("it has neither \"method\" nor \"result\" nor \"error\""),
    }
}

fn call<'a>(envelope: &Members<'a>, method: &'a RawValue) -> Result<Message<'a>, &'static str> {
    let method = string(method).ok_or("\"method\" must be a string")?;
    let params = envelope.get_some("params");
    if params.is_some_and(|params| !is_object(params)) {
        return Err("\"params\" must be an object");
    }
    let Some(id) = envelope.get("id") else {
        return Ok(Message::Notification { method, params });
    };
    let id = Id::read(id).ok_or("\"id\" must be a string or an integer")?;
    Ok(Message::Request { id, method, params })
}

fn response<'a>(envelope: &Members<'a>) -> Result<Message<'a>, &'static str> {
    let id = match envelope.get_some("id") {
        Some(id) => Some(Id::read(id).ok_or("\"id\" must be a string or an integer")?),
        None => None,
    };
    let outcome = match (envelope.get("result"), envelope.get("error")) {
        (Some(_), Some(_)) => return Err("it has both \"result\" and \"error\""),
        (Some(result), None) if !is_object(result) => return Err("\"result\" must be an object"),
        (Some(_), None) if id.is_none() => return Err("a result must have an \"id\""),
        (Some(result), None) => Outcome::Result(result),
        (None, Some(error)) => {
            Outcome::Error(rpc_error(error).ok_or("\"error\" must have a code and a message")?)
        }
        (None, None) => return Err("it has neither \"result\" nor \"error\""),
    };
    Ok(Message::Response { id, outcome })
}

fn rpc_error(raw: &RawValue) -> Option<RpcError<'_>> {
    let members = Members::read(raw)?;
    Some(RpcError {
        code: serde_json::from_str(members.get("code")?.get()).ok()?,
        message: string(members.get("message")?)?,
        data: members.get_some("data"),
        raw,
    })
}
