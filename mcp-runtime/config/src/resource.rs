//! Resources that a server offers itself (MCP server/resources): one URI, or all URIs of a template.

use crate::{
    Fault, Flaw, Role,
    media_type::is_media_type,
    offer::{check_scopes, check_values},
    text_template::TextTemplate,
    tool_name,
    uri_pattern::{UriPattern, check_uri},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Something that clients can read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Resource {
    /// Name within the server; formed as names of tools are.
    pub name: String,
    /// Display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Which URIs it answers for, and with what.
    pub address: ResourceAddress,
    /// Media type of its content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// Hints for clients.
    #[serde(default, skip_serializing_if = "ResourceAnnotations::is_empty")]
    pub annotations: ResourceAnnotations,
    /// Scopes that a caller needs, all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
}

/// Which URIs a resource answers for, and with what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum ResourceAddress {
    /// One URI.
    Fixed {
        /// It.
        uri: String,
        /// What is read there.
        content: ResourceContent,
    },
    /// All URIs of a template.
    Template {
        /// RFC 6570 level 1.
        pattern: UriPattern,
        /// What is known of its variables; each is one of the pattern's.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        variables: Vec<ResourceVariable>,
        /// What is read, with places for the variables.
        text: TextTemplate,
    },
}

/// What a resource holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum ResourceContent {
    /// Text, as it is.
    Text(String),
    /// Bytes in base64 (RFC 4648 section 4).
    Blob(String),
}

/// A variable of a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceVariable {
    /// Its name in the template.
    pub name: String,
    /// Values that are suggested while it is typed; others are taken too.
    pub values: Vec<String>,
}

/// Hints about a resource (MCP schema, `Annotations`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceAnnotations {
    /// Whom it is meant for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audience: Vec<Role>,
    /// How important it is, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<f64>,
}

/// The resource that answers for a URI.
#[derive(Clone, Debug)]
pub struct Located<'a> {
    /// It.
    pub resource: &'a Resource,
    /// The values of its variables; none where the URI is fixed.
    pub variables: BTreeMap<&'a str, String>,
}

impl ResourceAnnotations {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.audience.is_empty() && self.priority.is_none()
    }
}

impl Resource {
    /// The resource that answers for `uri`: a fixed one before any template, and then the first.
    pub fn locate<'a>(resources: &'a [Self], uri: &str) -> Option<Located<'a>> {
        let fixed = resources.iter().find(
            |resource| matches!(&resource.address, ResourceAddress::Fixed { uri: own, .. } if own == uri),
        );
        let by_template = || resources.iter().find_map(|resource| resource.answers(uri));
        fixed.map(|resource| Located { resource, variables: BTreeMap::new() }).or_else(by_template)
    }

    /// Itself, when it answers for `uri`.
    pub fn answers(&self, uri: &str) -> Option<Located<'_>> {
        let variables = match &self.address {
            ResourceAddress::Fixed { uri: own, .. } => (own == uri).then(BTreeMap::new)?,
            ResourceAddress::Template { pattern, .. } => pattern.matches(uri)?,
        };
        Some(Located { resource: self, variables })
    }

    /// Everything that keeps it from being served.
    pub fn flaws(&self) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        if let Some(reason) = tool_name::refusal(&self.name) {
            flaws.push(Flaw::new("name", Fault::Name { name: self.name.clone(), reason }));
        }
        if let Some(found) = self.mime_type.clone().filter(|text| !is_media_type(text)) {
            flaws.push(Flaw::new("mimeType", Fault::MediaType { found }));
        }
        if self.annotations.priority.is_some_and(|priority| !(0.0..=1.0).contains(&priority)) {
            flaws.push(Flaw::new("annotations.priority", Fault::Priority));
        }
        check_scopes(&self.scopes, &mut flaws);
        self.check_address(&mut flaws);
        flaws
    }

    fn check_address(&self, flaws: &mut Vec<Flaw>) {
        match &self.address {
            ResourceAddress::Fixed { uri, content } => {
                if let Err(error) = check_uri(uri) {
                    flaws.push(Flaw::new("uri", Fault::Uri(error)));
                }
                if matches!(content, ResourceContent::Blob(data) if decoded_size(data).is_none()) {
                    flaws.push(Flaw::new("content.blob", Fault::NotBase64));
                }
            }
            ResourceAddress::Template { pattern, variables, text } => {
                let known: BTreeSet<&str> = pattern.variables().collect();
                let unknown = text.placeholders().into_iter().filter(|name| !known.contains(name));
                flaws.extend(unknown.map(|name| {
                    Flaw::new("content.text", Fault::UnknownPlaceholder { name: name.to_owned() })
                }));
                check_variables(&known, variables, flaws);
            }
        }
    }
}

fn check_variables(known: &BTreeSet<&str>, variables: &[ResourceVariable], flaws: &mut Vec<Flaw>) {
    let mut seen = BTreeSet::new();
    for (index, variable) in variables.iter().enumerate() {
        let (at, name) = (format!("variables[{index}]"), variable.name.clone());
        if !known.contains(name.as_str()) {
            flaws.push(Flaw::new(format!("{at}.name"), Fault::UnknownVariable { name }));
        } else if !seen.insert(&variable.name) {
            flaws.push(Flaw::new(format!("{at}.name"), Fault::Repeated { what: name }));
        }
        check_values(&format!("{at}.values"), &variable.values, flaws);
    }
}

/// How many bytes a base64 text stands for; `None` when it is none.
pub fn decoded_size(data: &str) -> Option<usize> {
    STANDARD.decode(data).ok().map(|bytes| bytes.len())
}
