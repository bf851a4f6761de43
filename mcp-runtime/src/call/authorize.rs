//! May this caller call this tool? Pure.

use super::CallError;
use crate::{
    catalog::{Entry, Snapshot},
    identity::{Principal, Right},
};
use std::sync::Arc;

/// The tool, when the caller may use it.
///
/// # Errors
/// [`CallError::UnknownTool`] for one that is not there and for one that is out of the caller's reach for good, so that
/// neither can be told from the other; [`CallError::NotAllowed`] when more scopes would help.
pub fn authorize<'a>(
    snapshot: &'a Snapshot,
    caller: &Principal,
    tool: &str,
) -> Result<&'a Arc<Entry>, CallError> {
    let unknown = || CallError::UnknownTool { tool: tool.to_owned() };
    let entry = snapshot.tool(tool).ok_or_else(unknown)?;
    match caller.right(&entry.scopes, tool) {
        Right::Use => Ok(entry),
        Right::None => Err(unknown()),
        Right::NeedsScopes => {
            let challenge = snapshot.parts.gate.insufficient_scope(caller, &entry.scopes);
            Err(CallError::NotAllowed { challenge: Box::new(challenge) })
        }
    }
}
