//! Tools whose calls are tasks, as clients see them that cannot follow tasks. Pure.
//!
//! | declared | a client of the extension sees | any other sees |
//! |---|---|---|
//! | `export`, which says `async` | `export` | `export_start`, and once for all such tools `task_status` and `task_cancel` |
//!
//! There is one `task_status`, not one for each tool: it costs a model's context once, and the task's id says which tool it
//! is about. Giving up is a tool of its own, so that asking for the state is one that changes nothing: clients that ask
//! their user before each call let such pass.

use super::{
    Entry,
    lists::View,
    merge::{Merged, Target, Withheld},
};
use crate::{
    conversation::MAX_WAIT,
    identity::{Principal, Right},
};
use mcpfleet_config::{RuntimeConfig, TASK_CANCEL, TASK_STATUS, task_start, tool_name};
use mcpfleet_protocol::{Tool, json::JsonText};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// What a call of such a tool does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskTool {
    /// It starts a task.
    Start {
        /// Of which tool.
        tool: String,
        /// How long the task is kept.
        ttl: Duration,
    },
    /// It asks for the state of one.
    Status,
    /// It gives one up.
    Cancel,
}

/// The tools that take the place of others.
#[derive(Debug, Default)]
pub struct TaskTools {
    /// By the name of the tool that each starts.
    starts: BTreeMap<String, (Tool, Duration)>,
    /// By its own name.
    started: BTreeMap<String, String>,
    following: Following,
}

/// Whether there may be tasks to follow. There may be, also while the tool that made them is not here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Following {
    #[default]
    Nothing,
    Tasks,
}

impl Following {
    fn of(config: &RuntimeConfig) -> Self {
        let own = config.tools.iter().any(|tool| tool.asynchronous.is_some());
        let mut overrides = config.upstreams.iter().flat_map(|upstream| upstream.tools.overrides.values());
        if own || overrides.any(|wanted| wanted.asynchronous.is_some()) { Self::Tasks } else { Self::Nothing }
    }
}

/// How long tasks of a tool are kept; `None` for one whose calls are none.
pub(super) fn ttl(config: &RuntimeConfig, target: &Target) -> Option<Duration> {
    let calls = match target {
        Target::Own(own) => own.config.asynchronous,
        Target::Upstream { upstream, key } => {
            let declared = config.upstreams.iter().find(|known| known.name == *upstream);
            declared.and_then(|known| known.tools.asynchronous(key))
        }
        Target::OwnOffer | Target::Missing { .. } | Target::Helper(_) => None,
    };
    calls.map(|calls| Duration::from_millis(calls.ttl_ms))
}

/// Makes room for them: what users declare goes before what an upstream happens to offer.
pub(super) fn make_room(merged: &mut BTreeMap<String, Merged>, config: &RuntimeConfig) -> Vec<Withheld> {
    let asynchronous = merged.iter().filter(|(_, tool)| ttl(config, &tool.target).is_some());
    let mut needed: BTreeSet<String> = asynchronous.map(|(name, _)| task_start(name)).collect();
    if !needed.is_empty() {
        needed.extend([TASK_STATUS, TASK_CANCEL].map(ToOwned::to_owned));
    }
    let mut withheld = Vec::new();
    for name in needed {
        if let Some(Merged { target: Target::Upstream { upstream, .. }, .. }) = merged.get(&name) {
            let reason =
                "clients that cannot follow tasks need this name; give the upstream a prefix".to_owned();
            withheld.push(Withheld { upstream: upstream.clone(), tool: name.clone(), reason });
            merged.remove(&name);
        }
    }
    withheld
}

impl TaskTools {
    /// For these tools. One that cannot have its names stays as it is for everybody.
    pub(super) fn new(tools: &[(Tool, Arc<Entry>)], config: &RuntimeConfig) -> Self {
        let taken: BTreeSet<&str> = tools.iter().map(|(tool, _)| tool.name.as_str()).collect();
        if [TASK_STATUS, TASK_CANCEL].iter().any(|name| taken.contains(name)) {
            return Self::default();
        }
        let asynchronous = tools.iter().filter_map(|(tool, entry)| Some((tool, entry.async_ttl?)));
        let usable = asynchronous.filter(|(tool, _)| {
            let start = task_start(&tool.name);
            !taken.contains(start.as_str()) && tool_name::refusal(&start).is_none()
        });
        let starts: BTreeMap<_, _> =
            usable.map(|(tool, ttl)| (tool.name.clone(), (start(tool, ttl), ttl))).collect();
        let started = starts.keys().map(|name| (task_start(name), name.clone())).collect();
        Self { starts, started, following: Following::of(config) }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty() && self.following == Following::Nothing
    }

