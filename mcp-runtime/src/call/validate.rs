//! Do the arguments fit the tool's schema? Pure.

use super::CallError;
use mcpfleet_config::schema::{ArgumentSchema, Violation};
use serde_json::{Map, Value, value::RawValue};

/// The arguments as an object that fits `schema`.
///
/// # Errors
/// [`CallError::InvalidArguments`] with the place, what was expected and what came, for the model to read.
pub fn validate(
    tool: &str,
    schema: &ArgumentSchema,
    arguments: &RawValue,
) -> Result<Map<String, Value>, CallError> {
    let refuse = |problems: String| CallError::InvalidArguments { tool: tool.to_owned(), problems };
    let value: Value = serde_json::from_str(arguments.get()).map_err(|error| refuse(error.to_string()))?;
    let violations = schema.violations(&value);
    if !violations.is_empty() {
        return Err(refuse(violations.iter().map(sentence).collect::<Vec<_>>().join("; ")));
    }
    match value {
        Value::Object(arguments) => Ok(arguments),
        _ => Err(refuse("they are no object".into())),
    }
}

fn sentence(violation: &Violation) -> String {
    match violation.pointer.as_str() {
        "" => format!("at the top: {}", violation.message),
        pointer => format!("at {pointer}: {}", violation.message),
    }
}
