//! The tools by which clients that know no tasks start a call and follow it: those of the legacy revisions, and modern ones
//! that do not declare the extension ([`crate::catalog::task_tools`]).

use super::{
    answer::{reached, unreachable},
    escalate::{Escalation, at_once},
};
use crate::{
    catalog::{lists::View, task_tools::TaskTool},
    conversation::{Answered, Client, Visit},
    exchange::Ask,
    identity::Principal,
};
use mcpfleet_config::{TASK_CANCEL, TASK_STATUS};
use mcpfleet_protocol::{
    ErrorCode, Method, Revision,
    answer::{CachePolicy, CallResult, Forward, Implementation, forward_result},
    json::JsonText,
    jsonrpc::Id,
};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue, value::to_raw_value};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How long a request for the state waits for the end when the client does not say, in s.
const WAIT: u64 = 10;
/// The longest that it may, in s: clients give up a request after a minute.
pub(crate) const MAX_WAIT: u64 = 30;
/// How often a task of another replica is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// The answer to the tool that starts a task.
#[derive(Clone, Debug)]
pub(super) struct Started {
    revision: Revision,
    server: Implementation,
}

/// What follows a task.
#[derive(Clone, Debug)]
pub(in crate::conversation) struct Following {
    tool: TaskTool,
    arguments: Result<Arguments, String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Arguments {
    task_id: String,
    /// For [`TASK_STATUS`] only.
    wait: Option<u64>,
}

/// What a call of one of these tools is.
pub(in crate::conversation) enum Called {
    /// The start of another.
    Start(Ask, Option<Escalation>),
    /// Follows one.
    Follow(Following),
}

/// The list that a client is shown.
pub(in crate::conversation) fn view(client: &Client) -> View {
    View::of(&client.capabilities)
}

/// A call of one of these tools; `None` for any other.
pub(in crate::conversation) fn called(visit: &Visit, client: &Client, ask: &Ask) -> Option<Called> {
    let Ask::CallTool { name, arguments } = ask else { return None };
    let found = visit.snapshot.task_tool(name, &client.principal)?;
    let TaskTool::Start { tool, ttl } = &found else {
        return Some(Called::Follow(Following { arguments: read(&found, arguments), tool: found }));
    };
    let ask = Ask::CallTool { name: tool.clone(), arguments: arguments.clone() };
    let started = Started { revision: client.revision, server: visit.snapshot.implementation.clone() };
    let escalation = at_once(visit, client, &ask, (tool, *ttl));
    Some(Called::Start(ask, escalation.map(|it| it.followed_by_tools(started))))
}

fn read(tool: &TaskTool, arguments: &RawValue) -> Result<Arguments, String> {
    let read: Arguments = serde_json::from_str(arguments.get()).map_err(|error| error.to_string())?;
    match read.wait {
        Some(_) if *tool == TaskTool::Cancel => Err("it has no wait".to_owned()),
        Some(wait) if wait > MAX_WAIT => Err(format!("wait is {wait}; at most {MAX_WAIT} s can be waited")),
        _ => Ok(read),
    }
}

/// The task that a call follows, as the client named it.
pub(in crate::conversation) fn followed(visit: &Visit, caller: &Principal, ask: &Ask) -> Option<String> {
    let Ask::CallTool { name, arguments } = ask else { return None };
    let tool = visit.snapshot.task_tool(name, caller)?;
    match tool {
        TaskTool::Start { .. } => None,
        TaskTool::Status | TaskTool::Cancel => read(&tool, arguments).ok().map(|read| read.task_id),
    }
}

impl Started {
    pub(super) fn answer(&self, id: &Id<'_>, created: &JsonText) -> Answered {
        let created: Value = serde_json::from_str(created.as_str()).unwrap_or_default();
        let task = created["taskId"].as_str().unwrap_or_default();
        let structured = json!({
            "taskId": task, "status": created["status"], "expiresInSeconds": seconds(&created["ttlMs"]),
        });
        let text = format!(
            "Started, and not done yet. Call {TASK_STATUS} with taskId {task} for its result: it waits up to {WAIT} s (`wait`: up to \
             {MAX_WAIT} s) and says when the task is still working; then call it again. {TASK_CANCEL} gives the task up. \
             The task and its result are kept for {} s.",
            structured["expiresInSeconds"]
        );
        let result = CallResult { structured: Some(JsonText::from(&structured)), ..CallResult::text(text) };
        Answered::success(id, &result.write(self.revision, &self.server))
    }
}

impl Following {
    /// Carries out one call.
    pub(in crate::conversation) async fn run(self, visit: &Visit, client: &Client, id: &Id<'_>) -> Answered {
        let (method, label) = match self.tool {
            TaskTool::Cancel => ("tasks/cancel", TASK_CANCEL),
            TaskTool::Status | TaskTool::Start { .. } => ("tasks/get", TASK_STATUS),
        };
        let timer = visit.snapshot.method_metrics(method).start();
        let answered = match &self.arguments {
            Err(why) => {
                timer.finish_as("invalid_arguments");
                let text = format!(
                    "the arguments of {label:?} do not fit its schema: {why}. Correct them and call it again."
                );
                return said(client, visit, id, &CallResult::failed(text));
            }
            Ok(arguments) => self.follow(visit, client, id, arguments).await,
        };
        timer.finish_as("ok");
        answered
    }

