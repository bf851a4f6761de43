//! `tools/call`: results of our own, and an upstream's results for a client of the other era.

use super::{Implementation, handshake::server_meta};
use crate::{
    Era,
    json::{JsonText, Members, ObjectWriter, string},
};
use serde_json::value::RawValue;

/// One content block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// `{"type":"text"}`.
    Text(String),
    /// Any other block, an object with a `type`.
    Block(JsonText),
}

/// Whether the tool did what it was asked (2026-07-28, server/tools, "Error Handling").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToolOutcome {
    /// It did.
    Done,
    /// It did not; the content tells the model why. Also for arguments that fail their schema.
    Failed,
}

/// A result that we write ourselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallResult {
    /// For models, in order.
    pub content: Vec<Content>,
    /// Any JSON value; legacy clients get it only when it is an object.
    pub structured: Option<JsonText>,
    /// `isError`.
    pub outcome: ToolOutcome,
}

impl CallResult {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self { content: vec![Content::Text(text.into())], structured: None, outcome: ToolOutcome::Done }
    }

    /// A failure that the model can read and act on.
    pub fn failed(text: impl Into<String>) -> Self {
        Self { outcome: ToolOutcome::Failed, ..Self::text(text) }
    }

    /// A value, and the same as text for clients that read only that (2026-07-28, server/tools, "Structured Content").
    pub fn structured(value: JsonText) -> Self {
        let text = value.as_str().to_owned();
        Self { structured: Some(value), ..Self::text(text) }
    }

    /// The result for a client of `era`.
    pub fn write(&self, era: Era, server: &Implementation) -> JsonText {
        let blocks: Vec<String> = self.content.iter().map(Content::write).collect();
        let structured = self.structured.as_ref().map(JsonText::as_str);
        let structured = structured.filter(|value| era == Era::Modern || value.starts_with('{'));
        let is_error = (self.outcome == ToolOutcome::Failed).then_some("true");
        let writer = ObjectWriter::new().text_some("resultType", (era == Era::Modern).then_some("complete"));
        let writer = writer
            .raw("content", &format!("[{}]", blocks.join(",")))
            .raw_some("structuredContent", structured)
            .raw_some("isError", is_error);
        match era {
            Era::Legacy => writer.finish(),
            Era::Modern => writer.raw("_meta", server_meta(server).as_str()).finish(),
        }
    }
}

impl Content {
    fn write(&self) -> String {
        match self {
            Self::Text(text) => ObjectWriter::new().text("type", "text").text("text", text).into_string(),
            Self::Block(block) => block.as_str().to_owned(),
        }
    }
}

/// Why an upstream's result cannot be passed on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForwardError {
    /// It is no object.
    #[error("the upstream's result is no object")]
    NoObject,
    /// It asks for input; translating that comes with the other revisions.
    #[error("the upstream asks for input from the client, which is not translated yet")]
    InputRequired,
    /// "A `resultType` of any value unrecognized by the client MUST be considered invalid" (2026-07-28, basic,
    /// "`ResultType`").
    #[error("the upstream's result has an unknown resultType")]
    UnknownResultType,
}

/// An upstream's complete result for a client of `era`. Every member is kept but those that the era lacks:
/// legacy results lose `resultType` and a `structuredContent` that is no object, modern ones gain `resultType`.
///
/// # Errors
/// [`ForwardError`].
pub fn forward_result(result: &RawValue, era: Era) -> Result<JsonText, ForwardError> {
    let members = Members::read(result).ok_or(ForwardError::NoObject)?;
    let kind = members.get("resultType").map(string);
    match kind.as_ref().map(Option::as_deref) {
        None | Some(Some("complete")) => {}
        Some(Some("input_required")) => return Err(ForwardError::InputRequired),
        Some(_) => return Err(ForwardError::UnknownResultType),
    }
    let writer = ObjectWriter::new().text_some("resultType", (era == Era::Modern).then_some("complete"));
    let kept = members.iter().filter(|(key, value)| match *key {
        "resultType" => false,
        "structuredContent" => era == Era::Modern || value.get().starts_with('{'),
        _ => true,
    });
    Ok(kept.fold(writer, |writer, (key, value)| writer.raw(key, value.get())).finish())
}
