//! Tools that ask the client one thing.

use super::{Outcome, failure, text};
use crate::dialogue::{Call, Memory, Question, Stop};
use serde_json::{Value, json};

pub(super) async fn run(call: &Call) -> Outcome {
    match call.name.as_str() {
        "test_sampling" => {
            let prompt = call.text("prompt").unwrap_or("Hello");
            let answer = one(call, Question::sample("completion", prompt, 100)?).await?;
            Ok(text(format!("LLM response: {}", said(&answer))))
        }
        "test_missing_capability" => {
            let answer = one(call, Question::sample("completion", "Say anything", 10)?).await?;
            Ok(text(format!("Sampling works: {}", said(&answer))))
        }
        "test_streaming_elicitation" => {
            call.progress(1, 2).await;
            let answer = one(call, Question::elicit_text("user_name", "What is your name?", "name")?).await?;
            Ok(text(format!("User response: {}", told(&answer))))
        }
        "test_elicitation" => {
            let message = call.text("message").unwrap_or("Please provide your information");
            let answer = one(call, Question::elicit("user_response", message, &contact())?).await?;
            Ok(text(format!("User response: {}", told(&answer))))
        }
        "test_elicitation_sep1034_defaults" => {
            let question = Question::elicit("defaults", "Please review these values", &defaults())?;
            Ok(text(format!("Elicitation completed: {}", told(&one(call, question).await?))))
        }
        "test_elicitation_sep1330_enums" => {
            let question = Question::elicit("choices", "Please choose", &choices())?;
            Ok(text(format!("Elicitation completed: {}", told(&one(call, question).await?))))
        }
        name => Ok(failure(format!("{name} asks nothing"))),
    }
}

async fn one(call: &Call, question: Question) -> Result<Value, Stop> {
    let answers = call.ask(&[question], Memory::None).await?;
    Ok(answers.into_iter().next().unwrap_or_default())
}

/// The text of a sampled message, whose content is a block or a list of blocks.
pub(super) fn said(answer: &Value) -> String {
    let content = &answer["content"];
    let block = content.get(0).unwrap_or(content);
    block["text"].as_str().unwrap_or("nothing").to_owned()
}

/// An answer to an elicitation in one line.
pub(super) fn told(answer: &Value) -> String {
    format!("action={}, content={}", answer["action"].as_str().unwrap_or("none"), answer["content"])
}

fn contact() -> Value {
    json!({ "type": "object", "required": ["username", "email"], "properties": {
        "username": { "type": "string", "description": "User's response" },
        "email": { "type": "string", "description": "User's email address" },
    }})
}

/// One field of each primitive type, each with a default (SEP-1034).
fn defaults() -> Value {
    json!({ "type": "object", "properties": {
        "name": { "type": "string", "description": "Name", "default": "John Doe" },
        "age": { "type": "integer", "description": "Age", "default": 30 },
        "score": { "type": "number", "description": "Score", "default": 95.5 },
        "status": {
            "type": "string", "description": "Status", "enum": ["active", "inactive", "pending"], "default": "active",
        },
        "verified": { "type": "boolean", "description": "Verified", "default": true },
    }})
}

/// The five ways to offer a choice (SEP-1330).
fn choices() -> Value {
    let plain = json!(["option1", "option2", "option3"]);
    let titled = json!([
        { "const": "value1", "title": "First" },
        { "const": "value2", "title": "Second" },
        { "const": "value3", "title": "Third" },
    ]);
    json!({ "type": "object", "properties": {
        "untitledSingle": { "type": "string", "enum": plain },
        "titledSingle": { "type": "string", "oneOf": titled },
        "legacyEnum": {
            "type": "string", "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option One", "Option Two", "Option Three"],
        },
        "untitledMulti": { "type": "array", "items": { "type": "string", "enum": plain } },
        "titledMulti": { "type": "array", "items": { "anyOf": titled } },
    }})
}
