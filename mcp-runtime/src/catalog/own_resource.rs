//! Our own resources, ready to be listed and read (2026-07-28 and 2025-11-25, server/resources).

use super::{own_prompt::MAX_RENDERED, own_prompt::describe};
use mcpfleet_config::{Resource, ResourceAddress, ResourceAnnotations, ResourceContent, decoded_size};
use mcpfleet_protocol::json::JsonText;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A resource of ours.
#[derive(Debug)]
pub struct OwnResource {
    /// As it was configured.
    pub config: Resource,
    definition: JsonText,
}

/// Which list a resource belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceKind {
    /// `resources/list`.
    Resource,
    /// `resources/templates/list`.
    Template,
}

impl OwnResource {
    pub(super) fn new(config: &Resource) -> Self {
        Self { config: config.clone(), definition: JsonText::from(&definition(config)) }
    }

    /// Which list it belongs to.
    pub fn kind(&self) -> ResourceKind {
        match self.config.address {
            ResourceAddress::Fixed { .. } => ResourceKind::Resource,
            ResourceAddress::Template { .. } => ResourceKind::Template,
        }
    }

    /// Its element of the list that it belongs to.
    pub fn definition(&self) -> &JsonText {
        &self.definition
    }

    /// `contents` of the result of `resources/read`, when it answers for `uri`.
    pub fn read(&self, uri: &str) -> Option<JsonText> {
        self.contents(uri).map(|contents| JsonText::from(&json!([contents])))
    }

    fn contents(&self, uri: &str) -> Option<Value> {
        let variables = self.config.answers(uri)?.variables;
        let mut members = Map::from_iter([("uri".to_owned(), json!(uri))]);
        if let Some(media) = &self.config.mime_type {
            members.insert("mimeType".into(), json!(media));
        }
        let (key, value) = self.body(&variables)?;
        members.insert(key.into(), value);
        Some(Value::Object(members))
    }

    fn body(&self, variables: &BTreeMap<&str, String>) -> Option<(&'static str, Value)> {
        Some(match &self.config.address {
            ResourceAddress::Fixed { content: ResourceContent::Text(text), .. } => ("text", json!(text)),
            ResourceAddress::Fixed { content: ResourceContent::Blob(data), .. } => ("blob", json!(data)),
            ResourceAddress::Template { text, .. } => {
                // The bounds of a URI and of a template's placeholders keep it below this limit.
                let text = text.render(MAX_RENDERED, |name| variables.get(name).map(String::as_str)).ok()?;
                ("text", json!(text))
            }
        })
    }
}

/// The contents behind `uri`: of a fixed resource before any template, and then of the first by name.
pub(super) fn read(resources: &[OwnResource], uri: &str) -> Option<Value> {
    locate(resources, uri)?.contents(uri)
}

/// The resource that answers for `uri`.
pub(super) fn locate<'a>(resources: &'a [OwnResource], uri: &str) -> Option<&'a OwnResource> {
    let of = |kind| resources.iter().find(move |own| own.kind() == kind && own.config.answers(uri).is_some());
    of(ResourceKind::Resource).or_else(|| of(ResourceKind::Template))
}

fn definition(config: &Resource) -> Value {
    let mut members = Map::from_iter([("name".to_owned(), json!(config.name))]);
    describe(&mut members, config.title.as_deref(), config.description.as_deref());
    match &config.address {
        ResourceAddress::Fixed { uri, content } => {
            members.insert("uri".into(), json!(uri));
            members.insert("size".into(), json!(size(content)));
        }
        ResourceAddress::Template { pattern, .. } => {
            members.insert("uriTemplate".into(), json!(pattern.as_str()));
        }
    }
    if let Some(media) = &config.mime_type {
        members.insert("mimeType".into(), json!(media));
    }
    if !config.annotations.is_empty() {
        members.insert("annotations".into(), annotations(&config.annotations));
    }
    Value::Object(members)
}

/// Bytes before any encoding (MCP schema, `Resource.size`).
fn size(content: &ResourceContent) -> usize {
    match content {
        ResourceContent::Text(text) => text.len(),
        ResourceContent::Blob(data) => decoded_size(data).unwrap_or_default(),
    }
}

fn annotations(annotations: &ResourceAnnotations) -> Value {
    let mut members = Map::new();
    if !annotations.audience.is_empty() {
        let audience: Vec<&str> = annotations.audience.iter().map(|role| role.as_str()).collect();
        members.insert("audience".into(), json!(audience));
    }
    if let Some(priority) = annotations.priority {
        members.insert("priority".into(), json!(priority));
    }
    Value::Object(members)
}

#[cfg(test)]
mod tests;
