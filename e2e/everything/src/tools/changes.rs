//! Tools that change what the server offers, and the one that counts.

use super::{failure, text};
use crate::bus::Change;
use crate::catalog::resources::WATCHED;
use crate::dialogue::Call;
use rmcp::model::CallToolResult;

pub(super) fn run(call: &Call) -> CallToolResult {
    let catalog = &call.shared.catalog;
    let (said, change) = match (call.name.as_str(), call.text("name")) {
        ("test_trigger_tool_change", _) => {
            (format!("{:?} test_dynamic_tool", catalog.toggle_tool("test_dynamic_tool")), Change::Tools)
        }
        ("test_trigger_prompt_change", _) => (
            format!("{:?} test_dynamic_prompt", catalog.toggle_prompt("test_dynamic_prompt")),
            Change::Prompts,
        ),
        ("add_tool", Some(name)) if catalog.add_tool(name) => (format!("Added {name}"), Change::Tools),
        ("add_tool", name) => return failure(format!("There is a tool {name:?}, or no name was given")),
        ("remove_tool", Some(name)) if catalog.remove_tool(name) => {
            (format!("Removed {name}"), Change::Tools)
        }
        ("remove_tool", name) => return failure(format!("No tool {name:?} was added")),
        (_, _) => {
            let uri = call.text("uri").unwrap_or(WATCHED);
            (format!("Touched {uri}"), Change::Resource(uri.to_owned()))
        }
    };
    call.shared.bus.announce(&change);
    text(said)
}

/// What a server that keeps something for each session keeps: which call of its session this is.
pub(super) fn count_in_session(call: &Call) -> CallToolResult {
    text(call.shared.ledger.count_on(call.session_id().as_deref()).to_string())
}

pub(super) fn ledger_echo(call: &Call) -> CallToolResult {
    match call.text("key") {
        Some(key) => text(call.shared.ledger.key(key).to_string()),
        None => failure("key is required"),
    }
}
