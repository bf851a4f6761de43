//! What the server offers: tools, prompts, resources, and what of it comes and goes.

pub(crate) mod prompts;
pub(crate) mod resources;
mod schemas;
mod tools;

pub(crate) use tools::{TaskSupport, task_support};

use anyhow::Context;
use rmcp::model::{JsonObject, Prompt, Tool};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The lists.
pub(crate) struct Catalog {
    fixed: Vec<Tool>,
    added_tools: Mutex<BTreeSet<String>>,
    added_prompts: Mutex<BTreeSet<String>>,
    /// So many further entries in each list.
    pub(crate) extra: usize,
}

/// Whether a name was put into a list or taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Toggled {
    Added,
    Removed,
}

impl Catalog {
    /// # Errors
    /// A schema that is no JSON object.
    pub(crate) fn new(extra: usize) -> anyhow::Result<Self> {
        let fixed = tools::TOOLS.iter().map(|(name, description, schema)| {
            let schema: JsonObject =
                serde_json::from_str(schema).with_context(|| format!("schema of {name}"))?;
            Ok(Tool::new(*name, *description, Arc::new(schema)))
        });
        let fixed = fixed.collect::<anyhow::Result<_>>()?;
        Ok(Self { fixed, added_tools: Mutex::default(), added_prompts: Mutex::default(), extra })
    }

    /// All tools, in an order that does not change.
    pub(crate) fn tools(&self) -> Vec<Tool> {
        let added = self.added_tools.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let extra = (0..self.extra).map(|index| format!("extra_{index:03}"));
        let plain =
            added.into_iter().chain(extra).map(|name| Tool::new(name, "Says its name", empty_schema()));
        self.fixed.iter().cloned().chain(plain).collect()
    }

    /// The tool of this name.
    pub(crate) fn tool(&self, name: &str) -> Option<Tool> {
        self.tools().into_iter().find(|tool| tool.name == name)
    }

    /// All prompts.
    pub(crate) fn prompts(&self) -> Vec<Prompt> {
        let added = self.added_prompts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let extra = (0..self.extra).map(|index| format!("extra_{index:03}"));
        let plain = added.into_iter().chain(extra).map(|name| Prompt::new(name, Some("Says its name"), None));
        prompts::fixed().into_iter().chain(plain).collect()
    }

    /// Adds a tool; false if there is one of this name.
    pub(crate) fn add_tool(&self, name: &str) -> bool {
        self.tool(name).is_none()
            && self.added_tools.lock().unwrap_or_else(PoisonError::into_inner).insert(name.into())
    }

    /// Takes out a tool that was added; false if there is none of this name.
    pub(crate) fn remove_tool(&self, name: &str) -> bool {
        self.added_tools.lock().unwrap_or_else(PoisonError::into_inner).remove(name)
    }

    /// Adds the tool, or takes it out if it is there.
    pub(crate) fn toggle_tool(&self, name: &str) -> Toggled {
        toggle(&self.added_tools, name)
    }

    /// Adds the prompt, or takes it out if it is there.
    pub(crate) fn toggle_prompt(&self, name: &str) -> Toggled {
        toggle(&self.added_prompts, name)
    }
}

fn toggle(names: &Mutex<BTreeSet<String>>, name: &str) -> Toggled {
    let mut names = names.lock().unwrap_or_else(PoisonError::into_inner);
    if names.remove(name) {
        return Toggled::Removed;
    }
    names.insert(name.to_owned());
    Toggled::Added
}

fn empty_schema() -> JsonObject {
    match json!({ "type": "object", "properties": {} }) {
        Value::Object(schema) => schema,
        _ => JsonObject::new(),
    }
}
