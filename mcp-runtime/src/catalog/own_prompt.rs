//! Our own prompts, ready to be listed and filled in (2026-07-28 and 2025-11-25, server/prompts).
//!
//! In: the arguments of a `prompts/get`. Out: the messages, or what is wrong with the arguments, for a -32602. An
//! argument is put into the text once; braces in it stay braces.

use super::own_resource::OwnResource;
use mcpfleet_config::{MessageContent, Prompt, PromptArgument, text_template::TextTemplate};
use mcpfleet_protocol::json::JsonText;
use serde_json::{Map, Value, json};
use std::fmt;

/// Most bytes of all texts of a filled-in prompt: an argument may stand in many places.
pub const MAX_RENDERED: usize = 1024 * 1024;

/// Most problems that one answer lists.
const MAX_PROBLEMS: usize = 8;

/// Longest name that a problem repeats, in characters: it comes from the client.
const MAX_NAME: usize = 64;

/// A prompt of ours.
#[derive(Debug)]
pub struct OwnPrompt {
    /// As it was configured.
    pub config: Prompt,
    definition: JsonText,
    messages: Vec<Message>,
}

#[derive(Debug)]
struct Message {
    role: &'static str,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Template(TextTemplate),
    /// A content block that is the same whatever the arguments.
    Fixed(Value),
}

/// One thing that is wrong with the arguments of a `prompts/get`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A required argument is not there.
    #[error("argument {name:?} is required")]
    Missing {
        /// The argument.
        name: String,
    },
    /// The prompt has no such argument.
    #[error("there is no argument {name:?}")]
    Unknown {
        /// The name that was given.
        name: String,
    },
    /// MCP has text only for arguments of prompts.
    #[error("argument {name:?} is no string")]
    NotText {
        /// The argument.
        name: String,
    },
    /// The texts together would be too long.
    #[error("the arguments are too long: the messages would have more than {MAX_RENDERED} bytes")]
    TooLong,
}

/// Why a prompt cannot be filled in; JSON-RPC error -32602. At least one, at most eight.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Problems {
    /// Name of the prompt.
    pub prompt: String,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "prompt {:?}: ", self.prompt)?;
        for (index, problem) in self.problems.iter().enumerate() {
            write!(f, "{}{problem}", if index == 0 { "" } else { "; " })?;
        }
        write!(f, "; prompts/list says which it takes")
    }
}

impl OwnPrompt {
    /// `None` when it embeds what none of `resources` holds; `RuntimeConfig::validate` finds the same first.
    pub(super) fn new(config: &Prompt, resources: &[OwnResource]) -> Option<Self> {
        let message = |message: &mcpfleet_config::PromptMessage| {
            let content = content(&message.content, resources)?;
            Some(Message { role: message.role.as_str(), content })
        };
        let messages = config.messages.iter().map(message).collect::<Option<_>>()?;
        let definition = JsonText::from(&definition(config));
        Some(Self { config: config.clone(), definition, messages })
    }

    /// Its element of the result of `prompts/list`.
    pub fn definition(&self) -> &JsonText {
        &self.definition
    }

    /// `messages` of the result of `prompts/get`.
    ///
    /// # Errors
    /// [`Problems`], to be answered with -32602.
    pub fn render(&self, arguments: &Map<String, Value>) -> Result<JsonText, Problems> {
        let refuse = |problems| Problems { prompt: self.config.name.clone(), problems };
        let problems: Vec<Problem> = self.problems(arguments).take(MAX_PROBLEMS).collect();
        if !problems.is_empty() {
            return Err(refuse(problems));
        }
        let mut room = MAX_RENDERED;
        let mut messages = Vec::with_capacity(self.messages.len());
        for message in &self.messages {
            let content = match &message.content {
                Content::Fixed(block) => block.clone(),
                Content::Template(template) => {
                    let value = |name: &str| arguments.get(name).and_then(Value::as_str);
                    let text = template.render(room, value).map_err(|_| refuse(vec![Problem::TooLong]))?;
                    room -= text.len();
                    json!({"type": "text", "text": text})
                }
            };
            messages.push(json!({"role": message.role, "content": content}));
        }
        Ok(JsonText::from(&Value::Array(messages)))
    }

    fn problems<'a>(&'a self, arguments: &'a Map<String, Value>) -> impl Iterator<Item = Problem> + 'a {
        let declared = &self.config.arguments;
        let missing = declared.iter().filter(|known| known.required && !arguments.contains_key(&known.name));
        let missing = missing.map(|known| Problem::Missing { name: known.name.clone() });
        let wrong = arguments.iter().filter_map(|(name, value)| {
            let shown = || name.chars().take(MAX_NAME).collect();
            match declared.iter().find(|known| known.name == *name) {
                None => Some(Problem::Unknown { name: shown() }),
                Some(_) if !value.is_string() => Some(Problem::NotText { name: shown() }),
                Some(_) => None,
            }
        });
        missing.chain(wrong)
    }
}

fn content(content: &MessageContent, resources: &[OwnResource]) -> Option<Content> {
    Some(match content {
        MessageContent::Text(template) => Content::Template(template.clone()),
        MessageContent::Resource { uri } => {
            let resource = super::own_resource::read(resources, uri)?;
            Content::Fixed(json!({"type": "resource", "resource": resource}))
        }
        MessageContent::Image { data, mime_type } => {
            Content::Fixed(json!({"type": "image", "data": data, "mimeType": mime_type}))
        }
    })
}

fn definition(config: &Prompt) -> Value {
    let mut members = Map::from_iter([("name".to_owned(), json!(config.name))]);
    describe(&mut members, config.title.as_deref(), config.description.as_deref());
    if !config.arguments.is_empty() {
        members.insert("arguments".into(), config.arguments.iter().map(argument).collect());
    }
    Value::Object(members)
}

fn argument(argument: &PromptArgument) -> Value {
    let mut members = Map::from_iter([("name".to_owned(), json!(argument.name))]);
    describe(&mut members, argument.title.as_deref(), argument.description.as_deref());
    members.insert("required".into(), json!(argument.required));
    Value::Object(members)
}

/// Adds what is there of the texts for people and models.
pub(super) fn describe(members: &mut Map<String, Value>, title: Option<&str>, description: Option<&str>) {
    for (key, text) in [("title", title), ("description", description)] {
        if let Some(text) = text {
            members.insert(key.into(), json!(text));
        }
    }
}

#[cfg(test)]
mod tests;
