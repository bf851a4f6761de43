//! From a request of the wire to work, and from what the work gave to the message that answers it.

use super::{
    Answered, Client, Delivery, Exchange, Suspended, Visit,
    exchange::{Going, Origin},
    input::{Digest, Sealed, Unusable},
    job::Job,
    look,
    task::{self, Called, Escalation, Moment, Wanted, Way, escalation},
};
use crate::{
    exchange::{Ask, Caller, Interest, Profile, Request, Resumption},
    identity::Principal,
    search::unwrapped,
};
use mcpfleet_protocol::{
    ErrorCode, Revision,
    jsonrpc::Id,
    mrtr::InputResponses,
    server::{self, Complete, Meta, Operation, Reference},
};
use serde_json::{
    json,
    value::{RawValue, to_raw_value},
};
use std::{
    borrow::Cow,
    sync::{Arc, LazyLock},
};

/// Absent arguments mean the same as none.
static NO_ARGUMENTS: LazyLock<Box<RawValue>> =
    LazyLock::new(|| RawValue::from_string("{}".into()).unwrap_or_else(|_| RawValue::NULL.to_owned()));

/// Begins a request that is carried out rather than looked up.
///
/// # Errors
/// The answer to one that cannot be: a retry whose state cannot be used, a task that is gone, a capability that is
/// missing. `None` when the operation is not of that kind.
pub fn begin(
    visit: &Visit,
    client: &Arc<Client>,
    request: &server::Request<'_>,
    delivery: Delivery,
) -> Option<Result<Exchange, Answered>> {
    let begun = match &request.operation {
        Operation::Task { verb, id } => {
            let wanted = Wanted { verb: *verb, id };
            match task::way(visit, client, wanted) {
                Way::Kept => Ok(look::kept(visit, client, request, (wanted, delivery))),
                Way::Relayed(ask) => {
                    let retry = Retry { responses: task::responses(request), state: None };
                    carry_out(visit, client, request, (ask, retry, delivery), None)
                }
            }
        }
        operation => {
            let (ask, retry) = asked(visit, &client.principal, operation)?;
            match task::called(visit, client, &ask) {
                Some(Called::Follow(following)) => {
                    Ok(look::follow(visit, client, request, following, (&ask, delivery)))
                }
                Some(Called::Start(ask, escalation)) => {
                    carry_out(visit, client, request, (ask, retry, delivery), escalation)
                }
                None => escalation(visit, client, (&request.id, &ask))
                    .map_err(|refusal| Answered::refusal(&refusal))
                    .and_then(|it| carry_out(visit, client, request, (ask, retry, delivery), it)),
            }
        }
    };
    Some(begun)
}

/// Where a request comes from.
pub(super) fn origin(
    visit: &Visit,
    client: &Arc<Client>,
    request: &server::Request<'_>,
    (ask, delivery): (&Ask, Delivery),
) -> Origin {
    Origin {
        id: request.id.clone().into_owned(),
        token: request.meta.progress_token.clone().map(Id::into_owned),
        client: client.clone(),
        delivery,
        suspended: visit.server.suspended.clone(),
        digest: Digest::of(&visit.server.name, ask),
    }
}

