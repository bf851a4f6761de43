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
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Simple(String),
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
        let names = |part| match part {
            &Part::Literal(_) => Vec::new(),
            Part::Simple(name) => vec![name.as_str()],
            Part::Form { variables, .. } => variables.iter().map(|v| v.name.as_str()).collect(),
        };
        self.parts.iter().flat_map(names).collect()
    }

    /// Names of the arguments without which there is no URL: those of simple expressions.
    pub fn required(&self) -> BTreeSet<&str> {
        self.parts
            .iter()
            .filter_map(|part| match part {
                Part::Simple(name) => Some(name.as_str()),
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

#[cfg(test)]
mod tests;
