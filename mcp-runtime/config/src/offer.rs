//! What can be wrong with a prompt or a resource. `compile` finds it for its author, `validate` for a runtime.

use crate::{RuntimeConfig, uri_pattern::UriPatternError};
use std::collections::BTreeSet;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Path below the prompt or resource, as users write it.
    pub field: String,
    /// What is wrong there.
    pub fault: Fault,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum Fault {
    #[error("{name:?} {reason}")]
    Name { name: String, reason: String },
    #[error("{what:?} stands twice")]
    Repeated { what: String },
    #[error("is empty")]
    Empty,
    #[error("uses {{{{{name}}}}}, which is not declared")]
    UnknownPlaceholder { name: String },
    #[error("{name:?} is no variable of uriTemplate")]
    UnknownVariable { name: String },
    #[error("{uri:?} is no resource of this server")]
    UnknownResource { uri: String },
    #[error("resource {resource} needs scope {scope:?}, which the prompt does not ask for")]
    ScopeOfResource { resource: String, scope: String },
    #[error("{scope:?} is no scope (RFC 6749 section 3.3)")]
    Scope { scope: String },
    #[error("{found:?} is no media type that fits")]
    MediaType { found: String },
    #[error("is no base64 (RFC 4648 section 4, with padding)")]
    NotBase64,
    #[error("is outside 0..1")]
    Priority,
    #[error("{0}")]
    Uri(UriPatternError),
}

impl Flaw {
    pub(crate) fn new(field: impl Into<String>, fault: Fault) -> Self {
        Self { field: field.into(), fault }
    }
}

impl RuntimeConfig {
    /// The first flaw among prompts and resources, with the path of what has it.
    pub(crate) fn offer_flaw(&self) -> Option<(String, Flaw)> {
        let placed = |list: &str, name: &str, flaws: Vec<Flaw>| {
            flaws.into_iter().next().map(|flaw| (format!("{list}[{name}]"), flaw))
        };
        let resources = || self.resources.iter().find_map(|r| placed("resources", &r.name, r.flaws()));
        let prompts =
            || self.prompts.iter().find_map(|p| placed("prompts", &p.name, p.flaws(&self.resources)));
        repeated("resources", self.resources.iter().map(|resource| &resource.name))
            .or_else(|| repeated("prompts", self.prompts.iter().map(|prompt| &prompt.name)))
            .or_else(resources)
            .or_else(prompts)
    }
}

/// A name that stands twice in a list.
fn repeated<'a>(list: &str, mut names: impl Iterator<Item = &'a String>) -> Option<(String, Flaw)> {
    let mut seen = BTreeSet::new();
    let name = names.find(|name| !seen.insert(*name))?;
    Some((format!("{list}[{name}]"), Flaw::new("name", Fault::Repeated { what: name.clone() })))
}

/// RFC 6749 section 3.3: printable ASCII without space, `"` and `\`.
pub(crate) fn check_scopes(scopes: &[String], flaws: &mut Vec<Flaw>) {
    let token = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\'))
    };
    for (index, scope) in scopes.iter().enumerate() {
        let at = format!("scopes[{index}]");
        if !token(scope) {
            flaws.push(Flaw::new(at, Fault::Scope { scope: scope.clone() }));
        } else if scopes.iter().take(index).any(|before| before == scope) {
            flaws.push(Flaw::new(at, Fault::Repeated { what: scope.clone() }));
        }
    }
}

/// Values that a completion offers: some text each, and each once.
pub(crate) fn check_values(at: &str, values: &[String], flaws: &mut Vec<Flaw>) {
    let mut seen = BTreeSet::new();
    for (index, value) in values.iter().enumerate() {
        if value.is_empty() {
            flaws.push(Flaw::new(format!("{at}[{index}]"), Fault::Empty));
        } else if !seen.insert(value) {
            flaws.push(Flaw::new(format!("{at}[{index}]"), Fault::Repeated { what: value.clone() }));
        }
    }
}

#[cfg(test)]
mod tests;
