//! Tools that become tasks (extension `io.modelcontextprotocol/tasks`) for clients that declare it. For others, and in
//! legacy sessions, the same work is done within the call.
//!
//! Work that asks or fails waits a little before: a gateway that makes a task of a legacy call has made it by then.

use super::{Outcome, failure, text};
use crate::catalog::{TaskSupport, task_support};
use crate::dialogue::{Call, Memory, Question, Stop};
use crate::ledger::{End, Entry};
use rmcp::ErrorData;
use rmcp::model::{CallToolResponse, CallToolResult, ClientCapabilities, CreateTaskResult};
use rmcp::task_manager::{TaskContext, TaskExit, TaskOptions};
use serde_json::Value;
use std::time::Duration;
use tokio::time::sleep;

/// Longer than a gateway hesitates to make a task.
const A_WHILE: Duration = Duration::from_millis(300);

/// What a task is to do.
pub(super) enum Work {
    Compute { seconds: u64, label: String },
    Fail,
    Break,
    Ask(Vec<Question>),
    Greet(String),
}

/// Whether the call is answered with a task.
pub(super) fn becomes_a_task(call: &Call) -> bool {
    let declared = call.cx.client_capabilities().is_some_and(|capabilities| capabilities.supports_tasks());
    call.is_modern() && declared && task_support(&call.name).is_some()
}

/// Everything before the task: its arguments, and what is asked before there is one.
pub(super) async fn prepare(call: &Call) -> Result<Work, Stop> {
    Ok(match call.name.as_str() {
        "slow_compute" => Work::Compute {
            seconds: call.number("seconds").unwrap_or_default(),
            label: call.text("label").unwrap_or("work").to_owned(),
        },
        "failing_job" => Work::Fail,
        "protocol_error_job" => Work::Break,
        "confirm_delete" => {
            let message = format!("Really delete {}?", call.text("filename").unwrap_or("it"));
            Work::Ask(vec![Question::elicit_flag("confirmation", &message, "confirm")?])
        }
        "multi_input" => Work::Ask(vec![
            Question::elicit_text("first_name", "First name?", "name")?,
            Question::elicit_text("last_name", "Last name?", "name")?,
        ]),
        _ => {
            let question = Question::elicit_text("user_name", "What is your name?", "name")?;
            let answers = call.ask(&[question], Memory::State).await?;
            Work::Greet(answers[0]["content"]["name"].as_str().unwrap_or("nobody").to_owned())
        }
    })
}

/// Answers with a task, which does the work.
pub(super) fn start(call: &Call, work: Work, entry: Entry) -> CallToolResponse {
    let options = TaskOptions::new().with_poll_interval_ms(100);
    let task = call.shared.tasks.spawn(options, |context| {
        Box::pin(async move {
            let done = tokio::select! {
                done = do_as_task(&work, &context) => done,
                () = context.cancelled() => Err(TaskExit::Cancelled),
            };
            entry.close(match &done {
                Ok(_) => End::Finished,
                Err(TaskExit::Cancelled) => End::Cancelled,
                Err(TaskExit::Error(_)) => End::Refused,
            });
            done
        })
    });
    CreateTaskResult::new(task).into()
}

async fn do_as_task(work: &Work, context: &TaskContext) -> Result<CallToolResult, TaskExit> {
    let Work::Ask(questions) = work else { return Ok(do_alone(work).await?) };
    let asked =
        questions.iter().map(|question| context.request_input(question.key, question.request.clone()));
    Ok(answered(&futures::future::try_join_all(asked).await?))
}

/// Does the work within the call.
pub(super) async fn run_at_once(call: &Call) -> Outcome {
    if call.is_modern() && task_support(&call.name) == Some(TaskSupport::Required) {
        let required = ClientCapabilities::builder().enable_tasks().build();
        return Err(ErrorData::missing_required_client_capability(required).into());
    }
    match prepare(call).await? {
        Work::Ask(questions) => {
            sleep(A_WHILE).await;
            Ok(answered(&call.ask(&questions, Memory::State).await?))
        }
        work => Ok(do_alone(&work).await?),
    }
}

async fn do_alone(work: &Work) -> Result<CallToolResult, ErrorData> {
    match work {
        Work::Compute { seconds, label } => {
            sleep(Duration::from_secs(*seconds)).await;
            Ok(text(format!("Computed {label} in {seconds} s")))
        }
        Work::Fail => {
            sleep(Duration::from_secs(1)).await;
            Ok(failure("This job always fails"))
        }
        Work::Break => {
            sleep(A_WHILE).await;
            Err(ErrorData::internal_error("This job always breaks", None))
        }
        Work::Greet(name) => {
            sleep(A_WHILE).await;
            Ok(text(format!("Hello, {name}!")))
        }
        Work::Ask(_) => Err(ErrorData::internal_error("nobody to ask", None)),
    }
}

fn answered(answers: &[Value]) -> CallToolResult {
    text(format!("Answers: {}", Value::from(answers.to_vec())))
}
