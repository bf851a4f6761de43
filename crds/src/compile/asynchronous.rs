//! Tools whose calls are tasks.

use super::report::{Reason, Scope};
use crate::v1alpha1::AsyncCalls;
use mcpfleet_config::{self as config, task_start, tool_name};

/// What `field` says of them.
pub(super) fn compile(
    scope: &mut Scope<'_>,
    field: &str,
    wanted: Option<&AsyncCalls>,
) -> Option<config::AsyncCalls> {
    let field = format!("{field}.ttl");
    let calls = config::AsyncCalls { ttl_ms: scope.millis(&field, &wanted?.ttl) };
    if let Some(flaw) = calls.flaw() {
        scope.error(&field, Reason::InvalidDuration, flaw, "write a duration such as 15m or 1h");
    }
    Some(calls)
}

/// Whether clients that cannot follow tasks can be given a tool to start it by.
pub(super) fn check_name(scope: &mut Scope<'_>, tool: &str) {
    let start = task_start(tool);
    if tool_name::refusal(tool).is_none()
        && let Some(reason) = tool_name::refusal(&start)
    {
        let message =
            format!("clients that cannot follow tasks need a tool {start:?} for it, which {reason}");
        scope.error("spec.name", Reason::InvalidName, message, "give it a shorter spec.name");
    }
}
