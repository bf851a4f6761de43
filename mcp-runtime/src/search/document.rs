//! What is looked at of a tool: its names, what it says of itself, and its parameters. Pure.

use super::words::terms;
use crate::catalog::merge::Target;
use mcpfleet_protocol::Tool;
use serde_json::Value;

/// How many kinds of text a tool has.
pub(super) const FIELDS: usize = 6;
/// Most terms of one field: a tool does not gain by saying more.
const MAX_TERMS: usize = 400;
/// Deepest nested parameter that is looked at.
const MAX_DEPTH: usize = 4;
/// Longest text of a tool that is given to a model of embeddings, in bytes.
const MAX_TEXT: usize = 6 * 1024;

/// A tool as texts, from what says most of it to what says least.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    name: String,
    title: String,
    examples: String,
    description: String,
    parameters: String,
    hints: String,
}

impl Document {
    /// What a tool says. Of our own tools the texts as they were written: what is added for models stands in each.
    pub fn of(tool: &Tool, target: &Target) -> Self {
        let mut document = Self {
            name: tool.name.clone(),
            title: tool.title.clone().unwrap_or_default(),
            description: tool.description.clone().unwrap_or_default(),
            ..Self::default()
        };
        if let Target::Own(own) = target {
            document.description = own.config.description.clone().unwrap_or_default();
            let says: Vec<&str> = own.config.examples.iter().map(|example| example.say.as_str()).collect();
            document.examples = says.join("\n");
        }
        if let Ok(schema) = serde_json::from_str(tool.input_schema.as_str()) {
            document.gather(&schema, MAX_DEPTH);
        }
        document
    }

    /// Names and descriptions of parameters, and the values that they are limited to.
    fn gather(&mut self, schema: &Value, depth: usize) {
        let Some(properties) = schema.get("properties").and_then(Value::as_object).filter(|_| depth > 0)
        else {
            return;
        };
        for (name, property) in properties {
            self.parameters.push_str(name);
            self.parameters.push('\n');
            let described = property.get("description").and_then(Value::as_str);
            let values = property
                .get("enum")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str);
            for text in described.into_iter().chain(values) {
                self.hints.push_str(text);
                self.hints.push('\n');
            }
            self.gather(property, depth - 1);
            if let Some(items) = property.get("items") {
                self.gather(items, depth - 1);
            }
        }
    }

    /// The terms of each field: name, title, examples, description, parameters, and what those say.
    pub(super) fn fields(&self) -> [Vec<String>; FIELDS] {
        [&self.name, &self.title, &self.examples, &self.description, &self.parameters, &self.hints]
            .map(|text| terms(text, MAX_TERMS))
    }

    /// One text with all that matters, for a model of embeddings.
    pub fn text(&self) -> String {
        let parts =
            [&self.name, &self.title, &self.description, &self.examples, &self.parameters, &self.hints];
        let said: Vec<&str> =
            parts.into_iter().map(|part| part.trim()).filter(|part| !part.is_empty()).collect();
        let mut text = said.join("\n");
        let end = text.floor_char_boundary(MAX_TEXT);
        text.truncate(end);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mcpfleet_protocol::json::JsonText;
    use serde_json::json;

    #[test]
    fn parameters_are_read_to_a_depth() {
        let nested = json!({"type": "object", "properties": {
            "where": {"type": "object", "description": "A place", "properties": {"city": {"type": "string"}}},
            "units": {"enum": ["metric", "imperial", 3]},
            "days": {"type": "array", "items": {"type": "object", "properties": {"date": {}}}},
        }});
        let mut tool = Tool::new("get_weather", JsonText::from(&nested));
        tool.description = Some("x".repeat(2 * MAX_TEXT));
        let upstream = Target::Upstream { upstream: "u".into(), key: "k".into() };
        let document = Document::of(&tool, &upstream);
        assert_eq!(document.parameters, "days\ndate\nunits\nwhere\ncity\n");
        assert_eq!(document.hints, "metric\nimperial\nA place\n");
        assert!(document.text().starts_with("get_weather\nx") && document.text().len() <= MAX_TEXT);
    }
}
