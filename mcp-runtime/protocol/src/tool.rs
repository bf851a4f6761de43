//! A tool's definition (2026-07-28, server/tools, "Tool"; 2025-11-25 has the same members).
//!
//! Read from an upstream's list and written to our own. What we do not know by name is kept and passed on.

use crate::{
    Revision,
    answer::is_known,
    header::{InvalidParamHeader, ParamHeader, param_headers},
    json::{JsonText, Members, ObjectWriter, string},
    task::TaskSupport,
};
use serde_json::value::RawValue;

/// One tool as clients see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    /// Unique within the server; case-sensitive.
    pub name: String,
    /// For people.
    pub title: Option<String>,
    /// For models.
    pub description: Option<String>,
    /// JSON Schema of the arguments; an object whose `type` is `object`.
    pub input_schema: JsonText,
    /// JSON Schema of `structuredContent`.
    pub output_schema: Option<JsonText>,
    /// Hints; an object.
    pub annotations: Option<JsonText>,
    /// An object.
    pub meta: Option<JsonText>,
    /// Every other member, such as `icons`, in the order it came.
    pub other: Vec<(String, JsonText)>,
}

/// Why an upstream's tool is left out. One such tool does not spoil its list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ToolError {
    /// Not an object, or one without a name.
    #[error("a tool has no name")]
    NoName,
    /// A member that has the wrong type.
    #[error("tool {name:?}: {member} is missing or of the wrong type")]
    Member {
        /// The tool.
        name: String,
        /// The member.
        member: &'static str,
    },
    /// An `x-mcp-header` that clients must not follow (2026-07-28, server/tools, "x-mcp-header").
    #[error("tool {name:?}: {why}")]
    ParamHeader {
        /// The tool.
        name: String,
        /// What is wrong with it.
        why: InvalidParamHeader,
    },
}

impl Tool {
    /// A tool with what every tool needs.
    pub fn new(name: impl Into<String>, input_schema: JsonText) -> Self {
        Self {
            name: name.into(),
            title: None,
            description: None,
            input_schema,
            output_schema: None,
            annotations: None,
            meta: None,
            other: Vec::new(),
        }
    }

    /// Reads one element of `tools`.
    ///
    /// # Errors
    /// [`ToolError`], naming the member.
    pub fn read(raw: &RawValue) -> Result<Self, ToolError> {
        let members = Members::read(raw).ok_or(ToolError::NoName)?;
        let name = members.get("name").and_then(string).ok_or(ToolError::NoName)?;
        let wrong = |member| ToolError::Member { name: name.to_string(), member };
        let schema = members.get("inputSchema").filter(|schema| has_object_type(schema.get()));
        let mut tool = Self::new(name.clone(), schema.ok_or_else(|| wrong("inputSchema"))?.into());
        for (key, value) in members.iter() {
            match key {
                "name" | "inputSchema" => {}
                _ if value.get() == "null" => {}
                "title" => tool.title = Some(string(value).ok_or_else(|| wrong("title"))?.into_owned()),
                "description" => {
                    tool.description = Some(string(value).ok_or_else(|| wrong("description"))?.into_owned());
                }
                "outputSchema" => {
                    tool.output_schema = Some(object(value).ok_or_else(|| wrong("outputSchema"))?);
                }
                "annotations" => tool.annotations = Some(object(value).ok_or_else(|| wrong("annotations"))?),
                "_meta" => tool.meta = Some(object(value).ok_or_else(|| wrong("_meta"))?),
                _ => tool.other.push((key.to_owned(), value.into())),
            }
        }
        Ok(tool)
    }

    /// Whether it says that calling it again with the same arguments does nothing more (2025-11-25, schema,
    /// `ToolAnnotations.idempotentHint`). Without a word it is not.
    pub fn is_idempotent(&self) -> bool {
        let annotations = self.annotations.as_ref().and_then(|it| serde_json::from_str(it.as_str()).ok());
        let hint = annotations.and_then(Members::read).and_then(|members| members.get("idempotentHint"));
        hint.is_some_and(|hint| hint.get() == "true")
    }

    /// The parameters that a call over HTTP must mirror into headers. Modern only: to a legacy server the annotation
    /// means nothing.
    ///
    /// # Errors
    /// When an annotation breaks the rules; such a tool must be left out.
    pub fn param_headers(&self) -> Result<Vec<ParamHeader>, ToolError> {
        let name = || self.name.clone();
        param_headers(&self.input_schema).map_err(|why| ToolError::ParamHeader { name: name(), why })
    }

    /// How it lends itself to tasks of the gateway.
    pub fn task_support(&self) -> TaskSupport {
        let execution = self.other.iter().find(|(key, _)| key == "execution");
        execution.map_or(TaskSupport::Forbidden, |(_, value)| TaskSupport::read(value.as_str()))
    }

    /// The definition for a client of `revision`, without what that revision lacks: annotations before 2025-03-26;
    /// title, output schema and `_meta` before 2025-06-18; icons and `execution` before 2025-11-25.
    ///
    /// An output schema of another type than `object` is left out for legacy clients: they require that type, and one
    /// that checks would lose the whole list.
    pub fn write(&self, revision: Revision) -> JsonText {
        let known = |member: &str| is_known(member, revision);
        let output = self.output_schema.as_ref().map(JsonText::as_str);
        let output = output.filter(|schema| takes_output_schema(schema, revision));
        let annotations = self.annotations.as_ref().filter(|_| revision >= Revision::V2025_03_26);
        let writer = ObjectWriter::new()
            .text("name", &self.name)
            .text_some("title", self.title.as_deref().filter(|_| known("title")))
            .text_some("description", self.description.as_deref())
            .raw("inputSchema", self.input_schema.as_str())
            .raw_some("outputSchema", output)
            .raw_some("annotations", annotations.map(JsonText::as_str));
        let others = self.other.iter().filter(|(key, _)| match key.as_str() {
            "execution" => revision >= Revision::V2025_11_25,
            other => known(other),
        });
        let writer = others.fold(writer, |writer, (key, value)| writer.raw(key, value.as_str()));
        let meta = self.meta.as_ref().filter(|_| known("_meta"));
        writer.raw_some("_meta", meta.map(JsonText::as_str)).finish()
    }
}

fn takes_output_schema(schema: &str, revision: Revision) -> bool {
    match revision {
        Revision::V2024_11_05 | Revision::V2025_03_26 => false,
        Revision::V2025_06_18 | Revision::V2025_11_25 => has_object_type(schema),
        Revision::V2026_07_28 => true,
    }
}

fn object(raw: &RawValue) -> Option<JsonText> {
    crate::json::is_object(raw).then(|| raw.into())
}

fn has_object_type(schema: &str) -> bool {
    let kind = Members::parse(schema).and_then(|members| members.get("type").and_then(string));
    kind.as_deref() == Some("object")
}
