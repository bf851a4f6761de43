//! Results of our own besides tool calls: resources, prompts, completions, nothing, and questions.

use super::{CachePolicy, Content, Implementation, handshake::server_meta};
use crate::{
    Era, Revision,
    json::{JsonText, ObjectWriter, array, quoted},
};

/// Most values of one completion (2025-11-25, server/utilities/completion, "Completion Results").
pub const MAX_COMPLETIONS: usize = 100;

/// What a resource holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResourceBody {
    /// A text.
    Text(String),
    /// Bytes in base64.
    Blob(String),
}

/// One part of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceContents {
    /// Its own URI, which may be below the one that was asked for.
    pub uri: String,
    /// If known.
    pub mime_type: Option<String>,
    /// What it holds.
    pub body: ResourceBody,
    /// An object, such as the settings of an app; since 2025-06-18.
    pub meta: Option<JsonText>,
}

impl ResourceContents {
    fn write(&self, revision: Revision) -> String {
        let meta = self.meta.as_ref().filter(|_| revision >= Revision::V2025_06_18);
        let (key, value) = match &self.body {
            ResourceBody::Text(text) => ("text", text),
            ResourceBody::Blob(base64) => ("blob", base64),
        };
        ObjectWriter::new()
            .text("uri", &self.uri)
            .text_some("mimeType", self.mime_type.as_deref())
            .text(key, value)
            .raw_some("_meta", meta.map(JsonText::as_str))
            .into_string()
    }
}

/// The result of `resources/read`.
pub fn read_resource(
    contents: &[ResourceContents],
    cache: CachePolicy,
    revision: Revision,
    server: &Implementation,
) -> JsonText {
    let contents: Vec<String> = contents.iter().map(|part| part.write(revision)).collect();
    let writer = complete_type(revision).raw("contents", &array(contents.iter().map(String::as_str)));
    let writer = match revision.era() {
        Era::Legacy => writer,
        Era::Modern => cache.write(writer),
    };
    signed(writer, revision, server)
}

/// Who speaks a message of a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The person.
    User,
    /// The model.
    Assistant,
}

/// The result of `prompts/get`: each message one block.
pub fn get_prompt(
    description: Option<&str>,
    messages: &[(Role, Content)],
    revision: Revision,
    server: &Implementation,
) -> JsonText {
    let message = |(role, content): &(Role, Content)| {
        let role = match role {
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        ObjectWriter::new().text("role", role).raw("content", &content.write(revision)).into_string()
    };
    let messages: Vec<String> = messages.iter().map(message).collect();
    let messages = array(messages.iter().map(String::as_str));
    let writer = complete_type(revision).text_some("description", description).raw("messages", &messages);
    signed(writer, revision, server)
}

/// The result of `completion/complete`: the first [`MAX_COMPLETIONS`] of all `values`.
pub fn complete(values: &[String], revision: Revision, server: &Implementation) -> JsonText {
    let shown: Vec<String> = values.iter().take(MAX_COMPLETIONS).map(|value| quoted(value)).collect();
    let completion = ObjectWriter::new()
        .raw("values", &array(shown.iter().map(String::as_str)))
        .raw("total", &values.len().to_string())
        .raw("hasMore", if values.len() > MAX_COMPLETIONS { "true" } else { "false" })
        .finish();
    signed(complete_type(revision).raw("completion", completion.as_str()), revision, server)
}

/// A result that says nothing but that it is done: `logging/setLevel`, `resources/subscribe`, `tasks/cancel`.
pub fn empty_result(revision: Revision, server: &Implementation) -> JsonText {
    signed(complete_type(revision), revision, server)
}

/// The result that asks back, modern only (2026-07-28, basic/patterns/mrtr). `requests` as
/// [`crate::mrtr::write_requests`] gives them. At least one of both must be given; what the client has not declared must
/// not be asked ([`crate::ClientCapabilities::allows`]).
pub fn input_required(requests: Option<&JsonText>, state: Option<&str>, server: &Implementation) -> JsonText {
    ObjectWriter::new()
        .text("resultType", "input_required")
        .raw_some("inputRequests", requests.map(JsonText::as_str))
        .text_some("requestState", state)
        .raw("_meta", server_meta(server).as_str())
        .finish()
}

fn complete_type(revision: Revision) -> ObjectWriter {
    ObjectWriter::new().text_some("resultType", (revision.era() == Era::Modern).then_some("complete"))
}

fn signed(writer: ObjectWriter, revision: Revision, server: &Implementation) -> JsonText {
    match revision.era() {
        Era::Legacy => writer.finish(),
        Era::Modern => writer.raw("_meta", server_meta(server).as_str()).finish(),
    }
}