    /// What a call of `name` does.
    pub fn find(&self, name: &str) -> Option<TaskTool> {
        match name {
            _ if self.following == Following::Nothing => None,
            TASK_STATUS => Some(TaskTool::Status),
            TASK_CANCEL => Some(TaskTool::Cancel),
            name => {
                let tool = self.started.get(name)?;
                Some(TaskTool::Start { tool: tool.clone(), ttl: self.starts.get(tool)?.1 })
            }
        }
    }

    /// The tool that `name` starts.
    pub fn started_by(&self, name: &str) -> Option<&str> {
        self.started.get(name).map(String::as_str)
    }

    /// What stands in the list in the place of `tool`.
    pub fn in_place_of(&self, tool: &str) -> Option<&Tool> {
        self.starts.get(tool).map(|(start, _)| start)
    }

    /// What a client sees of `tool`.
    pub fn shown<'a>(&'a self, tool: &'a Tool, view: View) -> &'a Tool {
        match view {
            View::Tasks => tool,
            View::TaskTools => self.in_place_of(&tool.name).unwrap_or(tool),
        }
    }

    /// Whether a caller has reason to know of those that follow tasks. Where nothing can be started just now he may have
    /// started something before.
    pub fn concern(&self, caller: &Principal, tools: &[(Tool, Arc<Entry>)]) -> bool {
        let mut startable = tools.iter().filter(|(tool, _)| self.starts.contains_key(&tool.name));
        self.starts.is_empty()
            || startable.any(|(tool, entry)| caller.right(&entry.scopes, &tool.name) != Right::None)
    }
}

/// `NAME_start`: what the tool is, and how it goes on.
fn start(tool: &Tool, ttl: Duration) -> Tool {
    let mut start = Tool { name: task_start(&tool.name), ..tool.clone() };
    start.other.retain(|(member, _)| member != "execution");
    start.title = tool.title.as_ref().map(|title| format!("Start: {title}"));
    let added = format!(
        "Starts it and returns a taskId at once, for it may take long. {TASK_STATUS} waits for its result, which is kept \
         for {} s; {TASK_CANCEL} gives it up.",
        ttl.as_secs()
    );
    start.description = Some(match &tool.description {
        Some(description) => format!("{}\n{added}", description.trim_end()),
        None => added,
    });
    start.output_schema = Some(JsonText::from(&json!({
        "type": "object",
        "properties": {
            "taskId": {"type": "string"},
            "status": status_schema(),
            "expiresInSeconds": {"type": "integer", "description": "How long task and result are kept."},
        },
        "required": ["taskId", "status", "expiresInSeconds"],
    })));
    start
}

fn status_schema() -> Value {
    json!({"type": "string", "enum": ["working", "input_required", "completed", "failed", "cancelled"]})
}

fn task_id() -> Value {
    json!({"type": "string", "minLength": 1, "description": "As the tool that started the task returned it."})
}

/// `task_status` and `task_cancel`.
pub(super) fn followers() -> [Tool; 2] {
    let wait = json!({
        "type": "integer", "minimum": 0, "maximum": MAX_WAIT,
        "description": format!("How long to wait for the task to end, in seconds: at most {MAX_WAIT}, 10 without it."),
    });
    let status = follower(
        (TASK_STATUS, "State of a task"),
        "Returns the state of a task that a tool ending in _start began, and its result once it is done. Call it again \
         while the status is working.",
        &json!({"taskId": task_id(), "wait": wait}),
        &json!({"readOnlyHint": true, "idempotentHint": true, "openWorldHint": false}),
    );
    let cancel = follower(
        (TASK_CANCEL, "Give a task up"),
        "Gives up a task that a tool ending in _start began. What it has done by then stays done.",
        &json!({"taskId": task_id()}),
        &json!({"readOnlyHint": false, "destructiveHint": true, "idempotentHint": true, "openWorldHint": false}),
    );
    [status, cancel]
}

fn follower((name, title): (&str, &str), description: &str, properties: &Value, hints: &Value) -> Tool {
    let input = json!({
        "type": "object", "properties": properties, "required": ["taskId"], "additionalProperties": false,
    });
    let mut tool = Tool::new(name, JsonText::from(&input));
    tool.title = Some(title.to_owned());
    tool.description = Some(description.to_owned());
    tool.annotations = Some(JsonText::from(hints));
    tool.output_schema = Some(JsonText::from(&json!({
        "type": "object",
        "properties": {
            "taskId": {"type": "string"},
            "status": status_schema(),
            "statusMessage": {"type": "string", "description": "How far it is, or why it failed."},
            "result": {"description": "The structured result of the tool, once it is done, if it has one."},
            "error": {"type": "object", "description": "The error of a task that has failed."},
        },
        "required": ["taskId", "status"],
    })));
    tool
}

#[cfg(test)]
mod tests;
