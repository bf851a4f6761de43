//! `spec.prompts`: prompts that a server offers itself.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A prompt: messages with places for arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Prompt {
    /// Name that clients ask for it by.
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^[A-Za-z0-9_.-]+$"))]
    pub name: String,
    /// Display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub title: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 8192))]
    pub description: Option<String>,
    /// What it can be given, in the order in which clients ask for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub arguments: Vec<PromptArgument>,
    /// What it says, in order.
    #[schemars(length(min = 1, max = 32))]
    pub messages: Vec<PromptMessage>,
    /// Scopes that a caller needs, all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 16),
        inner(length(min = 1, max = 128), regex(pattern = r"^[\x21\x23-\x5B\x5D-\x7E]+$"))
    )]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub scopes: Vec<String>,
}

/// An argument of a prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PromptArgument {
    /// Name of the placeholders that it fills.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9_.-]+$"))]
    pub name: String,
    /// Display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub title: Option<String>,
    /// What to give.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub description: Option<String>,
    /// Whether there is no prompt without it. The place of an optional one that is not given stays empty.
    #[serde(default)]
    pub required: bool,
    /// Values that are suggested while it is typed (`completion/complete`); others are taken too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 500), inner(length(min = 1, max = 256)))]
    pub values: Vec<String>,
}

/// One message of a prompt. Exactly one of `text`, `resource` and `image` is set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("[has(self.text), has(self.resource), has(self.image)].exists_one(set, set)")
    .message("set exactly one of text, resource and image"))]
pub struct PromptMessage {
    /// Who says it.
    pub role: Role,
    /// Text; `{{name}}` is replaced by an argument, and `\{{` is written where braces are meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 65_536))]
    pub text: Option<String>,
    /// Embeds a resource of this server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<EmbeddedResource>,
    /// A picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
}

/// Who speaks, or who is meant to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs)]
pub enum Role {
    User,
    Assistant,
}

/// A resource of `spec.resources` in a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(deny_unknown_fields)]
pub struct EmbeddedResource {
    /// URI of a resource, or one that a `uriTemplate` stands for. The prompt's scopes must include those of the resource.
    #[schemars(length(min = 1, max = 2048))]
    pub uri: String,
}

/// A picture in a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Image {
    /// Base64 of its bytes.
    #[schemars(length(min = 4, max = 131_072))]
    pub data: String,
    /// Such as `image/png`.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^image/.+$"))]
    pub mime_type: String,
}
