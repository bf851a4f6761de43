//! JSON Schema 2020-12 for arguments: checked when a configuration is compiled, applied to each call.
//!
//! Patterns run on a linear-time engine, and no reference leaves the document: a schema comes from a tool
//! author, its instances from a model, and neither may stall a runtime or make it fetch something.

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

/// A schema that has been compiled.
#[derive(Debug)]
pub struct ArgumentSchema {
    validator: Validator,
}

/// A schema that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SchemaError {
    /// JSON Pointer into the schema; empty for its top.
    pub pointer: String,
    /// What is wrong there.
    pub reason: String,
}

/// One way in which arguments do not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// JSON Pointer into the arguments; empty for their top.
    pub pointer: String,
    /// What was expected and what was found.
    pub message: String,
}

/// Most violations that one answer lists; a model needs the first few.
const MAX_VIOLATIONS: usize = 8;

/// Longest part of an offending value that a message repeats, in characters.
const MAX_MESSAGE: usize = 300;

impl ArgumentSchema {
    /// Compiles `schema`, which must describe an object.
    pub fn new(schema: &Value) -> Result<Self, SchemaError> {
        let top = |reason: &str| SchemaError { pointer: String::new(), reason: reason.into() };
        let object = schema.as_object().ok_or_else(|| top("is not a JSON object"))?;
        if object.get("type") != Some(&Value::from("object")) {
            return Err(top("must have `type: object` at its top, because tool arguments are an object"));
        }
        jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_pattern_options(PatternOptions::regex())
            .offline()
            .build(schema)
            .map(|validator| Self { validator })
            .map_err(|error| SchemaError {
                pointer: error.instance_path().to_string(),
                reason: shorten(&error.to_string()),
            })
    }

    /// The first violations by `arguments`; empty when they fit.
    pub fn violations(&self, arguments: &Value) -> Vec<Violation> {
        self.validator
            .iter_errors(arguments)
            .take(MAX_VIOLATIONS)
            .map(|error| Violation {
                pointer: error.instance_path().to_string(),
                message: shorten(&error.to_string()),
            })
            .collect()
    }
}

fn shorten(message: &str) -> String {
    match message.char_indices().nth(MAX_MESSAGE) {
        Some((end, _)) => format!("{}…", message.get(..end).unwrap_or_default()),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(schema: &Value) -> SchemaError {
        ArgumentSchema::new(schema).map(|_| ()).unwrap_err()
    }

    #[test]
    fn a_violation_says_where_and_what() {
        let schema = ArgumentSchema::new(&json!({
            "type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}
        }))
        .unwrap();
        assert_eq!(schema.violations(&json!({"id": 7})), []);
        let wrong = schema.violations(&json!({"id": "seven"}));
        assert_eq!(wrong[0].pointer, "/id");
        assert!(wrong[0].message.contains("integer"), "{wrong:?}");
        assert!(schema.violations(&json!({}))[0].message.contains("id"));
    }

    #[test]
    fn a_schema_that_is_no_schema_is_refused_with_its_place() {
        let error = refused(&json!({"type": "object", "properties": {"id": {"type": "integr"}}}));
        assert!(error.pointer.contains("/properties/id"), "{error:?}");
    }

    #[test]
    fn a_schema_of_anything_but_an_object_is_refused() {
        assert!(refused(&json!({"type": "string"})).reason.contains("type: object"));
        assert!(refused(&json!([])).reason.contains("not a JSON object"));
    }

    #[test]
    fn a_reference_that_leaves_the_document_is_refused() {
        refused(&json!({"type": "object", "properties": {"a": {"$ref": "https://example.com/a.json"}}}));
        refused(&json!({"type": "object", "properties": {"a": {"$ref": "file:///etc/passwd"}}}));
    }

    #[test]
    fn a_long_offending_value_is_cut_at_a_character() {
        let schema = ArgumentSchema::new(&json!({"type": "object", "additionalProperties": false})).unwrap();
        let text = schema.violations(&json!({"ä".repeat(1_000): 1}))[0].message.clone();
        assert!(text.chars().count() <= MAX_MESSAGE + 1);
    }
}
