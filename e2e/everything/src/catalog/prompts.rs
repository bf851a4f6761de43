//! The prompts.

use crate::dialogue::{Call, Memory, Question, Stop};
use crate::tools::content::{PNG, text_resource};
use rmcp::ErrorData;
use rmcp::model::{ContentBlock, GetPromptResult, Prompt, PromptArgument, PromptMessage, Role};

/// The prompts that are always there.
pub(super) fn fixed() -> Vec<Prompt> {
    let argument = |name: &str| PromptArgument::new(name).with_description("Any text").with_required(true);
    vec![
        Prompt::new("test_simple_prompt", Some("A message"), None),
        Prompt::new(
            "test_prompt_with_arguments",
            Some("A message with two arguments"),
            Some(vec![argument("arg1"), argument("arg2")]),
        ),
        Prompt::new(
            "test_prompt_with_embedded_resource",
            Some("A message with a resource"),
            Some(vec![argument("resourceUri")]),
        ),
        Prompt::new("test_prompt_with_image", Some("A message with an image"), None),
        Prompt::new("test_input_required_result_prompt", Some("Asks the user for context"), None),
    ]
}

/// The messages of a prompt.
///
/// # Errors
/// Invalid params for an unknown prompt; whatever asking the client brings.
pub(crate) async fn get(call: &Call, name: &str) -> Result<GetPromptResult, Stop> {
    let argument = |name: &str| call.text(name).unwrap_or_default();
    let messages = match name {
        "test_simple_prompt" => vec![user("This is a simple prompt for testing.")],
        "test_prompt_with_arguments" => {
            let (first, second) = (argument("arg1"), argument("arg2"));
            vec![user(&format!("Prompt with arguments: arg1='{first}', arg2='{second}'"))]
        }
        "test_prompt_with_embedded_resource" => {
            let resource = text_resource(
                argument("resourceUri"),
                "text/plain",
                "Embedded resource content for testing.",
            );
            vec![
                PromptMessage::new(Role::User, ContentBlock::resource(resource)),
                user("Please process the embedded resource above."),
            ]
        }
        "test_prompt_with_image" => vec![
            PromptMessage::new(Role::User, ContentBlock::image(PNG, "image/png")),
            user("Please analyze the image above."),
        ],
        "test_input_required_result_prompt" => vec![user(&context(call).await?)],
        _ if call.shared.catalog.prompts().iter().any(|prompt| prompt.name == name) => vec![user(name)],
        _ => return Err(ErrorData::invalid_params(format!("unknown prompt {name:?}"), None).into()),
    };
    Ok(GetPromptResult::new(messages).with_description(format!("Prompt {name}")))
}

async fn context(call: &Call) -> Result<String, Stop> {
    let question = Question::elicit_text("user_context", "What context should the prompt use?", "context")?;
    let answers = call.ask(&[question], Memory::None).await?;
    Ok(format!("Use this context: {}", answers[0]["content"]["context"]))
}

fn user(text: &str) -> PromptMessage {
    PromptMessage::new_text(Role::User, text)
}
