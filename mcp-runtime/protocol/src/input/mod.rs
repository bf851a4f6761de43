//! A server's requests for a client of another revision: what may be asked of whom, and in which words.
//!
//! | request | revisions | capability | what changes |
//! |---|---|---|---|
//! | `ping` | 2024-11-05 to 2025-11-25 | none | |
//! | `roots/list` | all | `roots` | |
//! | `sampling/createMessage` | all | `sampling`; `sampling.tools` for tools | several blocks of one message become several messages before 2025-11-25, audio a text before 2025-03-26 |
//! | `elicitation/create`, form | since 2025-06-18 | `elicitation.form` | `mode` is said since 2025-11-25; before, titled choices become `enumNames` |
//! | `elicitation/create`, url | since 2025-11-25 | `elicitation.url` | `elicitationId` in 2025-11-25 only |
//!
//! In the modern era they travel as input requests ([`crate::mrtr`]), before as requests of the server's own
//! ([`crate::message::request`]).

mod elicitation;
mod sampling;

pub use sampling::rewrite_response;

use crate::{
    ClientCapabilities, Era, Revision,
    json::{JsonText, Members, ObjectWriter},
};
use serde_json::value::RawValue;

/// Why a client cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Inexpressible {
    /// The client's revision has no such request.
    #[error("protocol revision {revision} has no request {method}")]
    Method {
        /// The request.
        method: String,
        /// The client's.
        revision: Revision,
    },
    /// It has, and the client did not say that it can: what it would have to declare.
    #[error("the client has not declared {}", .0.as_str())]
    NotDeclared(JsonText),
    /// The revision has no words for this part of it.
    #[error("protocol revision {revision} cannot express {what}")]
    Part {
        /// Such as "a choice of several values".
        what: &'static str,
        /// The client's.
        revision: Revision,
    },
    /// The params are not as any revision has them.
    #[error("the request's {0} is missing or of the wrong type")]
    Member(&'static str),
}

/// A client that may be asked.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Its revision.
    pub revision: Revision,
    /// What it declared.
    pub capabilities: &'a ClientCapabilities,
    /// What an elicitation by URL is called where it must have a name (2025-11-25) and came without: unguessable.
    pub elicitation_id: &'a str,
}

/// The params of a server's request, in the words of the client's revision; `None` where it has none.
///
/// # Errors
/// [`Inexpressible`]: the client must not be asked.
pub fn rewrite_request(
    method: &str,
    params: Option<&RawValue>,
    to: &Asked<'_>,
) -> Result<Option<JsonText>, Inexpressible> {
    if !is_in(method, to.revision) {
        return Err(Inexpressible::Method { method: crate::server::clipped(method), revision: to.revision });
    }
    let read = params.and_then(Members::read).unwrap_or_default();
    // The mode is told first: a revision without it has no capability to declare.
    let by_url = method == "elicitation/create" && elicitation::is_by_url(&read);
    if by_url && to.revision < Revision::V2025_11_25 {
        return Err(Inexpressible::Part { what: "elicitation by URL", revision: to.revision });
    }
    if let Some(missing) = to.capabilities.missing_for(method, params) {
        return Err(Inexpressible::NotDeclared(missing));
    }
    match method {
        "elicitation/create" if by_url => elicitation::by_url(&read, to).map(Some),
        "elicitation/create" => elicitation::form(&read, to.revision).map(Some),
        "sampling/createMessage" => sampling::request(&read, to.revision).map(Some),
        _ => Ok(bare(&read)),
    }
}

/// Which revisions have it.
fn is_in(method: &str, revision: Revision) -> bool {
    match method {
        "ping" => revision.era() == Era::Legacy,
        "roots/list" | "sampling/createMessage" => true,
        "elicitation/create" => revision >= Revision::V2025_06_18,
        _ => false,
    }
}

/// Whether a member of any request is the other hop's: tasks of 2025-11-25, and `_meta` with its progress token.
fn is_hop_member(name: &str) -> bool {
    matches!(name, "_meta" | "task")
}

/// `_meta` without what belongs to one hop.
fn meta(params: &Members<'_>) -> Option<JsonText> {
    let meta = params.get("_meta").and_then(Members::read)?;
    let kept = meta.iter().filter(|(key, _)| *key != crate::server::key::PROGRESS_TOKEN);
    let kept = kept.fold(ObjectWriter::new(), |writer, (key, value)| writer.raw(key, value.get())).finish();
    (kept.as_str() != "{}").then_some(kept)
}

/// Params of requests that have none but `_meta`.
fn bare(params: &Members<'_>) -> Option<JsonText> {
    let meta = meta(params)?;
    Some(ObjectWriter::new().raw("_meta", meta.as_str()).finish())
}
