//! An upstream's results for a client of another revision.
//!
//! | to | loses | gains |
//! |---|---|---|
//! | any legacy | `resultType`, cache hints of a resource, who the upstream is, a `structuredContent` that is no object | |
//! | before 2025-06-18 | every `structuredContent`, resource links | their text |
//! | before 2025-03-26 | audio | its text |
//! | 2026-07-28 | | `resultType`, cache hints of a resource, who we are |
//!
//! Everything else is kept as it came.

use super::{
    CachePolicy, CacheScope, Implementation, call::takes_structured, content, handshake::server_meta_members,
};
use crate::{
    Era, Method, Revision,
    json::{JsonText, Members, ObjectWriter, array, elements, string},
    server::key,
};
use serde_json::value::RawValue;

/// Why an upstream's result cannot be passed on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForwardError {
    /// It is no object.
    #[error("the upstream's result is no object")]
    NoObject,
    /// It asks for input: read it with [`crate::mrtr::InputRequests`].
    #[error("the upstream asks for input from the client")]
    InputRequired,
    /// It is a task, which this client or this method cannot have.
    #[error("the upstream made a task of it, which this client's protocol revision does not know")]
    Task,
    /// "A `resultType` of any value unrecognized by the client MUST be considered invalid" (2026-07-28, basic,
    /// "`ResultType`").
    #[error("the upstream's result has an unknown resultType")]
    UnknownResultType,
}

/// To whom a result goes.
#[derive(Clone, Copy, Debug)]
pub struct Forward<'a> {
    /// What was asked.
    pub method: Method,
    /// The client's revision.
    pub to: Revision,
    /// Who we are.
    pub server: &'a Implementation,
    /// The most that a client may keep of a resource. An upstream that says nothing means [`CachePolicy::UNKNOWN`].
    pub cache: CachePolicy,
}

/// An upstream's complete result, of any revision, for a client. A task goes only to a modern client, which must have
/// declared the extension: see that it has before the upstream is told so.
///
/// # Errors
/// [`ForwardError`].
pub fn forward_result(result: &RawValue, forward: &Forward<'_>) -> Result<JsonText, ForwardError> {
    let members = Members::read(result).ok_or(ForwardError::NoObject)?;
    let kind = result_type(&members, forward)?;
    let writer = match forward.to.era() {
        Era::Modern => ObjectWriter::new().text("resultType", kind),
        Era::Legacy => ObjectWriter::new(),
    };
    let dropped = match forward.method {
        Method::CallTool => members
            .get("structuredContent")
            .filter(|value| !takes_structured(value.get(), forward.to) && kind == "complete"),
        _ => None,
    };
    let content = members.get("content");
    let text = dropped.and_then(|structured| content::text_of(structured, content));
    let writer = members.iter().fold(writer, |writer, member| copy(writer, member, forward, text.as_ref()));
    let writer = match (content, text) {
        (None, Some(text)) => writer.raw("content", &array([text.as_str()])),
        _ => writer,
    };
    Ok(finish(writer, &members, forward))
}

fn result_type(members: &Members<'_>, forward: &Forward<'_>) -> Result<&'static str, ForwardError> {
    let kind = members.get("resultType").map(string);
    match kind.as_ref().map(Option::as_deref) {
        None | Some(Some("complete")) => Ok("complete"),
        Some(Some("input_required")) => Err(ForwardError::InputRequired),
        Some(Some("task")) if forward.method == Method::CallTool && forward.to.era() == Era::Modern => {
            Ok("task")
        }
        Some(Some("task")) => Err(ForwardError::Task),
        Some(_) => Err(ForwardError::UnknownResultType),
    }
}

/// One member, in the form that the client knows, or not at all.
fn copy(
    writer: ObjectWriter,
    (name, value): (&str, &RawValue),
    forward: &Forward<'_>,
    more: Option<&JsonText>,
) -> ObjectWriter {
    match (forward.method, name) {
        (_, "resultType" | "_meta") | (Method::ReadResource, "ttlMs" | "cacheScope") => writer,
        (Method::CallTool, "structuredContent") if !takes_structured(value.get(), forward.to) => writer,
        (Method::CallTool, "content") => writer.raw(name, &content::blocks(Some(value), more, forward.to)),
        (Method::GetPrompt, "messages") if !content::knows_all(forward.to) => {
            writer.raw(name, &messages(value, forward.to))
        }
        _ => writer.raw(name, value.get()),
    }
}

/// What the client's era has at the end: cache hints and `_meta`.
fn finish(writer: ObjectWriter, members: &Members<'_>, forward: &Forward<'_>) -> JsonText {
    let meta = members.get("_meta").and_then(Members::read).unwrap_or_default();
    let own = match forward.to.era() {
        Era::Legacy => ObjectWriter::new(),
        Era::Modern => server_meta_members(forward.server),
    };
    let kept = meta.iter().filter(|(name, _)| *name != key::SERVER_INFO);
    let meta = kept.fold(own, |writer, (name, value)| writer.raw(name, value.get())).finish();
    let writer = match (forward.method, forward.to.era()) {
        (Method::ReadResource, Era::Modern) => said_cache(members).and(forward.cache).write(writer),
        _ => writer,
    };
    writer.raw_some("_meta", Some(meta.as_str()).filter(|meta| *meta != "{}")).finish()
}

fn said_cache(members: &Members<'_>) -> CachePolicy {
    let ttl = members.get_some("ttlMs").and_then(|ttl| serde_json::from_str(ttl.get()).ok());
    let scope = members.get_some("cacheScope").and_then(string).and_then(|scope| CacheScope::parse(&scope));
    CachePolicy {
        ttl_ms: ttl.unwrap_or(CachePolicy::UNKNOWN.ttl_ms),
        scope: scope.unwrap_or(CachePolicy::UNKNOWN.scope),
    }
}

/// Messages of a prompt, each with one block.
fn messages(list: &RawValue, revision: Revision) -> String {
    let Ok(list) = elements(list.get(), usize::MAX) else { return list.get().to_owned() };
    let message = |raw: &RawValue| match Members::read(raw) {
        None => raw.get().to_owned(),
        Some(members) => {
            let write = |writer: ObjectWriter, (name, value): (&str, &RawValue)| match name {
                "content" => writer.raw(name, &content::block(value, revision)),
                _ => writer.raw(name, value.get()),
            };
            members.iter().fold(ObjectWriter::new(), write).into_string()
        }
    };
    let list: Vec<String> = list.into_iter().map(message).collect();
    array(list.iter().map(String::as_str))
}
