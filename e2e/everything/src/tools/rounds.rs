//! Tools whose conversation has several questions or several rounds.

use super::interactive::{said, told};
use super::{Outcome, text};
use crate::dialogue::{Call, Memory, Question};
use rmcp::ErrorData;

pub(super) async fn input_required(call: &Call) -> Outcome {
    match call.name.trim_start_matches("test_input_required_result_") {
        "elicitation" => {
            let question = Question::elicit_text("user_name", "What is your name?", "name")?;
            let answers = call.ask(&[question], Memory::None).await?;
            Ok(text(format!("Hello, {}!", answers[0]["content"]["name"].as_str().unwrap_or("nobody"))))
        }
        "sampling" => {
            let question = Question::sample("capital_question", "What is the capital of France?", 100)?;
            let answers = call.ask(&[question], Memory::None).await?;
            Ok(text(said(&answers[0])))
        }
        "list_roots" => {
            let answers = call.ask(&[Question::roots("client_roots")?], Memory::None).await?;
            Ok(text(format!("Roots: {}", answers[0]["roots"])))
        }
        "request_state" | "tampered_state" => {
            let question = Question::elicit_flag("confirm", "Please confirm", "ok")?;
            let answers = call.ask(&[question], Memory::State).await?;
            Ok(text(format!("state-ok: {}", told(&answers[0]))))
        }
        "multiple_inputs" => multiple_inputs(call).await,
        "multi_round" => multi_round(call).await,
        "capabilities" => capabilities(call).await,
        other => Err(ErrorData::invalid_params(format!("no such conversation: {other}"), None).into()),
    }
}

async fn multiple_inputs(call: &Call) -> Outcome {
    let questions = [
        Question::elicit_text("user_name", "What is your name?", "name")?,
        Question::sample("greeting", "Generate a greeting", 50)?,
        Question::roots("client_roots")?,
    ];
    let answers = call.ask(&questions, Memory::State).await?;
    let (name, greeting, roots) = (told(&answers[0]), said(&answers[1]), &answers[2]["roots"]);
    Ok(text(format!("{greeting} ({name}; roots {roots})")))
}

async fn multi_round(call: &Call) -> Outcome {
    let first = Question::elicit_text("step1", "Step 1: What is your name?", "name")?;
    let first = call.ask(&[first], Memory::State).await?;
    let second = Question::elicit_text("step2", "Step 2: What is your favorite color?", "color")?;
    let second = call.ask(&[second], Memory::State).await?;
    Ok(text(format!("{}; {}", told(&first[0]), told(&second[0]))))
}

/// Asks each thing that the client can answer, and nothing else.
async fn capabilities(call: &Call) -> Outcome {
    let all = [
        Question::elicit_text("user_name", "What is your name?", "name")?,
        Question::sample("greeting", "Generate a greeting", 50)?,
        Question::roots("client_roots")?,
    ];
    let possible: Vec<_> = all.into_iter().filter(|question| call.can_answer(question)).collect();
    let answers = call.ask(&possible, Memory::State).await?;
    Ok(text(format!("Got {} answers", answers.len())))
}

pub(super) async fn ask_twice(call: &Call) -> Outcome {
    let first = Question::elicit_text("first", "First name?", "name")?;
    let first = call.ask(&[first], Memory::State).await?;
    let second = Question::elicit_text("second", "Second name?", "name")?;
    let second = call.ask(&[second], Memory::State).await?;
    Ok(text(format!("{} and {}", first[0]["content"]["name"], second[0]["content"]["name"])))
}