    async fn follow(&self, visit: &Visit, client: &Client, id: &Id<'_>, arguments: &Arguments) -> Answered {
        let key = match reached(visit, client, id, &arguments.task_id) {
            Ok(key) => key,
            // For the model to read; what is missing of scopes is for its client.
            Err(refused) if refused.challenge.is_none() => return said(client, visit, id, &no_such_task()),
            Err(refused) => return *refused,
        };
        let tasks = &visit.server.tasks;
        if matches!(self.tool, TaskTool::Cancel)
            && let Err(why) = tasks.cancel(key).await
        {
            return unreachable(id, &why);
        }
        let wait = match self.tool {
            TaskTool::Cancel => 0,
            _ => arguments.wait.unwrap_or(WAIT),
        };
        match ended(visit, key, (&arguments.task_id, Duration::from_secs(wait))).await {
            Ok(Some(task)) => status(client, visit, id, &task),
            Ok(None) => said(client, visit, id, &no_such_task()),
            Err(why) => unreachable(id, &why),
        }
    }
}

fn no_such_task() -> CallResult {
    CallResult::failed(super::id::NoSuchTask.to_string())
}

/// The task when it has ended, or when the wait is over. Too many who wait do not.
async fn ended(
    visit: &Visit,
    key: [u8; 16],
    (id, longest): (&str, Duration),
) -> Result<Option<Value>, crate::store::StoreError> {
    let tasks = &visit.server.tasks;
    let place = tasks.waiting.try_acquire();
    let until = Instant::now() + if place.is_ok() { longest } else { Duration::ZERO };
    loop {
        let Some(task) = tasks.look(key, id).await? else { return Ok(None) };
        let task: Value = serde_json::from_str(task.as_str()).unwrap_or_default();
        let over = task["status"] != "working" && task["status"] != "input_required";
        if over || Instant::now() >= until {
            return Ok(Some(task));
        }
        match tasks.here(key) {
            Some(record) => record.ended_within(until.duration_since(Instant::now())).await,
            None => sleep_until(until.min(Instant::now() + LOOK)).await,
        }
    }
}

/// What a model reads of a task.
fn status(client: &Client, visit: &Visit, id: &Id<'_>, task: &Value) -> Answered {
    let mut structured = json!({"taskId": task["taskId"], "status": task["status"]});
    if let Some(message) = task["statusMessage"].as_str() {
        structured["statusMessage"] = json!(message);
    }
    let far = task["statusMessage"].as_str().map(|it| format!(" So far: {it}.")).unwrap_or_default();
    let result = &task["result"];
    let (text, failed) = match task["status"].as_str().unwrap_or_default() {
        "completed" => {
            if let Some(value) = result.get("structuredContent") {
                structured["result"] = value.clone();
            }
            ("The task is done. Its result:".to_owned(), result["isError"] == true)
        }
        "failed" => {
            structured["error"] = task["error"].clone();
            (format!("The task has failed: {}", task["error"]["message"].as_str().unwrap_or_default()), true)
        }
        "cancelled" => ("The task was given up; the call may have taken effect in part.".to_owned(), false),
        "input_required" => {
            let text =
                "The task waits for input, which only a client that follows tasks by messages can give.";
            (text.to_owned(), false)
        }
        _ => {
            (format!("The task is still working.{far} Call {TASK_STATUS} again with the same taskId."), false)
        }
    };
    let mut content = vec![json!({"type": "text", "text": text})];
    content.extend(result["content"].as_array().cloned().unwrap_or_default());
    let whole = json!({"content": content, "structuredContent": structured, "isError": failed});
    forwarded(client, visit, id, &whole)
}

/// In the client's own revision.
fn forwarded(client: &Client, visit: &Visit, id: &Id<'_>, result: &Value) -> Answered {
    let server = &visit.snapshot.implementation;
    let forward =
        Forward { method: Method::CallTool, to: client.revision, server, cache: CachePolicy::UNKNOWN };
    let written = to_raw_value(result).ok().and_then(|raw| forward_result(&raw, &forward).ok());
    match written {
        Some(written) => Answered::success(id, &written),
        None => Answered::error(id, ErrorCode::InternalError, "the state of the task cannot be written"),
    }
}

fn said(client: &Client, visit: &Visit, id: &Id<'_>, result: &CallResult) -> Answered {
    Answered::success(id, &result.write(client.revision, &visit.snapshot.implementation))
}

fn seconds(ms: &Value) -> u64 {
    ms.as_u64().unwrap_or_default() / 1_000
}
