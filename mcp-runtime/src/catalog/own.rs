//! Our own tools, made ready to serve: schemas compiled, definitions in the protocol's shape.

use super::guidance;
use mcpfleet_config::{RuntimeConfig, Tool as ToolConfig, ToolAnnotations, schema::ArgumentSchema};
use mcpfleet_protocol::{Tool, json::JsonText};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// A tool of ours.
#[derive(Debug)]
pub struct OwnTool {
    /// As it was configured.
    pub config: ToolConfig,
    /// What arguments must fit.
    pub schema: ArgumentSchema,
    /// What structured results must fit.
    pub output: Option<ArgumentSchema>,
    /// What clients see.
    pub definition: Tool,
}

/// A configuration that cannot be served after all. `RuntimeConfig::validate` finds the same first.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct Unservable {
    /// Path into the configuration.
    pub field: String,
    /// What is wrong there.
    pub reason: String,
}

/// All tools of a configuration. Those that `before` has unchanged are taken over: compiling schemas is what a
/// reload costs.
pub fn prepare(config: &RuntimeConfig, before: &[Arc<OwnTool>]) -> Result<Vec<Arc<OwnTool>>, Unservable> {
    let known = |tool: &ToolConfig| before.iter().find(|own| own.config == *tool).cloned();
    config.tools.iter().map(|tool| known(tool).map_or_else(|| OwnTool::new(tool).map(Arc::new), Ok)).collect()
}

impl OwnTool {
    pub(super) fn new(config: &ToolConfig) -> Result<Self, Unservable> {
        let schema = compiled(config, "inputSchema", &config.input_schema)?;
        let output = config.output_schema.as_ref();
        let output = output.map(|schema| compiled(config, "outputSchema", schema)).transpose()?;
        let mut definition = Tool::new(&config.name, JsonText::from(&guidance::input_schema(config)));
        definition.title.clone_from(&config.title);
        definition.description = guidance::description(config);
        definition.output_schema = config.output_schema.as_ref().map(JsonText::from);
        definition.meta = guidance::meta(config).as_ref().map(JsonText::from);
        definition.annotations = config.annotations.map(|hints| JsonText::from(&annotations(hints)));
        Ok(Self { config: config.clone(), schema, output, definition })
    }
}

fn compiled(config: &ToolConfig, member: &str, schema: &Value) -> Result<ArgumentSchema, Unservable> {
    let unservable = |reason| Unservable { field: format!("tools[{}].{member}", config.name), reason };
    ArgumentSchema::new(schema).map_err(|error| unservable(error.reason))
}

fn annotations(hints: ToolAnnotations) -> Value {
    let members = [
        ("readOnlyHint", hints.read_only_hint),
        ("destructiveHint", hints.destructive_hint),
        ("idempotentHint", hints.idempotent_hint),
        ("openWorldHint", hints.open_world_hint),
    ];
    let said = members.into_iter().filter_map(|(name, hint)| Some((name.to_owned(), json!(hint?))));
    Value::Object(said.collect::<Map<_, _>>())
}
