//! JSON-RPC batches, which 2025-03-26 has (basic, "Batching") and no other revision.
//!
//! In: the messages of one array. Out: each as [`Incoming`] or as its own refusal, so that one bad message does not
//! spoil the others. `initialize` may not be in one ("The initialize request MUST NOT be part of a JSON-RPC batch",
//! 2025-03-26, lifecycle), nor may a message of another revision, nor two requests of one id: their answers could not
//! be told apart.

use super::{Accepts, Incoming, Reason, Refusal, accept};
use crate::{
    Revision,
    jsonrpc::{Id, Message, ParseError},
};
use accept::{Source, version_header};

/// Refuses a batch of another revision than the one that has them, as far as that is said.
pub(crate) fn check_revision(source: Source<'_>) -> Result<(), Refusal> {
    let fits = match source {
        Source::Http(headers) => {
            version_header(headers, None)?.is_none_or(|said| said == Revision::WITH_BATCHES.as_str())
        }
        Source::Connection(negotiated) => negotiated == Some(Revision::WITH_BATCHES),
    };
    if fits { Ok(()) } else { Err(Refusal::batch()) }
}

/// Reads the messages.
pub(crate) fn incoming<'a>(
    source: Source<'_>,
    accepts: Accepts,
    messages: Vec<Result<Message<'a>, ParseError>>,
) -> Vec<Result<Incoming<'a>, Refusal>> {
    let mut seen: Vec<Id<'a>> = Vec::new();
    messages.into_iter().map(|message| one(source, accepts, message, &mut seen)).collect()
}

fn one<'a>(
    source: Source<'_>,
    accepts: Accepts,
    message: Result<Message<'a>, ParseError>,
    seen: &mut Vec<Id<'a>>,
) -> Result<Incoming<'a>, Refusal> {
    let message = message.map_err(|error| Refusal::parse(&error))?;
    if let Message::Request { id, method, .. } = &message {
        let why = if *method == "initialize" {
            Some("initialize must not be part of a batch")
        } else if seen.contains(id) {
            Some("two requests of this batch have the same id")
        } else {
            None
        };
        if let Some(why) = why {
            return Err(Refusal::new(Reason::InvalidRequest, Some(id), why));
        }
        seen.push(id.clone());
    }
    let incoming = accept::incoming(source, accepts, message)?;
    match &incoming {
        Incoming::Request(request) if request.context.revision.era() == crate::Era::Modern => {
            let why = "this message is of a revision that has no batches";
            Err(Refusal::new(Reason::InvalidRequest, Some(&request.id), why))
        }
        Incoming::Notification(said) if said.context.revision.era() == crate::Era::Modern => {
            Err(Refusal::batch())
        }
        _ => Ok(incoming),
    }
}
