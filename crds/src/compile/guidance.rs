//! What helps a model to choose a tool and to call it right: priority, examples, the shape of the result.

use super::report::{Reason, Scope};
use crate::v1alpha1::{McpToolSpec, ToolPriority};
use mcpfleet_config::{self as config, ToolExample, schema::ArgumentSchema};
use serde_json::Value;

/// Largest arguments of an example, in bytes of JSON: models read them with every list.
const MAX_EXAMPLE_BYTES: usize = 4 * 1024;

/// Longest sentence of an example, in characters.
const MAX_SAY: usize = 256;

pub(super) fn priority(spec: &McpToolSpec) -> config::ToolPriority {
    match spec.priority {
        ToolPriority::High => config::ToolPriority::High,
        ToolPriority::Normal => config::ToolPriority::Normal,
        ToolPriority::Low => config::ToolPriority::Low,
    }
}

/// The examples; one that the tool itself would refuse is reported.
pub(super) fn examples(scope: &mut Scope<'_>, spec: &McpToolSpec) -> Vec<ToolExample> {
    let schema = ArgumentSchema::new(&spec.input_schema).ok();
    let mut examples = Vec::new();
    for (index, example) in spec.examples.iter().enumerate() {
        let at = format!("spec.examples[{index}]");
        if example.say.trim().is_empty() || example.say.chars().count() > MAX_SAY {
            let message = format!("is empty, or longer than {MAX_SAY} characters");
            scope.error(&format!("{at}.say"), Reason::InvalidExample, message, "write what a user might say");
        }
        if let Some(problem) = problem(schema.as_ref(), &example.arguments) {
            let remedy = "write arguments that the tool takes, or correct spec.inputSchema";
            scope.error(&format!("{at}.arguments"), Reason::InvalidExample, problem, remedy);
        }
        if let Value::Object(arguments) = &example.arguments {
            examples.push(ToolExample { say: example.say.clone(), arguments: arguments.clone() });
        }
    }
    examples
}

fn problem(schema: Option<&ArgumentSchema>, arguments: &Value) -> Option<String> {
    if !arguments.is_object() {
        return Some("is no object".into());
    }
    let bytes = arguments.to_string().len();
    if bytes > MAX_EXAMPLE_BYTES {
        return Some(format!("has {bytes} bytes; {MAX_EXAMPLE_BYTES} are the most"));
    }
    let violation = schema?.violations(arguments).into_iter().next()?;
    let place = if violation.pointer.is_empty() { "its top" } else { violation.pointer.as_str() };
    Some(format!("does not fit spec.inputSchema at {place}: {}", violation.message))
}

/// Checks the schema of results, and against it what is known of them already.
pub(super) fn check_output(scope: &mut Scope<'_>, spec: &McpToolSpec) {
    let Some(schema) = &spec.output_schema else { return };
    let schema = match ArgumentSchema::new(schema) {
        Ok(schema) => schema,
        Err(error) => {
            let field = format!("spec.outputSchema{}", error.pointer.replace('/', "."));
            let remedy = "write a JSON Schema (2020-12) of an object";
            let reason = error.reason.replace("tool arguments are", "structured content is");
            scope.error(&field, Reason::InvalidSchema, reason, remedy);
            return;
        }
    };
    let Some(fixed) = &spec.backend.static_ else { return };
    let violation = match serde_json::from_str::<Value>(&fixed.text) {
        Ok(value) => schema.violations(&value).into_iter().next().map(|violation| violation.message),
        Err(_) => Some("it is no JSON".into()),
    };
    if let Some(why) = violation {
        let message = format!("does not fit spec.outputSchema: {why}");
        let remedy = "write a JSON object that fits, or leave spec.outputSchema out";
        scope.error("spec.backend.static.text", Reason::InvalidContent, message, remedy);
    }
}
