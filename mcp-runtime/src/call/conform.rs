//! Does a result of ours fit the output schema that clients were told of? Pure.
//!
//! "Servers MUST provide structured results that conform to this schema" (2026-07-28 and 2025-11-25, server/tools,
//! "Output Schema"); clients check, and a result that does not fit would be lost on them without a reason.

use super::{Outcome, ToolResult};
use mcpfleet_config::schema::ArgumentSchema;
use serde_json::Value;

/// The outcome as it came when it fits or the tool promises nothing, with structured content where its text is such;
/// else a failure that says why.
pub fn conform(schema: Option<&ArgumentSchema>, outcome: Outcome) -> Outcome {
    match (schema, outcome) {
        (Some(schema), Outcome::Made(result)) if !result.is_error => Outcome::Made(checked(schema, result)),
        (_, outcome) => outcome,
    }
}

fn checked(schema: &ArgumentSchema, result: ToolResult) -> ToolResult {
    let value = match result.structured {
        Some(members) => Value::Object(members),
        None => serde_json::from_str(&result.text).unwrap_or(Value::Null),
    };
    let why = match schema.violations(&value).first() {
        None => None,
        Some(_) if !value.is_object() => Some("it is no JSON object".to_owned()),
        Some(violation) if violation.pointer.is_empty() => Some(violation.message.clone()),
        Some(violation) => Some(format!("at {}: {}", violation.pointer, violation.message)),
    };
    match (why, value) {
        (None, Value::Object(members)) => {
            ToolResult { structured: Some(members), ..ToolResult::text(result.text) }
        }
        (why, _) => ToolResult::failure(format!(
            "the tool answered, but not in the shape that its outputSchema promises: {}; what it did is done, and \
             whoever wrote it must correct the schema or the service behind it",
            why.unwrap_or_else(|| "it is no JSON object".into())
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn made(result: ToolResult) -> ToolResult {
        let schema =
            json!({"type": "object", "required": ["state"], "properties": {"state": {"type": "string"}}});
        match conform(Some(&ArgumentSchema::new(&schema).unwrap()), Outcome::Made(result)) {
            Outcome::Made(result) => result,
            other => panic!("a result of ours stays one: {other:?}"),
        }
    }

    #[test]
    fn what_fits_is_structured() {
        let result = made(ToolResult::text(r#"{"state": "open"}"#));
        assert_eq!(result.structured.unwrap()["state"], "open");
        assert_eq!((result.text.as_str(), result.is_error), (r#"{"state": "open"}"#, false));
    }

    #[test]
    fn what_does_not_fit_is_a_failure_that_says_where() {
        for (text, why) in [
            (r#"{"state": 1}"#, "/state"),
            ("{}", "state"),
            ("[]", "no JSON object"),
            ("hi", "no JSON object"),
        ] {
            let result = made(ToolResult::text(text));
            assert!(
                result.is_error && result.structured.is_none() && result.text.contains(why),
                "{text}: {result:?}"
            );
        }
    }

    #[test]
    fn failures_and_tools_that_promise_nothing_are_left_alone() {
        let failed = ToolResult::failure("the service is away");
        assert_eq!(made(failed.clone()), failed);
        let plain = Outcome::Made(ToolResult::text("hi"));
        assert!(matches!(conform(None, plain), Outcome::Made(result) if result == ToolResult::text("hi")));
    }
}
