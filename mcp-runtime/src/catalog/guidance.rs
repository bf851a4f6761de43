//! What a model is told about a tool beyond what its author wrote: which parameters are required, examples, and
//! whether to prefer or avoid it. Pure.
//!
//! Clients differ in what they show a model: some the description only, some the schema. So required parameters and
//! examples stand in both, and what is there already is not said again.

use mcpfleet_config::{Tool, ToolPriority};
use serde_json::{Map, Value, json};

/// Key of `_meta` with the priority (`high`, `low`); absent for `normal`.
pub const PRIORITY: &str = "dev.mcpfleet/priority";

/// Most bytes that are added to a description.
const MAX_ADDED: usize = 4 * 1024;

/// Most required parameters that the description names; the schema has all.
const MAX_REQUIRED: usize = 32;

/// The description with the lines that it lacks. Which lines have room does not depend on what is written already, so
/// that a description that was made here stays as it is.
pub(super) fn description(tool: &Tool) -> Option<String> {
    let written = tool.description.clone().unwrap_or_default();
    let mut room = MAX_ADDED;
    let mut added = String::new();
    for line in lines(tool) {
        let Some(left) = room.checked_sub(line.len() + 1) else { continue };
        room = left;
        if !written.contains(&line) && !added.contains(&line) {
            added.push('\n');
            added.push_str(&line);
        }
    }
    match (written.is_empty(), added.is_empty()) {
        (true, true) => None,
        (true, false) => Some(added.trim_start().to_owned()),
        (false, true) => Some(written),
        (false, false) => Some(format!("{}\n{added}", written.trim_end())),
    }
}

fn lines(tool: &Tool) -> Vec<String> {
    let required = required(&tool.input_schema);
    let examples = tool.examples.iter().map(|example| {
        format!(
            "Example: {} -> {}",
            Value::from(example.say.trim()),
            Value::Object(example.arguments.clone())
        )
    });
    let priority = match tool.priority {
        ToolPriority::High => Some("Priority: high. Prefer this tool where several would do."),
        ToolPriority::Normal => None,
        ToolPriority::Low => Some("Priority: low. Use this tool only where no other would do."),
    };
    required.into_iter().chain(examples).chain(priority.map(String::from)).collect()
}

/// `Required: id (integer), state (string or null).`
fn required(schema: &Value) -> Option<String> {
    let names = schema.get("required").and_then(Value::as_array)?;
    let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
    let mut parameters: Vec<String> =
        names.iter().take(MAX_REQUIRED).map(|name| parameter(schema, name)).collect();
    if names.len() > MAX_REQUIRED {
        parameters.push(format!("and {} more", names.len() - MAX_REQUIRED));
    }
    (!parameters.is_empty()).then(|| format!("Required: {}.", parameters.join(", ")))
}

fn parameter(schema: &Value, name: &str) -> String {
    let kind = schema.get("properties").and_then(|properties| properties.get(name)?.get("type"));
    match kind {
        Some(Value::String(kind)) => format!("{name} ({kind})"),
        Some(Value::Array(kinds)) if !kinds.is_empty() => {
            let kinds: Vec<&str> = kinds.iter().filter_map(Value::as_str).collect();
            format!("{name} ({})", kinds.join(" or "))
        }
        _ => name.to_owned(),
    }
}

/// The schema with the examples among its own `examples` (JSON Schema 2020-12, validation, section 9.5).
pub(super) fn input_schema(tool: &Tool) -> Value {
    let mut schema = tool.input_schema.clone();
    let Some(members) = schema.as_object_mut().filter(|_| !tool.examples.is_empty()) else { return schema };
    let listed = members.entry("examples").or_insert_with(|| json!([]));
    if let Value::Array(listed) = listed {
        for example in &tool.examples {
            let arguments = Value::Object(example.arguments.clone());
            if !listed.contains(&arguments) {
                listed.push(arguments);
            }
        }
    }
    schema
}

/// The members of `_meta`; none for a tool of normal priority.
pub(super) fn meta(tool: &Tool) -> Option<Value> {
    let said = tool.priority != ToolPriority::Normal;
    said.then(|| Value::Object(Map::from_iter([(PRIORITY.to_owned(), json!(tool.priority.as_str()))])))
}

#[cfg(test)]
mod tests;
