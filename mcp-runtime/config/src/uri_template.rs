//! URL templates: RFC 6570 levels 1 and 3 as far as an HTTP tool needs them.
//!
//! `{var}` (simple expansion), `{?a,b}` and `{&a,b}` (form-style query, undefined variables left out), and
//! `*` to repeat a query parameter for each item of a list. An expression stands in the path or the query,
//! never in scheme, user information, host or port: the destination is fixed by whoever wrote the template.
//! Expanded values are percent-encoded but for RFC 3986 unreserved characters, and a value that would
//! change the path's shape (`..`, `.`, nothing at all) is refused.

mod expand;
mod parse;

pub use expand::ExpandError;
pub use parse::TemplateError;

use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt, str::FromStr};

/// A parsed URL template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UriTemplate {
    source: String,
    /// Offset of the path: what stands before is the destination, the same for every expansion.
    path_at: usize,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Simple { name: String, in_path: bool },
    Form { lead: char, variables: Vec<FormVariable> },
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct FormVariable {
    name: String,
    explode: bool,
}

impl UriTemplate {
    /// Names of the arguments that the template uses.
    pub fn variables(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        for part in &self.parts {
            match part {
                Part::Literal(_) => {}
                Part::Simple { name, .. } => names.extend([name.as_str()]),
                Part::Form { variables, .. } => names.extend(variables.iter().map(|v| v.name.as_str())),
            }
        }
        names
    }

    /// Names of the arguments without which there is no URL: those of simple expressions.
    pub fn required(&self) -> BTreeSet<&str> {
        self.parts
            .iter()
            .filter_map(|part| match part {
                Part::Simple { name, .. } => Some(name.as_str()),
                Part::Literal(_) | Part::Form { .. } => None,
            })
            .collect()
    }

    /// The template as it was written.
    pub fn as_str(&self) -> &str {
        &self.source
    }
}

impl FromStr for UriTemplate {
    type Err = TemplateError;

    fn from_str(source: &str) -> Result<Self, TemplateError> {
        parse::parse(source)
    }
}

impl TryFrom<String> for UriTemplate {
    type Error = TemplateError;

    fn try_from(source: String) -> Result<Self, TemplateError> {
        source.parse()
    }
}

impl From<UriTemplate> for String {
    fn from(template: UriTemplate) -> Self {
        template.source
    }
}

impl fmt::Display for UriTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

/// Whether URL parsers resolve a path segment away (WHATWG URL, "single-dot" and "double-dot" segments).
fn is_dot_segment(segment: &str) -> bool {
    let lower = segment.to_ascii_lowercase().replace("%2e", ".");
    matches!(lower.as_str(), "." | "..")
}

#[cfg(test)]
mod tests;
