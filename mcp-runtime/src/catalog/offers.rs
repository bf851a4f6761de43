//! What a server offers itself beside tools: its prompts and resources, and values that complete their arguments.

use super::{
    own::Unservable,
    own_prompt::OwnPrompt,
    own_resource::{self, OwnResource, ResourceKind},
};
use mcpfleet_config::{ResourceAddress, RuntimeConfig};

/// Most values of one completion (2026-07-28 and 2025-11-25, server/utilities/completion).
pub const MAX_VALUES: usize = 100;

/// Prompts and resources, ready to serve.
#[derive(Debug, Default)]
pub struct Offers {
    /// Sorted by name.
    pub prompts: Vec<OwnPrompt>,
    /// Sorted by name.
    pub resources: Vec<OwnResource>,
}

/// What an argument to complete belongs to: `ref` of a `completion/complete`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference<'a> {
    /// `ref/prompt`: a prompt by its name.
    Prompt(&'a str),
    /// `ref/resource`: a resource by its URI, or a template as it is listed.
    Resource(&'a str),
}

/// `completion` of the result of `completion/complete`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The best ones, at most [`MAX_VALUES`].
    pub values: Vec<String>,
    /// How many there are.
    pub total: usize,
}

/// Nothing here can be completed; JSON-RPC error -32602.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum NotCompletable {
    #[error("there is no prompt of that name here; prompts/list names those that there are")]
    UnknownPrompt,
    #[error(
        "there is no resource template with that URI here; resources/templates/list has those that there are"
    )]
    UnknownResource,
    #[error("it has no argument of that name")]
    UnknownArgument,
}

impl Completion {
    /// `hasMore`: whether some are left out.
    pub fn has_more(&self) -> bool {
        self.total > self.values.len()
    }
}

impl Offers {
    /// All of a configuration.
    ///
    /// # Errors
    /// A prompt embeds a resource that is not there. `RuntimeConfig::validate` finds the same first.
    pub fn prepare(config: &RuntimeConfig) -> Result<Self, Unservable> {
        let resources: Vec<_> = config.resources.iter().map(OwnResource::new).collect();
        let prompt = |prompt: &mcpfleet_config::Prompt| {
            OwnPrompt::new(prompt, &resources).ok_or_else(|| Unservable {
                field: format!("prompts[{}].messages", prompt.name),
                reason: "embeds a resource that is not there".into(),
            })
        };
        let prompts = config.prompts.iter().map(prompt).collect::<Result<_, _>>()?;
        Ok(Self { prompts, resources })
    }

    /// Whether there are values to suggest for anything.
    pub fn complete_anything(&self) -> bool {
        let prompts = self.prompts.iter().flat_map(|prompt| &prompt.config.arguments);
        let templates = self.resources.iter().filter_map(|resource| match &resource.config.address {
            ResourceAddress::Template { variables, .. } => Some(variables),
            ResourceAddress::Fixed { .. } => None,
        });
        prompts
            .map(|argument| &argument.values)
            .chain(templates.flatten().map(|it| &it.values))
            .any(|it| !it.is_empty())
    }

    /// URIs of resources that are not as they were in `before`.
    pub fn changed_since(&self, before: &Self) -> Vec<String> {
        let same = |now: &&OwnResource| before.resources.iter().any(|then| then.config == now.config);
        let changed = self.resources(ResourceKind::Resource).filter(|now| !same(now));
        changed
            .filter_map(|resource| match &resource.config.address {
                ResourceAddress::Fixed { uri, .. } => Some(uri.clone()),
                ResourceAddress::Template { .. } => None,
            })
            .collect()
    }

    /// A prompt by its name.
    pub fn prompt(&self, name: &str) -> Option<&OwnPrompt> {
        self.prompts.iter().find(|prompt| prompt.config.name == name)
    }

    /// The resource that answers for `uri`: a fixed one before any template, and then the first by name.
    pub fn resource(&self, uri: &str) -> Option<&OwnResource> {
        own_resource::locate(&self.resources, uri)
    }

    /// Those of one list.
    pub fn resources(&self, kind: ResourceKind) -> impl Iterator<Item = &OwnResource> {
        self.resources.iter().filter(move |resource| resource.kind() == kind)
    }

    /// Declared values of an argument that go with what was typed so far: those that begin with it, then those that
    /// contain it, whatever their case. What other arguments hold (`context`) makes no difference to declared values.
    ///
    /// # Errors
    /// [`NotCompletable`].
    pub fn complete(
        &self,
        reference: Reference<'_>,
        argument: &str,
        typed: &str,
    ) -> Result<Completion, NotCompletable> {
        let declared = match reference {
            Reference::Prompt(name) => {
                let prompt = self.prompt(name).ok_or(NotCompletable::UnknownPrompt)?;
                let found = prompt.config.arguments.iter().find(|known| known.name == argument);
                found.map(|argument| argument.values.as_slice())
            }
            Reference::Resource(uri) => self.variable(uri, argument)?,
        };
        Ok(matching(declared.ok_or(NotCompletable::UnknownArgument)?, typed))
    }

    /// Declared values of a template's variable; `None` when the template has no such variable.
    fn variable(&self, uri: &str, name: &str) -> Result<Option<&[String]>, NotCompletable> {
        for resource in &self.resources {
            match &resource.config.address {
                ResourceAddress::Template { pattern, variables, .. } if pattern.as_str() == uri => {
                    let known = pattern.variables().any(|variable| variable == name);
                    let declared = variables.iter().find(|variable| variable.name == name);
                    return Ok(known.then(|| declared.map_or(&[][..], |variable| &variable.values)));
                }
                ResourceAddress::Fixed { uri: own, .. } if own == uri => return Ok(None),
                ResourceAddress::Template { .. } | ResourceAddress::Fixed { .. } => {}
            }
        }
        Err(NotCompletable::UnknownResource)
    }
}

fn matching(declared: &[String], typed: &str) -> Completion {
    let typed = typed.to_lowercase();
    let lower: Vec<String> = declared.iter().map(|value| value.to_lowercase()).collect();
    let with = |test: &dyn Fn(&str) -> bool| -> Vec<&String> {
        declared.iter().zip(&lower).filter(|(_, lower)| test(lower)).map(|(value, _)| value).collect()
    };
    let mut found = with(&|lower| lower.starts_with(&typed));
    found.extend(with(&|lower| lower.contains(&typed) && !lower.starts_with(&typed)));
    let total = found.len();
    Completion { values: found.into_iter().take(MAX_VALUES).cloned().collect(), total }
}

#[cfg(test)]
mod tests;
