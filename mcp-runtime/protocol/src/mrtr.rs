//! Multi round-trip requests (2026-07-28, basic/patterns/mrtr): a server asks back in its result, the client retries.
//!
//! In: results and params as they came. Out: bounded lists of what is asked and what was answered, and back. What a
//! `requestState` holds is for whoever wrote it; sealing it is the caller's.

use crate::{
    json::{JsonText, Members, ObjectWriter, is_object, string},
    server::clipped,
};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Most requests, and most responses, of one round.
pub const MAX_INPUTS: usize = 32;
/// Longest key of one, in bytes.
pub const MAX_KEY_BYTES: usize = 256;
/// Longest `requestState` that is carried, in bytes.
pub const MAX_STATE_BYTES: usize = 64 * 1024;

/// Why the inputs of a message cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// A member of another type than it must be.
    #[error("{0} is missing or of the wrong type")]
    Member(&'static str),
    /// One entry that is no request of a server's ("`inputRequests` values [...] MUST be one of").
    #[error("input request {0:?} is none of elicitation/create, sampling/createMessage and roots/list")]
    Request(String),
    /// One entry that is no result.
    #[error("input response {0:?} is no object")]
    Response(String),
    /// More than [`MAX_INPUTS`].
    #[error("more than {MAX_INPUTS} inputs in one round")]
    TooMany,
    /// A key longer than [`MAX_KEY_BYTES`].
    #[error("an input has a key of more than {MAX_KEY_BYTES} bytes")]
    LongKey,
    /// Longer than [`MAX_STATE_BYTES`].
    #[error("requestState has more than {MAX_STATE_BYTES} bytes")]
    LongState,
    /// Neither requests nor state ("Servers MUST include at least one").
    #[error("it has neither inputRequests nor requestState")]
    Nothing,
}

/// One request of a server's.
#[derive(Clone, Debug)]
pub struct InputRequest<'a> {
    /// The server's name of it; the response goes under the same.
    pub key: Cow<'a, str>,
    /// `elicitation/create`, `sampling/createMessage` or `roots/list`.
    pub method: InputMethod,
    /// An object, when given.
    pub params: Option<&'a RawValue>,
}

/// What a server may ask a client for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InputMethod {
    /// `elicitation/create`.
    Elicit,
    /// `sampling/createMessage`.
    CreateMessage,
    /// `roots/list`.
    ListRoots,
}

impl InputMethod {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Elicit, Self::CreateMessage, Self::ListRoots];

    /// The method on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Elicit => "elicitation/create",
            Self::CreateMessage => "sampling/createMessage",
            Self::ListRoots => "roots/list",
        }
    }

    /// The one of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }
}

/// What an `input_required` result asks for.
#[derive(Clone, Debug, Default)]
pub struct InputRequests<'a> {
    /// In the order of the text.
    pub requests: Vec<InputRequest<'a>>,
    /// Goes back unread with the retry.
    pub state: Option<Cow<'a, str>>,
}

impl<'a> InputRequests<'a> {
    /// Reads a result; `None` when it is of another type than `input_required`.
    ///
    /// # Errors
    /// [`InputError`]: the result is of no use.
    pub fn read(result: &'a RawValue) -> Result<Option<Self>, InputError> {
        let members = Members::read(result).unwrap_or_default();
        if members.get("resultType").and_then(string).as_deref() != Some("input_required") {
            return Ok(None);
        }
        let requests = match members.get_some("inputRequests") {
            None => Vec::new(),
            Some(raw) => bounded(raw, "inputRequests")?.into_iter().map(request).collect::<Result<_, _>>()?,
        };
        let state = state(&members)?;
        if requests.is_empty() && state.is_none() {
            return Err(InputError::Nothing);
        }
        Ok(Some(Self { requests, state }))
    }
}

/// What a client answers on its retry.
#[derive(Clone, Debug, Default)]
pub struct InputResponses<'a> {
    /// By the key of the request; each an object, unread.
    pub responses: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> InputResponses<'a> {
    /// Reads `params.inputResponses`.
    ///
    /// # Errors
    /// [`InputError`], to be answered with -32602.
    pub fn read(raw: &'a RawValue) -> Result<Self, InputError> {
        let responses = bounded(raw, "inputResponses")?;
        match responses.iter().find(|(_, value)| !is_object(value)) {
            Some((key, _)) => Err(InputError::Response(clipped(key))),
            None => Ok(Self { responses }),
        }
    }

    /// The response under `key`.
    pub fn get(&self, key: &str) -> Option<&'a RawValue> {
        self.responses.iter().find(|(name, _)| name == key).map(|(_, value)| *value)
    }
}

fn bounded<'a>(
    raw: &'a RawValue,
    member: &'static str,
) -> Result<Vec<(Cow<'a, str>, &'a RawValue)>, InputError> {
    let entries = Members::read(raw).ok_or(InputError::Member(member))?.into_entries();
    if entries.len() > MAX_INPUTS {
        return Err(InputError::TooMany);
    }
    if entries.iter().any(|(key, _)| key.len() > MAX_KEY_BYTES) {
        return Err(InputError::LongKey);
    }
    Ok(entries)
}

fn request<'a>((key, raw): (Cow<'a, str>, &'a RawValue)) -> Result<InputRequest<'a>, InputError> {
    let members = Members::read(raw).unwrap_or_default();
    let method = members.get("method").and_then(string).and_then(|name| InputMethod::parse(&name));
    let params = members.get_some("params");
    match method {
        Some(method) if params.is_none_or(is_object) => Ok(InputRequest { key, method, params }),
        _ => Err(InputError::Request(clipped(&key))),
    }
}

fn state<'a>(members: &Members<'a>) -> Result<Option<Cow<'a, str>>, InputError> {
    let Some(raw) = members.get_some("requestState") else { return Ok(None) };
    let state = string(raw).ok_or(InputError::Member("requestState"))?;
    if state.len() > MAX_STATE_BYTES { Err(InputError::LongState) } else { Ok(Some(state)) }
}

/// The object of `inputRequests`: key, method, params.
pub fn write_requests<'a>(
    requests: impl IntoIterator<Item = (&'a str, InputMethod, Option<&'a str>)>,
) -> JsonText {
    let one = |method: InputMethod, params| {
        ObjectWriter::new().text("method", method.as_str()).raw_some("params", params).finish()
    };
    let requests = requests.into_iter();
    let write = |writer: ObjectWriter, (key, method, params)| writer.raw(key, one(method, params).as_str());
    requests.fold(ObjectWriter::new(), write).finish()
}

/// The object of `inputResponses`: key, and a result as JSON text.
pub fn write_responses<'a>(responses: impl IntoIterator<Item = (&'a str, &'a str)>) -> JsonText {
    let responses = responses.into_iter();
    responses.fold(ObjectWriter::new(), |writer, (key, result)| writer.raw(key, result)).finish()
}
