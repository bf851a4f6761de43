//! May this caller ask for this? Pure.

use super::{CallError, Named, route::Routed};
use crate::{
    catalog::{Snapshot, merge::Target},
    exchange::Ask,
    identity::{Principal, Right},
};

/// Lets a request pass whose caller may make it.
///
/// # Errors
/// [`CallError::Unknown`] for a tool that is out of the caller's reach for good, so that it cannot be told from one that
/// is not there; [`CallError::NotAllowed`] when more scopes would help.
pub fn authorize(
    snapshot: &Snapshot,
    caller: &Principal,
    asked: &Ask,
    routed: &Routed,
) -> Result<(), CallError> {
    let right = match asked {
        // Anybody may search: what is found, and called through it, is judged by itself.
        _ if matches!(routed.target, Target::Helper(_)) => Right::Use,
        // Whoever may not make the call may not follow its task either.
        Ask::CallTool { name, .. } | Ask::Task { tool: name, .. } => caller.right(&routed.scopes, name),
        _ if caller.has_scopes(&routed.scopes) => Right::Use,
        _ => Right::NeedsScopes,
    };
    match (right, asked) {
        (Right::Use, _) => Ok(()),
        (Right::None, Ask::CallTool { name, .. } | Ask::Task { tool: name, .. }) => {
            Err(CallError::Unknown { kind: Named::Tool, name: name.clone() })
        }
        (Right::None | Right::NeedsScopes, _) => {
            let challenge = snapshot.parts.gate.insufficient_scope(caller, &routed.scopes);
            Err(CallError::NotAllowed { challenge: Box::new(challenge) })
        }
    }
}
