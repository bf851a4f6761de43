//! One prompt of a server.

use super::{
    offer,
    report::{Reason, Scope},
};
use crate::v1alpha1::{Prompt, PromptArgument, PromptMessage, Role};
use mcpfleet_config::{self as config, MessageContent, text_template::TextTemplate};

/// The prompt, or `None` when it is refused. `resources` are those of its server.
pub(super) fn compile(
    scope: &mut Scope<'_>,
    at: &str,
    prompt: &Prompt,
    resources: &[config::Resource],
) -> Option<config::Prompt> {
    let messages = prompt.messages.iter().enumerate();
    let messages: Vec<_> = messages
        .filter_map(|(index, each)| message(scope, &format!("{at}.messages[{index}]"), each))
        .collect();
    // What is left of a broken list would only be reported for what it lacks.
    if messages.len() < prompt.messages.len() {
        return None;
    }
    let compiled = config::Prompt {
        name: prompt.name.clone(),
        title: prompt.title.clone(),
        description: prompt.description.clone(),
        arguments: prompt.arguments.iter().map(argument).collect(),
        messages,
        scopes: prompt.scopes.clone(),
    };
    offer::report(scope, at, compiled.flaws(resources));
    scope.clean().then_some(compiled)
}

fn argument(argument: &PromptArgument) -> config::PromptArgument {
    config::PromptArgument {
        name: argument.name.clone(),
        title: argument.title.clone(),
        description: argument.description.clone(),
        required: argument.required,
        values: argument.values.clone(),
    }
}

fn message(scope: &mut Scope<'_>, at: &str, message: &PromptMessage) -> Option<config::PromptMessage> {
    let content = match (&message.text, &message.resource, &message.image) {
        (Some(text), None, None) => MessageContent::Text(template(scope, &format!("{at}.text"), text)?),
        (None, Some(resource), None) => MessageContent::Resource { uri: resource.uri.clone() },
        (None, None, Some(image)) => {
            MessageContent::Image { data: image.data.clone(), mime_type: image.mime_type.clone() }
        }
        _ => {
            let message = "needs exactly one of text, resource and image";
            scope.error(at, Reason::InvalidContent, message, "set one of them");
            return None;
        }
    };
    Some(config::PromptMessage { role: role(message.role), content })
}

pub(super) fn role(role: Role) -> config::Role {
    match role {
        Role::User => config::Role::User,
        Role::Assistant => config::Role::Assistant,
    }
}

/// A text template; a broken one is reported.
pub(super) fn template(scope: &mut Scope<'_>, field: &str, text: &str) -> Option<TextTemplate> {
    let remedy = "write {{name}} for a place and \\{{ where braces are meant";
    text.parse()
        .map_err(|error: config::text_template::TextTemplateError| {
            scope.error(field, Reason::InvalidTemplate, error.to_string(), remedy);
        })
        .ok()
}
