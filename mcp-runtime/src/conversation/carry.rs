//! From a request of the wire to work, and from what the work gave to the message that answers it.

use super::{
    Answered, Client, Delivery, Exchange, Suspended, Visit,
    exchange::{Going, Origin},
    input::{Digest, Sealed, Unusable},
    task::{self, Called, Escalation, Holder, Moment, TaskId, Wanted, Way, called, escalation},
};
use crate::{
    call::{CallError, Outcome, stack},
    exchange::{Ask, Caller, Interest, Profile, Request, Resumption},
    identity::Principal,
    search::unwrapped,
};
use mcpfleet_protocol::{
    Era, ErrorCode, Revision,
    answer::input_required,
    json::{JsonText, Members},
    jsonrpc::Id,
    mrtr::InputResponses,
    server::{self, Complete, Meta, Operation, Reference, Refusal},
    task::with_id,
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
                Way::Kept => Ok(kept(visit, client, request, wanted, delivery)),
                Way::Relayed(ask) => {
                    let retry = Retry { responses: task::responses(request), state: None };
                    carry_out(visit, client, request, (ask, retry, delivery), None)
                }
            }
        }
        operation => {
            let (ask, retry) = asked(visit, &client.principal, operation)?;
            match called(visit, client, &ask) {
                Some(Called::Follow(following)) => {
                    Ok(follow(visit, client, request, following, (&ask, delivery)))
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

/// A request about a task of ours.
fn kept(
    visit: &Visit,
    client: &Arc<Client>,
    request: &server::Request<'_>,
    wanted: Wanted<'_>,
    delivery: Delivery,
) -> Exchange {
    let responses = task::responses(request).map(ToOwned::to_owned);
    let (verb, task) = (wanted.verb, wanted.id.to_owned());
    let ask = Ask::Task { verb, upstream: String::new(), tool: String::new(), id: task.clone() };
    let (visited, asks, id) = (visit.clone(), client.clone(), request.id.clone().into_owned());
    let work = async move {
        let wanted = Wanted { verb, id: &task };
        task::act(&visited, &asks, &id, (wanted, responses.as_deref())).await
    };
    looking(visit, client, request, work, (&ask, delivery))
}

/// A call of a tool that follows tasks.
fn follow(
    visit: &Visit,
    client: &Arc<Client>,
    request: &server::Request<'_>,
    following: task::Following,
    asked: (&Ask, Delivery),
) -> Exchange {
    let (visited, asks, id) = (visit.clone(), client.clone(), request.id.clone().into_owned());
    let work = async move { following.run(&visited, &asks, &id).await };
    looking(visit, client, request, work, asked)
}

/// An exchange that only looks at what there is: it takes nobody's place.
fn looking(
    visit: &Visit,
    client: &Arc<Client>,
    request: &server::Request<'_>,
    work: impl Future<Output = Answered> + Send + 'static,
    asked: (&Ask, Delivery),
) -> Exchange {
    let (caller, events) = Caller::new(Arc::new(client.profile(&request.meta)));
    let going = Going { work: Box::pin(work), events, deadline: caller.deadline() };
    Exchange::new(going, origin(visit, client, request, asked), None)
}

fn origin(
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

/// The replica in which the work of a retry waits, or which keeps a task, when that is another than this one.
pub fn owner_elsewhere(visit: &Visit, client: &Client, request: &server::Request<'_>) -> Option<String> {
    if let Operation::Task { id, .. } = &request.operation {
        return task::owner_elsewhere(visit, &client.principal, id);
    }
    let (ask, retry) = asked(visit, &client.principal, &request.operation)?;
    if let Some(id) = task::followed(visit, &client.principal, &ask) {
        return task::owner_elsewhere(visit, &client.principal, &id);
    }
    let (keys, partition) = (&visit.shared.keys, client.principal.fingerprint());
    match Sealed::open(retry.state.as_deref()?, keys, partition, Digest::of(&visit.server.name, &ask)) {
        Ok(Sealed::Suspended { owner, .. }) if !visit.server.suspended.is_here(&owner) => Some(owner),
        _ => None,
    }
}

/// Where the task is that a call follows by a tool; `None` when that is no replica, or it follows none.
pub fn task_followed(
    visit: &Visit,
    caller: &Principal,
    request: &server::Request<'_>,
) -> Option<task::TaskPlace> {
    if visit.snapshot.task_tools().is_empty() || !matches!(request.operation, Operation::CallTool(_)) {
        return None;
    }
    let (ask, _) = asked(visit, caller, &request.operation)?;
    task::place(visit, caller, &task::followed(visit, caller, &ask)?)
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

/// Whether nothing came of it but an error.
fn failed(result: &Result<Outcome, CallError>) -> bool {
    match result {
        Ok(Outcome::Forwarded(result)) => {
            Members::read(result).and_then(|it| it.get("isError")).is_some_and(|it| it.get() == "true")
        }
        Ok(Outcome::Made(_) | Outcome::InputRequired { .. } | Outcome::Task(_)) => false,
        Err(error) => matches!(error, CallError::Upstream { .. } | CallError::Unavailable { .. }),
    }
}

/// One request, free of the wire that it came on.
struct Job {
    visit: Visit,
    client: Arc<Client>,
    id: Id<'static>,
    digest: Digest,
    /// The id by which the client knows the task that it asks for.
    task: Option<String>,
}

impl Job {
    async fn run(self, request: Request, caller: Caller) -> Answered {
        let stack::Answered { result, permit } =
            stack::run(&self.visit.server, &self.visit.snapshot, &request, &caller).await;
        let result = match result {
            // Only modern clients know the error; a legacy one reads what the upstream says.
            result if self.client.era() == Era::Modern && failed(&result) && caller.lacking().is_some() => {
                let required = caller.lacking().cloned().unwrap_or_else(JsonText::empty_object);
                Answered::refusal(&Refusal::missing_capability(&self.id, &required))
            }
            Ok(Outcome::InputRequired { requests, state }) => self.input_required(requests.as_deref(), state),
            Ok(Outcome::Task(created)) => self.task(&request.ask, &created),
            Ok(Outcome::Forwarded(result)) => {
                // An acknowledgement names no task.
                let ours = self.task.as_deref().and_then(|id| with_id(&result, id));
                self.answer(&request.ask, Ok(Outcome::Forwarded(ours.unwrap_or(result))))
            }
            result => self.answer(&request.ask, result),
        };
        result.holding(permit)
    }

    fn input_required(&self, requests: Option<&RawValue>, state: Option<String>) -> Answered {
        let sealed = Sealed::Upstream { state };
        let (keys, partition) = (&self.visit.shared.keys, self.client.principal.fingerprint());
        let server = &self.visit.snapshot.implementation;
        match sealed.seal(keys, partition, self.digest) {
            Ok(state) => {
                let requests = requests.map(JsonText::from);
                Answered::success(&self.id, &input_required(requests.as_ref(), Some(&state), server))
            }
            Err(why) => Answered::error(&self.id, ErrorCode::UpstreamFailed, &why.to_string()),
        }
    }

    /// An upstream has made a task of the call: the client gets an id of ours.
    fn task(&self, ask: &Ask, created: &RawValue) -> Answered {
        let Visit { shared, server, snapshot } = &self.visit;
        let holder = Holder { server: &server.name, partition: self.client.principal.fingerprint() };
        let id = TaskId::of_upstream(snapshot, ask, created).map(|task| task.seal(&shared.keys, holder));
        let renamed = id.and_then(Result::ok).and_then(|id| with_id(created, &id));
        let result = renamed.map(Outcome::Forwarded).ok_or_else(|| {
            let message =
                "the server behind it made a task of the call, with an id that cannot be used".into();
            CallError::Unavailable { message }
        });
        self.answer(ask, result)
    }

    fn answer(&self, ask: &Ask, result: Result<Outcome, CallError>) -> Answered {
        super::outcome::Written {
            id: &self.id,
            client: &self.client,
            server: &self.visit.snapshot.implementation,
        }
        .answer(ask, result)
    }
}
