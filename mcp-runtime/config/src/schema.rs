//! JSON Schema 2020-12 for arguments: checked when a configuration is compiled, applied to each call.
//!
//! A schema comes from a tool author, its instances from a model, and neither may stall a runtime, exhaust its
//! memory or make it fetch something: patterns run on a linear-time engine, no reference leaves the document,
//! and what a schema can cost is bounded before it is compiled.

mod bounds;

pub use bounds::{MAX_BYTES, MAX_DEPTH};

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

/// Largest compiled pattern, in bytes.
const MAX_PATTERN_BYTES: usize = 256 * 1024;

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
        bounds::check(schema)?;
        jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_pattern_options(PatternOptions::regex().size_limit(MAX_PATTERN_BYTES))
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
mod tests;
