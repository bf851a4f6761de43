//! Prompts that a server offers itself (MCP server/prompts).

use crate::{
    Fault, Flaw, Resource,
    media_type::is_media_type,
    offer::{check_scopes, check_values},
    resource::{Located, decoded_size},
    text_template::{self, TextTemplate},
    tool_name,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A prompt: messages with places for arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Prompt {
    /// Name that clients ask for it by; formed as names of tools are.
    pub name: String,
    /// Display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it can be given, in the order in which clients ask for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<PromptArgument>,
    /// At least one message.
    pub messages: Vec<PromptMessage>,
    /// Scopes that a caller needs, all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
}

/// An argument of a prompt. Its value is text, as MCP has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PromptArgument {
    /// Name of the placeholders that it fills.
    pub name: String,
    /// Display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What to give.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether there is no prompt without it.
    pub required: bool,
    /// Values that are suggested while it is typed; others are taken too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// One message of a prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromptMessage {
    /// Who says it.
    pub role: Role,
    /// What is said.
    pub content: MessageContent,
}

/// Who speaks, or who is meant to read (MCP schema, `Role`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Role {
    User,
    Assistant,
}

impl Role {
    /// The role as MCP writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// What a message holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum MessageContent {
    /// Text with places for arguments.
    Text(TextTemplate),
    /// A resource of the same server, embedded.
    Resource {
        /// URI of a resource, or one that a template stands for.
        uri: String,
    },
    /// A picture.
    Image {
        /// Base64 (RFC 4648 section 4).
        data: String,
        /// Such as `image/png`.
        mime_type: String,
    },
}

impl Prompt {
    /// Everything that keeps it from being served beside `resources`, those of the same server.
    pub fn flaws(&self, resources: &[Resource]) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        if let Some(reason) = tool_name::refusal(&self.name) {
            flaws.push(Flaw::new("name", Fault::Name { name: self.name.clone(), reason }));
        }
        check_scopes(&self.scopes, &mut flaws);
        self.check_arguments(&mut flaws);
        if self.messages.is_empty() {
            flaws.push(Flaw::new("messages", Fault::Empty));
        }
        for (index, message) in self.messages.iter().enumerate() {
            self.check_message(&format!("messages[{index}]"), &message.content, resources, &mut flaws);
        }
        flaws
    }

    fn check_arguments(&self, flaws: &mut Vec<Flaw>) {
        let mut names = BTreeSet::new();
        for (index, argument) in self.arguments.iter().enumerate() {
            let (at, name) = (format!("arguments[{index}]"), argument.name.clone());
            if !text_template::is_name(&name) {
                let reason = "is not 1 to 64 letters, digits, '_', '-' and '.'".into();
                flaws.push(Flaw::new(format!("{at}.name"), Fault::Name { name, reason }));
            } else if !names.insert(&argument.name) {
                flaws.push(Flaw::new(format!("{at}.name"), Fault::Repeated { what: name }));
            }
            check_values(&format!("{at}.values"), &argument.values, flaws);
        }
    }

    fn check_message(
        &self,
        at: &str,
        content: &MessageContent,
        resources: &[Resource],
        flaws: &mut Vec<Flaw>,
    ) {
        match content {
            MessageContent::Text(template) => {
                let known = |name: &&str| self.arguments.iter().any(|argument| argument.name == *name);
                let unknown = template.placeholders().into_iter().filter(|name| !known(name));
                flaws.extend(unknown.map(|name| {
                    Flaw::new(format!("{at}.text"), Fault::UnknownPlaceholder { name: name.to_owned() })
                }));
            }
            MessageContent::Resource { uri } => {
                self.check_embedded(&format!("{at}.resource.uri"), uri, resources, flaws);
            }
            MessageContent::Image { data, mime_type } => {
                if decoded_size(data).is_none() {
                    flaws.push(Flaw::new(format!("{at}.image.data"), Fault::NotBase64));
                }
                if !is_media_type(mime_type) || !mime_type.starts_with("image/") {
                    let fault = Fault::MediaType { found: mime_type.clone() };
                    flaws.push(Flaw::new(format!("{at}.image.mimeType"), fault));
                }
            }
        }
    }

    /// Who may have the prompt gets what it embeds: its scopes must include those of the resource.
    fn check_embedded(&self, at: &str, uri: &str, resources: &[Resource], flaws: &mut Vec<Flaw>) {
        let Some(Located { resource, .. }) = Resource::locate(resources, uri) else {
            flaws.push(Flaw::new(at, Fault::UnknownResource { uri: uri.to_owned() }));
            return;
        };
        let lacking = resource.scopes.iter().filter(|scope| !self.scopes.contains(scope));
        flaws.extend(lacking.map(|scope| {
            Flaw::new(at, Fault::ScopeOfResource { resource: resource.name.clone(), scope: scope.clone() })
        }));
    }
}
