//! Which era a server is of, from its answer to `server/discover` (2026-07-28, streamable HTTP, "Backward Compatibility";
//! versioning, "Compatibility Matrix").
//!
//! A discover result or a recognised modern error is modern; anything else that is an answer is legacy. A refusal for
//! want of credentials, an overload or a fault tells nothing about the era and is neither.

use crate::{
    Era, ErrorCode, Revision,
    json::{Members, is_object, string},
    jsonrpc::{self, Message, Outcome, RpcError},
    server::clipped,
};
use http::StatusCode;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// How many of a server's revisions are shown when none of them is ours.
const SHOWN_VERSIONS: usize = 16;

/// What a probe found.
#[derive(Clone, Debug)]
pub enum Probe<'a> {
    /// Speaks [`Revision::LATEST_MODERN`]; this is its discover result.
    Modern(&'a RawValue),
    /// Try `initialize`.
    Legacy,
    /// Cannot be used, and why. Probe again later.
    Unusable(Unusable),
}

/// Why a server cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It wants credentials, or better ones.
    #[error("the server refuses our credentials (HTTP {0})")]
    Unauthorized(StatusCode),
    /// It sends us elsewhere.
    #[error("the server redirects (HTTP {0}); its URL is another")]
    Redirect(StatusCode),
    /// It is overloaded or broken.
    #[error("the server fails (HTTP {0})")]
    Failing(StatusCode),
    /// It speaks none of our revisions.
    #[error("the server speaks only {0:?}")]
    NoCommonRevision(Vec<String>),
    /// It is modern and refuses the probe itself.
    #[error("the server refuses server/discover: {0}")]
    Refused(String),
}

/// Classifies the answer to [`super::ModernPeer::discover`]. `message` is the JSON body, or the data of the event that
/// held the answer; empty when there was none.
pub fn classify_probe(status: StatusCode, message: &[u8]) -> Probe<'_> {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Probe::Unusable(Unusable::Unauthorized(status)),
        StatusCode::TOO_MANY_REQUESTS => Probe::Unusable(Unusable::Failing(status)),
        _ if status.is_redirection() => Probe::Unusable(Unusable::Redirect(status)),
        _ if status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED => {
            Probe::Unusable(Unusable::Failing(status))
        }
        _ => match jsonrpc::parse(message) {
            Ok(Message::Response { outcome: Outcome::Result(result), .. }) => discovered(result),
            Ok(Message::Response { outcome: Outcome::Error(error), .. }) => refused(&error),
            _ => Probe::Legacy,
        },
    }
}

fn discovered(result: &RawValue) -> Probe<'_> {
    let Some(members) = Members::read(result) else { return Probe::Legacy };
    let capabilities = members.get("capabilities").is_some_and(is_object);
    match versions(members.get("supportedVersions")) {
        Some(versions) if capabilities => match common(&versions) {
            Some(Era::Modern) => Probe::Modern(result),
            Some(Era::Legacy) => Probe::Legacy,
            None => Probe::Unusable(no_common_revision(&versions)),
        },
        _ => Probe::Legacy,
    }
}

fn refused<'a>(error: &RpcError<'_>) -> Probe<'a> {
    let code = ErrorCode::from_number(error.code);
    if !code.is_some_and(ErrorCode::is_modern) {
        return Probe::Legacy;
    }
    let data = error.data.and_then(Members::read).unwrap_or_default();
    let supported = versions(data.get("supported"));
    match (code, supported) {
        (Some(ErrorCode::UnsupportedProtocolVersion), Some(supported)) => match common(&supported) {
            // It says that it speaks the revision that it has just refused: believing it would loop.
            Some(Era::Modern) => Probe::Unusable(Unusable::Refused(clipped(&error.message))),
            Some(Era::Legacy) => Probe::Legacy,
            None => Probe::Unusable(no_common_revision(&supported)),
        },
        _ => Probe::Unusable(Unusable::Refused(clipped(&error.message))),
    }
}

/// With the first few only: it is shown and kept, and the list is as long as the server likes.
fn no_common_revision(versions: &[Cow<'_, str>]) -> Unusable {
    Unusable::NoCommonRevision(versions.iter().take(SHOWN_VERSIONS).map(|version| clipped(version)).collect())
}

fn versions(list: Option<&RawValue>) -> Option<Vec<Cow<'_, str>>> {
    let list: Vec<&RawValue> = serde_json::from_str(list?.get()).ok()?;
    list.into_iter().map(string).collect()
}

/// The era of the best revision that both speak.
fn common(versions: &[Cow<'_, str>]) -> Option<Era> {
    let speaks = |revision: &Revision| versions.iter().any(|version| version == revision.as_str());
    Revision::SERVED.iter().find(|revision| speaks(revision)).map(|revision| revision.era())
}