fn carry_out(
    visit: &Visit,
    client: &Arc<Client>,
    request: &server::Request<'_>,
    (ask, retry, delivery): (Ask, Retry<'_>, Delivery),
    escalation: Option<Escalation>,
) -> Result<Exchange, Answered> {
    let origin = origin(visit, client, request, (&ask, delivery));
    let resumption = match resume(&retry, visit, &origin) {
        Ok(Retried::Anew(resumption)) => resumption,
        Ok(Retried::Suspended { key }) => return go_on(visit, &retry, key, origin, escalation),
        Err(why) => return Err(Suspended::refuse(&origin.id, why)),
    };
    let (writes_for, profile) = as_seen(client, &request.meta, escalation.as_ref());
    let job = Job {
        visit: visit.clone(),
        client: writes_for,
        id: origin.id.clone(),
        digest: origin.digest,
        task: match &request.operation {
            Operation::Task { id, .. } => Some(id.to_string()),
            _ => None,
        },
    };
    let work = Request { ask, meta: request.meta.raw.map(ToOwned::to_owned), resumption };
    let (caller, events) = Caller::new(Arc::new(profile));
    let deadline = caller.deadline();
    let going = Going { work: Box::pin(job.run(work, caller)), events, deadline };
    Ok(Exchange::new(going, origin, escalation))
}

/// For whom the answer is written, and what those who carry out a request are told of its client.
///
/// What is a task from its beginning is answered by the task: whatever is asked on the way is asked of that, one question
/// at a time, as of a client with a session; and the result is kept in the newest form, which is translated for whoever
/// reads it. How far it is can be asked of every task.
fn as_seen(client: &Arc<Client>, meta: &Meta<'_>, escalation: Option<&Escalation>) -> (Arc<Client>, Profile) {
    let profile = client.profile(meta);
    match escalation.map(|it| it.moment) {
        None => (client.clone(), profile),
        Some(Moment::Later) => (client.clone(), Profile { progress: Interest::Wanted, ..profile }),
        Some(Moment::AtOnce) => {
            let newest = Client { revision: Revision::LATEST_MODERN, ..Client::clone(client) };
            let revision = Revision::LATEST_LEGACY;
            (Arc::new(newest), Profile { revision, progress: Interest::Wanted, log_level: None, ..profile })
        }
    }
}

/// The work that waited for this retry goes on with what the client has brought.
fn go_on(
    visit: &Visit,
    retry: &Retry<'_>,
    key: [u8; 16],
    origin: Origin,
    escalation: Option<Escalation>,
) -> Result<Exchange, Answered> {
    let responses = match retry.responses.map(InputResponses::read).transpose() {
        Ok(responses) => responses.unwrap_or_default(),
        Err(why) => return Err(Answered::error(&origin.id, ErrorCode::InvalidParams, &why.to_string())),
    };
    let id = origin.id.clone();
    visit
        .server
        .suspended
        .resume(key, &responses, origin, escalation)
        .map_err(|why| Suspended::refuse(&id, why))
}

/// What another replica holds, by the address of that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Elsewhere {
    /// The work of a retry: asked twice, it would be answered twice.
    Work(String),
    /// A task: asking again changes nothing, and when that replica is lost it may be known here what became of it.
    Task(String),
}

/// The replica in which the work of a retry waits, or which keeps a task, when that is another than this one.
pub fn elsewhere(visit: &Visit, client: &Client, request: &server::Request<'_>) -> Option<Elsewhere> {
    if let Operation::Task { id, .. } = &request.operation {
        return task::owner_elsewhere(visit, &client.principal, id).map(Elsewhere::Task);
    }
    // Most requests go on with nothing: their arguments are not copied to find that out.
    if !goes_on(&request.operation) && !may_follow_task(visit, &request.operation) {
        return None;
    }
    let (ask, retry) = asked(visit, &client.principal, &request.operation)?;
    if let Some(id) = task::followed(visit, &client.principal, &ask) {
        return task::owner_elsewhere(visit, &client.principal, &id).map(Elsewhere::Task);
    }
    let (keys, partition) = (&visit.shared.keys, client.principal.fingerprint());
    match Sealed::open(retry.state.as_deref()?, keys, partition, Digest::of(&visit.server.name, &ask)) {
        Ok(Sealed::Suspended { owner, .. }) if !visit.server.suspended.is_here(&owner) => {
            Some(Elsewhere::Work(owner))
        }
        _ => None,
    }
}

/// Where the task is that a call follows by a tool; `None` when that is no replica, or it follows none.
pub fn task_followed(
    visit: &Visit,
    caller: &Principal,
    request: &server::Request<'_>,
) -> Option<task::TaskPlace> {
    if !may_follow_task(visit, &request.operation) {
        return None;
    }
    let (ask, _) = asked(visit, caller, &request.operation)?;
    task::place(visit, caller, &task::followed(visit, caller, &ask)?)
}

