//! `tasks/get`, `tasks/update` and `tasks/cancel`: answered here, or asked of the upstream whose task it is.

use super::{
    id::{Holder, NoSuchTask, Place, TaskId},
    wanted::RETRY_STORE,
};
use crate::{
    conversation::{Answered, Client, Visit},
    exchange::Ask,
    identity::{Principal, Right},
    store::StoreError,
};
use mcpfleet_protocol::{
    ErrorCode,
    answer::empty_result,
    json::{JsonText, Members},
    jsonrpc::Id,
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

/// Where a request about a task is carried out.
pub(in crate::conversation) enum Way {
    /// Here, for whatever replica: see [`act`].
    Kept,
    /// At the upstream whose task it is.
    Relayed(Ask),
}

/// The replica of a task of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskPlace {
    /// This one.
    Here,
    /// The one that others reach at this `ip:port`.
    At(String),
}

impl TaskId {
    /// The task that a client names.
    ///
    /// # Errors
    /// [`NoSuchTask`].
    pub(in crate::conversation) fn named(
        visit: &Visit,
        caller: &Principal,
        id: &str,
    ) -> Result<Self, NoSuchTask> {
        let holder = Holder { server: &visit.server.name, partition: caller.fingerprint() };
        Self::open(id, &visit.shared.keys, holder)
    }
}

/// The answer, unless another replica or an upstream has to give it: see [`way`].
pub(in crate::conversation) async fn answer(
    visit: &Visit,
    client: &Client,
    request: &Request<'_>,
    wanted: Wanted<'_>,
) -> Option<Answered> {
    if !client.capabilities.has_extension(EXTENSION) {
        let refusal = Refusal::missing_capability(&request.id, &required_capabilities());
        return Some(Answered::refusal(&refusal));
    }
    match TaskId::named(visit, &client.principal, wanted.id) {
        Err(why) => Some(invalid(&request.id, &why.to_string())),
        Ok(TaskId { place: Place::Replica { owner, .. }, .. }) if visit.server.tasks.is_here(&owner) => {
            let responses = responses(request).map(ToOwned::to_owned);
            Some(act(visit, client, &request.id, (wanted, responses.as_deref())).await)
        }
        Ok(_) => None,
    }
}

/// The replica that works on a task, or did, when that is another than this one.
pub(in crate::conversation) fn owner_elsewhere(
    visit: &Visit,
    caller: &Principal,
    id: &str,
) -> Option<String> {
    match place(visit, caller, id)? {
        TaskPlace::At(owner) => Some(owner),
        TaskPlace::Here => None,
    }
}

/// The replica that works on a task, or did; `None` when it is none of ours, or none of this caller's.
pub(in crate::conversation) fn place(visit: &Visit, caller: &Principal, id: &str) -> Option<TaskPlace> {
    match TaskId::named(visit, caller, id).ok()?.place {
        Place::Replica { owner, .. } if visit.server.tasks.is_here(&owner) => Some(TaskPlace::Here),
        Place::Replica { owner, .. } => Some(TaskPlace::At(owner)),
        Place::Upstream { .. } => None,
    }
}

/// What becomes of a request that nobody else has answered.
pub(in crate::conversation) fn way(visit: &Visit, client: &Client, wanted: Wanted<'_>) -> Way {
    match TaskId::named(visit, &client.principal, wanted.id) {
        Ok(TaskId { tool, place: Place::Upstream { upstream, id } }) => {
            Way::Relayed(Ask::Task { verb: wanted.verb, upstream, tool, id })
        }
        _ => Way::Kept,
    }
}

/// Answers for a task of ours: one of this replica, or one that replicas share.
pub(in crate::conversation) async fn act(
    visit: &Visit,
    client: &Client,
    id: &Id<'_>,
    (wanted, responses): (Wanted<'_>, Option<&RawValue>),
) -> Answered {
    let key = match reached(visit, client, id, wanted.id) {
        Ok(key) => key,
        Err(refused) => return *refused,
    };
    let tasks = &visit.server.tasks;
    let acknowledged = |done: Result<Option<()>, StoreError>| {
        done.map(|it| it.map(|()| empty_result(client.revision, &visit.snapshot.implementation)))
    };
    let done: Result<Option<JsonText>, StoreError> = match wanted.verb {
        TaskVerb::Get => tasks.look(key, wanted.id).await,
        TaskVerb::Cancel => acknowledged(tasks.cancel(key).await),
        TaskVerb::Update => match responses.map(InputResponses::read).transpose() {
            Ok(responses) => acknowledged(tasks.update(key, &responses.unwrap_or_default()).await),
            Err(why) => return invalid(id, &why.to_string()),
        },
    };
    match done {
        Ok(Some(result)) => Answered::success(id, &result),
        Ok(None) => invalid(id, &NoSuchTask.to_string()),
        Err(why) => unreachable(id, &why),
    }
}

/// The key of a task of ours that the caller may follow.
///
/// # Errors
/// The answer: none of this caller's, or one that it may follow no longer.
pub(super) fn reached(
    visit: &Visit,
    client: &Client,
    id: &Id<'_>,
    named: &str,
) -> Result<[u8; 16], Box<Answered>> {
    match TaskId::named(visit, &client.principal, named) {
        Ok(TaskId { tool, place: Place::Replica { key, .. } }) => match refused(visit, client, id, &tool) {
            None => Ok(key),
            Some(answered) => Err(Box::new(answered)),
        },
        _ => Err(Box::new(invalid(id, &NoSuchTask.to_string()))),
    }
}

/// What a caller may no longer use, it may no longer follow either.
fn refused(visit: &Visit, client: &Client, id: &Id<'_>, tool: &str) -> Option<Answered> {
    let scopes = visit.snapshot.tool(tool).map(|entry| entry.scopes.clone()).unwrap_or_default();
    match client.principal.right(&scopes, tool) {
        Right::Use => None,
        Right::None => Some(invalid(id, &NoSuchTask.to_string())),
        Right::NeedsScopes => {
            let challenge = visit.snapshot.parts.gate.insufficient_scope(&client.principal, &scopes);
            let text = challenge.message().to_owned();
            Some(Answered {
                challenge: Some(Box::new(challenge)),
                ..Answered::error(id, ErrorCode::Forbidden, &text)
            })
        }
    }
}

/// What the client brings to an update.
pub(in crate::conversation) fn responses<'a>(request: &Request<'a>) -> Option<&'a RawValue> {
    Members::read(request.params?)?.get_some("inputResponses")
}

/// It may be there, and cannot be seen just now.
pub(super) fn unreachable(id: &Id<'_>, why: &StoreError) -> Answered {
    let text =
        format!("the task cannot be reached just now: {why}; it is not lost by that, ask again in a moment");
    Answered::busy(id, &text, RETRY_STORE)
}

fn invalid(id: &Id<'_>, why: &str) -> Answered {
    Answered::error(id, ErrorCode::InvalidParams, why)
}
