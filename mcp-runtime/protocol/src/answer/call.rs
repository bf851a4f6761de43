//! `tools/call`: results of our own.

use super::{Implementation, handshake::server_meta};
use crate::{
    Era, Revision,
    json::{JsonText, ObjectWriter, array},
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
    /// Any JSON value; legacy clients get it only when it is an object, and since 2025-06-18. Its text must be in the
    /// content too, as [`CallResult::structured`] sees to.
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

    /// The result for a client of `revision`.
    pub fn write(&self, revision: Revision, server: &Implementation) -> JsonText {
        let era = revision.era();
        let blocks: Vec<String> = self.content.iter().map(|content| content.write(revision)).collect();
        let structured = self.structured.as_ref().map(JsonText::as_str);
        let structured = structured.filter(|value| takes_structured(value, revision));
        let is_error = (self.outcome == ToolOutcome::Failed).then_some("true");
        let writer = ObjectWriter::new().text_some("resultType", (era == Era::Modern).then_some("complete"));
        let writer = writer
            .raw("content", &array(blocks.iter().map(String::as_str)))
            .raw_some("structuredContent", structured)
            .raw_some("isError", is_error);
        match era {
            Era::Legacy => writer.finish(),
            Era::Modern => writer.raw("_meta", server_meta(server).as_str()).finish(),
        }
    }
}

/// Whether `structuredContent` may be this: none before 2025-06-18, objects until 2025-11-25, then any value.
pub(super) fn takes_structured(value: &str, revision: Revision) -> bool {
    match revision {
        Revision::V2024_11_05 | Revision::V2025_03_26 => false,
        Revision::V2025_06_18 | Revision::V2025_11_25 => value.trim_start().starts_with('{'),
        Revision::V2026_07_28 => true,
    }
}

impl Content {
    /// The block for a client of `revision`.
    pub(super) fn write(&self, revision: Revision) -> String {
        match self {
            Self::Text(text) => ObjectWriter::new().text("type", "text").text("text", text).into_string(),
            Self::Block(block) => match serde_json::from_str::<&RawValue>(block.as_str()) {
                Ok(raw) => super::content::block(raw, revision),
                Err(_) => block.as_str().to_owned(),
            },
        }
    }
}
