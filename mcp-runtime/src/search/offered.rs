//! The two tools of tool search, as clients see them.
//!
//! Two, because many clients call only what is listed: what `search_tools` has found can be called by its own name, or by
//! `call_tool`, which is the same call.

use mcpfleet_config::{CALL_TOOL, MAX_RESULTS, SEARCH_TOOLS, schema::ArgumentSchema};
use mcpfleet_protocol::{Tool, json::JsonText};
use serde_json::{Value, json};

/// Longest query, in characters.
pub(super) const MAX_QUERY: usize = 1_000;

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Helper {
    /// Finds tools.
    Search,
    /// Calls one.
    Call,
}

impl Helper {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Search, Self::Call];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Search => SEARCH_TOOLS,
            Self::Call => CALL_TOOL,
        }
    }

    /// Its definition. It says nothing of the tools that there are: that is for each caller to find.
    pub(super) fn definition(self) -> Tool {
        let mut tool = Tool::new(self.name(), JsonText::from(&self.schema()));
        let (title, description, hints) = match self {
            Self::Search => (
                "Search tools",
                "Finds tools by what they do. This server has more tools than this list: describe the task in a few words, \
                 such as \"create a calendar event\", and read the definitions that come back, best first, each with its \
                 input schema. Call what you choose by its own name, or through call_tool. Search before you decide that \
                 something cannot be done.",
                json!({"readOnlyHint": true, "idempotentHint": true, "openWorldHint": false}),
            ),
            Self::Call => (
                "Call a tool",
                "Calls a tool that search_tools has found, with arguments that fit its input schema. The result is that \
                 tool's own.",
                json!({"openWorldHint": true}),
            ),
        };
        tool.title = Some(title.to_owned());
        tool.description = Some(description.to_owned());
        tool.annotations = Some(JsonText::from(&hints));
        tool.output_schema = (self == Self::Search).then(|| JsonText::from(&results()));
        tool
    }

    /// What its arguments must fit; `None` only if this crate had written a schema that is none.
    pub(super) fn arguments(self) -> Option<ArgumentSchema> {
        ArgumentSchema::new(&self.schema()).ok()
    }

    fn schema(self) -> Value {
        match self {
            Self::Search => json!({
                "type": "object",
                "properties": {
                    "query": {
                        "type": "string", "minLength": 1, "maxLength": MAX_QUERY,
                        "description": "What the tool should do, in a few words, or its name",
                    },
                    "limit": {
                        "type": "integer", "minimum": 1, "maximum": MAX_RESULTS,
                        "description": "Most tools to return",
                    },
                },
                "required": ["query"],
                "additionalProperties": false,
            }),
            Self::Call => json!({
                "type": "object",
                "properties": {
                    "name": {"type": "string", "minLength": 1, "description": "Name of the tool, as search_tools gave it"},
                    "arguments": {"type": "object", "description": "Arguments that fit the tool's input schema"},
                },
                "required": ["name"],
                "additionalProperties": false,
            }),
        }
    }
}

/// Of the results of `search_tools`.
fn results() -> Value {
    let text = json!({"type": "string"});
    json!({
        "type": "object",
        "properties": {
            "tools": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "name": text, "title": text, "description": text, "upstream": text,
                        "inputSchema": {"type": "object"}, "annotations": {"type": "object"},
                        "score": {"type": "number"},
                    },
                    "required": ["name", "inputSchema", "score"],
                },
            },
            "matched": {"type": "integer", "description": "How many tools fit; the best of them are in tools"},
            "ranking": {"enum": ["words", "words and meaning"]},
            "notice": text,
            "nearest": {"type": "array", "items": text},
        },
        "required": ["tools", "matched", "ranking"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_schemas_can_be_used() {
        for helper in Helper::ALL {
            assert!(helper.arguments().is_some(), "{helper:?}");
        }
        assert!(ArgumentSchema::new(&results()).is_ok());
    }
}
