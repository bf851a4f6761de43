//! `spec.resources`: resources that a server offers itself.

use super::Role;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// Something that clients can read: one URI, or all URIs of a template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("[has(self.uri), has(self.uriTemplate)].exists_one(set, set)")
    .message("set exactly one of uri and uriTemplate"))]
#[x_kube(validation = Rule::new("!has(self.uriTemplate) || has(self.content.text)")
    .message("a uriTemplate needs content.text: a blob is the same for every URI, and so has one uri"))]
#[x_kube(validation = Rule::new("!has(self.variables) || size(self.variables) == 0 || has(self.uriTemplate)")
    .message("variables belong to a uriTemplate"))]
pub struct Resource {
    /// Name within this server.
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^[A-Za-z0-9_.-]+$"))]
    pub name: String,
    /// Display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub title: Option<String>,
    /// What it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 8192))]
    pub description: Option<String>,
    /// Absolute URI that it is read by, such as `shop://policies/returns`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048))]
    pub uri: Option<String>,
    /// URIs that it is read by (RFC 6570 level 1), such as `shop://tiers/{tier}`. A variable is one or more characters
    /// other than `/`, `?` and `#`; text that follows one begins with a punctuation mark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048), regex(pattern = r"^[^{}]+:.*\{[A-Za-z0-9_]+\}.*$"))]
    pub uri_template: Option<String>,
    /// What is known of the template's variables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub variables: Vec<ResourceVariable>,
    /// Media type of its content, such as `text/markdown`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 3, max = 255))]
    pub mime_type: Option<String>,
    /// Hints for clients (MCP `Annotations`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<ResourceAnnotations>,
    /// What is read.
    pub content: ResourceContent,
    /// Scopes that a caller needs, all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 16),
        inner(length(min = 1, max = 128), regex(pattern = r"^[\x21\x23-\x5B\x5D-\x7E]+$"))
    )]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub scopes: Vec<String>,
}

/// A variable of a `uriTemplate`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(deny_unknown_fields)]
pub struct ResourceVariable {
    /// Its name in the template.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9_]+$"))]
    pub name: String,
    /// Values that are suggested while it is typed (`completion/complete`); others are taken too.
    #[schemars(length(min = 1, max = 500), inner(length(min = 1, max = 256)))]
    pub values: Vec<String>,
}

/// Hints about a resource. They inform a client, nothing is enforced by them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(deny_unknown_fields)]
pub struct ResourceAnnotations {
    /// Whom it is meant for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 2))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub audience: Vec<Role>,
    /// How important it is: 0 is optional, 1 is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub priority: Option<f64>,
}

/// What is read. Exactly one of `text` and `blob` is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(deny_unknown_fields)]
#[x_kube(validation = Rule::new("[has(self.text), has(self.blob)].exists_one(set, set)")
    .message("set exactly one of text and blob"))]
pub struct ResourceContent {
    /// Text. With a `uriTemplate`, `{{name}}` is replaced by a variable, and `\{{` is written where braces are meant; with
    /// a `uri` it is served as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 65_536))]
    pub text: Option<String>,
    /// Base64 of bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 4, max = 131_072))]
    pub blob: Option<String>,
}
