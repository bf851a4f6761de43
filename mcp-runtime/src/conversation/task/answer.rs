//! `tasks/get`, `tasks/update` and `tasks/cancel`: answered here, or asked of the upstream whose task it is.

use super::id::{Holder, NoSuchTask, Place, TaskId};
use crate::{
    conversation::{Answered, Client, Visit},
    exchange::Ask,
    identity::Right,
};
use mcpfleet_protocol::{
    ErrorCode,
    answer::empty_result,
    json::Members,
    mrtr::InputResponses,
    server::{Refusal, Request, TaskVerb},
    task::{EXTENSION, required_capabilities},
};
use serde_json::value::RawValue;

/// A request about a task.
#[derive(Clone, Copy)]
pub(in crate::conversation) struct Wanted<'a> {
    pub(in crate::conversation) verb: TaskVerb,
    /// As the client wrote it.
    pub(in crate::conversation) id: &'a str,
}

impl TaskId {
    /// The task that a client names.
    ///
    /// # Errors
    /// [`NoSuchTask`].
    pub(in crate::conversation) fn named(
        visit: &Visit,
        client: &Client,
        id: &str,
    ) -> Result<Self, NoSuchTask> {
        let holder = Holder { server: &visit.server.name, partition: client.principal.fingerprint() };
        Self::open(id, &visit.shared.keys, holder)
    }
}

/// The answer, unless another replica or an upstream has to give it: see [`relayed`].
pub(in crate::conversation) fn answer(
    visit: &Visit,
    client: &Client,
    request: &Request<'_>,
    wanted: Wanted<'_>,
) -> Option<Answered> {
    if !client.capabilities.has_extension(EXTENSION) {
        let refusal = Refusal::missing_capability(&request.id, &required_capabilities());
        return Some(Answered::refusal(&refusal));
    }
    match TaskId::named(visit, client, wanted.id) {
        Err(why) => Some(invalid(request, &why.to_string())),
        Ok(TaskId { tool, place: Place::Replica { key, owner } }) if visit.server.tasks.is_here(&owner) => {
            let refused = refused(visit, client, request, &tool);
            Some(refused.unwrap_or_else(|| act(visit, client, request, (wanted.verb, &key))))
        }
        Ok(_) => None,
    }
}

/// The replica that keeps a task, when that is another than this one.
pub(in crate::conversation) fn owner_elsewhere(visit: &Visit, client: &Client, id: &str) -> Option<String> {
    match TaskId::named(visit, client, id).ok()?.place {
        Place::Replica { owner, .. } if !visit.server.tasks.is_here(&owner) => Some(owner),
        Place::Replica { .. } | Place::Upstream { .. } => None,
    }
}

/// What is asked of the upstream whose task it is.
///
/// # Errors
/// The answer, when the replica that kept the task is gone.
pub(in crate::conversation) fn relayed<'a>(
    visit: &Visit,
    client: &Client,
    request: &Request<'a>,
    wanted: Wanted<'_>,
) -> Result<(Ask, Option<&'a RawValue>), Answered> {
    match TaskId::named(visit, client, wanted.id) {
        Ok(TaskId { tool, place: Place::Upstream { upstream, id } }) => {
            Ok((Ask::Task { verb: wanted.verb, upstream, tool, id }, responses(request)))
        }
        Ok(TaskId { place: Place::Replica { .. }, .. }) => {
            let why = "taskId: the replica that kept this task is gone; the call may have taken effect: look before you \
                       make it again";
            Err(invalid(request, why))
        }
        Err(why) => Err(invalid(request, &why.to_string())),
    }
}

/// What a caller may no longer use, it may no longer follow either.
fn refused(visit: &Visit, client: &Client, request: &Request<'_>, tool: &str) -> Option<Answered> {
    let scopes = visit.snapshot.tool(tool).map(|entry| entry.scopes.clone()).unwrap_or_default();
    match client.principal.right(&scopes, tool) {
        Right::Use => None,
        Right::None => Some(invalid(request, &NoSuchTask.to_string())),
        Right::NeedsScopes => {
            let challenge = visit.snapshot.parts.gate.insufficient_scope(&client.principal, &scopes);
            let text = challenge.message().to_owned();
            Some(Answered {
                challenge: Some(Box::new(challenge)),
                ..Answered::error(&request.id, ErrorCode::Forbidden, &text)
            })
        }
    }
}

fn act(
    visit: &Visit,
    client: &Client,
    request: &Request<'_>,
    (verb, key): (TaskVerb, &[u8; 16]),
) -> Answered {
    let tasks = &visit.server.tasks;
    let acknowledged = || empty_result(client.revision, &visit.snapshot.implementation);
    let done = match verb {
        TaskVerb::Get => tasks.get(key),
        TaskVerb::Cancel => tasks.cancel(key).map(|()| acknowledged()),
        TaskVerb::Update => match responses(request).map(InputResponses::read).transpose() {
            Ok(responses) => tasks.update(key, &responses.unwrap_or_default()).map(|()| acknowledged()),
            Err(why) => return invalid(request, &why.to_string()),
        },
    };
    match done {
        Some(result) => Answered::success(&request.id, &result),
        None => invalid(request, &NoSuchTask.to_string()),
    }
}

fn responses<'a>(request: &Request<'a>) -> Option<&'a RawValue> {
    Members::read(request.params?)?.get_some("inputResponses")
}

fn invalid(request: &Request<'_>, why: &str) -> Answered {
    Answered::error(&request.id, ErrorCode::InvalidParams, why)
}