/// Whether it is a call, where calls can be of tools that follow tasks.
fn may_follow_task(visit: &Visit, operation: &Operation<'_>) -> bool {
    matches!(operation, Operation::CallTool(_)) && !visit.snapshot.task_tools().is_empty()
}

/// Whether it brings the state of a request before it.
fn goes_on(operation: &Operation<'_>) -> bool {
    match operation {
        Operation::CallTool(call) => call.request_state.is_some(),
        Operation::GetPrompt(get) => get.request_state.is_some(),
        Operation::ReadResource(read) => read.request_state.is_some(),
        _ => false,
    }
}

/// The client's half of a retry.
struct Retry<'a> {
    responses: Option<&'a RawValue>,
    state: Option<String>,
}

enum Retried {
    Anew(Option<Resumption>),
    Suspended { key: [u8; 16] },
}

/// What is asked, and the client's half of a retry.
fn asked<'a>(visit: &Visit, caller: &Principal, operation: &Operation<'a>) -> Option<(Ask, Retry<'a>)> {
    let (ask, retry) = read(operation)?;
    Some((unwrapped(&visit.snapshot, caller, ask), retry))
}

fn read<'a>(operation: &Operation<'a>) -> Option<(Ask, Retry<'a>)> {
    let retry = |responses: Option<&'a RawValue>, state: &Option<Cow<'a, str>>| Retry {
        responses,
        state: state.clone().map(Cow::into_owned),
    };
    match operation {
        Operation::CallTool(call) => {
            let arguments = call.arguments.unwrap_or(&NO_ARGUMENTS).to_owned();
            Some((
                Ask::CallTool { name: call.name.to_string(), arguments },
                retry(call.input_responses, &call.request_state),
            ))
        }
        Operation::GetPrompt(get) => {
            let arguments = get.arguments.map(ToOwned::to_owned);
            Some((
                Ask::GetPrompt { name: get.name.to_string(), arguments },
                retry(get.input_responses, &get.request_state),
            ))
        }
        Operation::ReadResource(read) => Some((
            Ask::ReadResource { uri: read.uri.to_string() },
            retry(read.input_responses, &read.request_state),
        )),
        Operation::Complete(complete) => {
            Some((completion(complete)?, Retry { responses: None, state: None }))
        }
        _ => None,
    }
}

fn completion(complete: &Complete<'_>) -> Option<Ask> {
    let reference = match &complete.reference {
        Reference::Prompt(name) => json!({"type": "ref/prompt", "name": name}),
        Reference::Resource(uri) => json!({"type": "ref/resource", "uri": uri}),
    };
    let argument = json!({"name": complete.argument, "value": complete.value});
    Some(Ask::Complete {
        reference: to_raw_value(&reference).ok()?,
        argument: to_raw_value(&argument).ok()?,
        context: complete.context.map(ToOwned::to_owned),
    })
}

fn resume(retry: &Retry<'_>, visit: &Visit, origin: &Origin) -> Result<Retried, Unusable> {
    let responses = retry.responses.map(ToOwned::to_owned);
    let Some(state) = &retry.state else {
        return Ok(Retried::Anew(responses.map(|given| Resumption { responses: Some(given), state: None })));
    };
    let partition = origin.client.principal.fingerprint();
    match Sealed::open(state, &visit.shared.keys, partition, origin.digest)? {
        Sealed::Upstream { state } => Ok(Retried::Anew(Some(Resumption { responses, state }))),
        Sealed::Suspended { key, owner } if visit.server.suspended.is_here(&owner) => {
            Ok(Retried::Suspended { key })
        }
        // Whoever could have reached it has sent the request there.
        Sealed::Suspended { .. } => Err(Unusable::OwnerGone),
    }
}
