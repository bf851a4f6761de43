//! What upstreams offer at one moment.

use super::connection::About;
use mcpfleet_config::{
    pin::DefinitionPart,
    status::{UpstreamState, UpstreamStatus, WithheldTool},
};
use serde_json::{Map, Value, value::RawValue};

/// What all upstreams offer. Every list is by upstream name and then as listed, and holds what an upstream offers or did
/// until minutes ago.
#[derive(Debug, Default, PartialEq)]
pub struct Roster {
    /// Tools.
    pub tools: Vec<UpstreamTool>,
    /// Prompts: by name, which gets the upstream's prefix.
    pub prompts: Vec<UpstreamOffer>,
    /// Resources: by URI, which is the upstream's own.
    pub resources: Vec<UpstreamOffer>,
    /// Resource templates: by URI template, which is the upstream's own.
    pub templates: Vec<UpstreamOffer>,
    /// Tools that clients may remember and that cannot be called now.
    pub missing: Vec<MissingTool>,
    /// What each says of itself, by name; absent for one that has not answered yet.
    pub about: Vec<(String, About)>,
    /// Each upstream's state, by name.
    pub status: Vec<UpstreamStatus>,
}

impl Roster {
    /// Whether each upstream has answered once, or has been found not to.
    pub fn is_settled(&self) -> bool {
        self.status.iter().all(|upstream| upstream.state != UpstreamState::Connecting)
    }

    /// Whether each upstream has answered at some time.
    pub fn has_answers(&self) -> bool {
        self.status.iter().all(|upstream| self.about.iter().any(|(name, _)| *name == upstream.name))
    }
}

/// A tool that was served, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingTool {
    /// Name of the upstream.
    pub upstream: String,
    /// The name that it had here.
    pub exposed_name: String,
    /// Why it is not served.
    pub why: Absence,
}

/// Why a tool is not served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Absence {
    /// It is not what was approved: these parts of its definition have changed.
    Changed(Vec<DefinitionPart>),
    /// Its upstream has not answered for long.
    Unreachable,
}

/// A tool of an upstream.
#[derive(Debug, Clone)]
pub struct UpstreamTool {
    /// Name of the upstream.
    pub upstream: String,
    /// Its name there.
    pub name: String,
    /// Its name here: an override's, or prefix and name.
    pub exposed_name: String,
    /// The whole definition as the upstream gave it, with `name` replaced by `exposed_name` and what overrides say;
    /// unknown fields kept.
    pub definition: Box<RawValue>,
}

/// What of an upstream pins can be about.
#[derive(Debug, Clone, PartialEq)]
pub struct Definitions {
    /// Name of the upstream.
    pub upstream: String,
    /// The tools' definitions as it gave them; its state when it does not answer.
    pub given: Result<Vec<Map<String, Value>>, UpstreamStatus>,
}

/// A prompt, a resource or a resource template of an upstream.
#[derive(Debug, Clone)]
pub struct UpstreamOffer {
    /// Name of the upstream.
    pub upstream: String,
    /// Its name, URI or URI template there.
    pub key: String,
    /// The same here.
    pub exposed_key: String,
    /// The whole definition as the upstream gave it, with the key replaced by `exposed_key`; unknown fields kept.
    pub definition: Box<RawValue>,
}

/// What one upstream offers, under the names that it has here.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Offers {
    pub(super) tools: Vec<UpstreamTool>,
    pub(super) prompts: Vec<UpstreamOffer>,
    pub(super) resources: Vec<UpstreamOffer>,
    pub(super) templates: Vec<UpstreamOffer>,
    /// Tools that are kept back, for clients.
    pub(super) missing: Vec<MissingTool>,
    /// The same, for those who run the server.
    pub(super) withheld: Vec<WithheldTool>,
}

impl Offers {
    /// What is left when the upstream has been gone for long: the names, for whoever still remembers them.
    pub(super) fn taken_off(self) -> Self {
        let gone = |tool: UpstreamTool| {
            let UpstreamTool { upstream, exposed_name, .. } = tool;
            MissingTool { upstream, exposed_name, why: Absence::Unreachable }
        };
        let mut missing = self.missing;
        missing.extend(self.tools.into_iter().map(gone));
        Self { missing, withheld: self.withheld, ..Self::default() }
    }
}

impl PartialEq for UpstreamTool {
    fn eq(&self, other: &Self) -> bool {
        (&self.upstream, &self.name, &self.exposed_name, self.definition.get())
            == (&other.upstream, &other.name, &other.exposed_name, other.definition.get())
    }
}

impl PartialEq for UpstreamOffer {
    fn eq(&self, other: &Self) -> bool {
        (&self.upstream, &self.key, &self.exposed_key, self.definition.get())
            == (&other.upstream, &other.key, &other.exposed_key, other.definition.get())
    }
}
