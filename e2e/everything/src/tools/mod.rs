//! The bodies of the tools, and how a call becomes an answer.

mod changes;
pub(crate) mod content;
mod interactive;
mod rounds;
mod tasks;
mod timing;

use crate::dialogue::{Call, Stop};
use crate::ledger::{End, Start};
use rmcp::ErrorData;
use rmcp::model::{CallToolResponse, CallToolResult, ContentBlock};

/// What a body comes to.
pub(crate) type Outcome = Result<CallToolResult, Stop>;

/// Calls a tool, and keeps the books.
///
/// # Errors
/// Invalid params for an unknown tool (`server/tools`, *Error Handling*), and what the tool refuses.
pub(crate) async fn call(call: Call, start: Start) -> Result<CallToolResponse, ErrorData> {
    if call.shared.catalog.tool(&call.name).is_none() {
        return Err(ErrorData::invalid_params(format!("unknown tool {:?}", call.name), None));
    }
    let entry = call.shared.ledger.call(&call.name, call.session_id().as_deref(), start);
    let outcome = if tasks::becomes_a_task(&call) {
        match tasks::prepare(&call).await {
            Ok(work) => return Ok(tasks::start(&call, work, entry)),
            Err(stop) => Err(stop),
        }
    } else {
        tokio::select! {
            outcome = run(&call) => outcome,
            () = call.cx.ct.cancelled() => Err(Stop::Cancelled),
        }
    };
    let (response, end) = match outcome {
        Ok(result) => (Ok(result.into()), End::Finished),
        Err(Stop::Asks(asks)) => (Ok(asks.into()), End::Asked),
        Err(Stop::Failed(message)) => (Ok(failure(message).into()), End::Finished),
        Err(Stop::Refused(error)) => (Err(error), End::Refused),
        Err(Stop::Cancelled) => (Err(ErrorData::internal_error("cancelled", None)), End::Cancelled),
    };
    entry.close(end);
    response
}

async fn run(call: &Call) -> Outcome {
    match call.name.as_str() {
        "test_tool_with_logging" => timing::logging(call).await,
        "test_tool_with_progress" => timing::progress(call).await,
        "test_reconnection" => timing::reconnection().await,
        "test_logging_tool" => timing::log_once(call).await,
        "slow" => timing::slow(call).await,
        "stream" => timing::stream(call).await,
        "slow_compute"
        | "failing_job"
        | "protocol_error_job"
        | "confirm_delete"
        | "multi_input"
        | "test_tool_with_task" => tasks::run_at_once(call).await,
        "ask_twice" => rounds::ask_twice(call).await,
        name if name.starts_with("test_input_required_result_") => rounds::input_required(call).await,
        "test_sampling"
        | "test_elicitation"
        | "test_elicitation_sep1034_defaults"
        | "test_elicitation_sep1330_enums"
        | "test_missing_capability"
        | "test_streaming_elicitation" => interactive::run(call).await,
        "test_trigger_tool_change"
        | "test_trigger_prompt_change"
        | "add_tool"
        | "remove_tool"
        | "touch_resource" => Ok(changes::run(call)),
        "count_in_session" => Ok(changes::count_in_session(call)),
        "ledger_echo" => Ok(changes::ledger_echo(call)),
        _ => content::run(call),
    }
}

/// A result of one text.
fn text(text: impl Into<String>) -> CallToolResult {
    CallToolResult::success(vec![ContentBlock::text(text)])
}

/// A result that says that the tool failed.
fn failure(message: impl Into<String>) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(message)])
}
