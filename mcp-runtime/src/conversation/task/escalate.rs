//! Which calls become tasks of ours: those of legacy tools that lend themselves to it (2025-11-25, server/tools,
//! `execution.taskSupport`), for clients that can follow a task.

use super::Tasks;
use crate::{
    catalog::merge::Target,
    conversation::{Client, Visit},
    exchange::Ask,
};
use mcpfleet_protocol::{
    Era,
    jsonrpc::Id,
    server::Refusal,
    task::{EXTENSION, TaskSupport, required_capabilities},
};
use std::{sync::Arc, time::Duration};

/// How long a call may take before it becomes a task: what is done by then, or asks for input, needs none.
pub(in crate::conversation) const HESITATION: Duration = Duration::from_millis(100);

/// A call that becomes a task when it takes long.
#[derive(Clone, Debug)]
pub(in crate::conversation) struct Escalation {
    /// Where the task will be.
    pub(in crate::conversation) tasks: Arc<Tasks>,
    /// The tool, by the name that clients use.
    pub(in crate::conversation) tool: String,
}

/// Whether a call may become a task.
///
/// # Errors
/// -32021 when it must, and the client has not declared that it can follow one.
pub(in crate::conversation) fn escalation(
    visit: &Visit,
    client: &Client,
    (id, ask): (&Id<'_>, &Ask),
) -> Result<Option<Escalation>, Refusal> {
    let Ask::CallTool { name, .. } = ask else { return Ok(None) };
    if client.era() == Era::Legacy {
        return Ok(None);
    }
    match (support(visit, client, name), client.capabilities.has_extension(EXTENSION)) {
        (TaskSupport::Forbidden, _) | (TaskSupport::Optional, false) => Ok(None),
        (TaskSupport::Required, false) => Err(Refusal::missing_capability(id, &required_capabilities())),
        (TaskSupport::Optional | TaskSupport::Required, true) => {
            Ok(Some(Escalation { tasks: visit.server.tasks.clone(), tool: name.clone() }))
        }
    }
}

/// A modern upstream decides by itself. Whoever may not call a tool is not told more of it by the way that it fails.
fn support(visit: &Visit, client: &Client, tool: &str) -> TaskSupport {
    let Some(entry) = visit.snapshot.tool(tool) else { return TaskSupport::Forbidden };
    let legacy =
        |upstream: &str| visit.server.pool.line(upstream).is_ok_and(|line| line.era() == Era::Legacy);
    match (&entry.target, entry.task_support) {
        (_, TaskSupport::Forbidden) => TaskSupport::Forbidden,
        (Target::Upstream { upstream, .. }, support)
            if legacy(upstream) && client.principal.may_use(&entry.scopes, tool) =>
        {
            support
        }
        _ => TaskSupport::Forbidden,
    }
}
