//! The way of one call, as one list. Adding a policy is adding a file and a line here.

use super::{Call, CallError, Outcome, authorize::authorize, validate::validate};
use crate::{
    admission::{Permit, Refused},
    backend,
    catalog::{Entry, Snapshot, merge::Target},
    identity::Principal,
    outgoing::Behalf,
    server::Server,
    upstream::Line,
};
use serde_json::{Map, Value, value::RawValue};
use std::sync::Arc;
use tokio::time::Instant;

/// What came of a call. The permit is to be held until the last byte of the answer is written.
#[derive(Debug)]
pub struct Answered {
    /// The result, or why there is none.
    pub result: Result<Outcome, CallError>,
    /// The place in execution, when the call got one.
    pub permit: Option<Permit>,
}

/// Carries out one tool call. Dropping the future cancels it, wherever it is.
pub async fn run(
    server: &Server,
    snapshot: &Snapshot,
    caller: &Arc<Principal>,
    tool: &str,
    arguments: &RawValue,
) -> Answered {
    // lookup and authorize: which tool, of those that the caller may use, in the catalogue that the request began with
    let entry = match authorize(snapshot, caller, tool) {
        Ok(entry) => entry,
        Err(error) => {
            let result = Err(error);
            snapshot.other().start().finish(&result);
            return Answered { result, permit: None };
        }
    };
    let call = Call { caller, tool, arguments, deadline: Instant::now() + entry.timeout };
    // telemetry: counts and times everything below, also what is cancelled
    let timer = entry.metrics.start();
    let mut permit = None;
    // deadline: over waiting and work, set once
    let work = async {
        // validate: a call that cannot succeed takes nobody's place
        let arguments = checked(&call, entry)?;
        // line: which upstream, as it was when the request began
        let line = line(server, entry)?;
        // admission: waits for a place, or says when to come back
        let permit = permit.insert(admit(server, &call, entry).await?);
        // backend or upstream
        execute((server, snapshot), &call, (entry, line), arguments.as_ref(), permit).await
    };
    let result = match tokio::time::timeout_at(call.deadline, work).await {
        Ok(result) => result,
        Err(_) => Err(timed_out(&call, entry)),
    };
    timer.finish(&result);
    Answered { result, permit }
}

/// Arguments of our own tools are checked here; an upstream checks its own.
fn checked(call: &Call<'_>, entry: &Entry) -> Result<Option<Map<String, Value>>, CallError> {
    match &entry.target {
        Target::Own(own) => validate(call.tool, &own.schema, call.arguments).map(Some),
        Target::Upstream { .. } => Ok(None),
    }
}

async fn admit(server: &Server, call: &Call<'_>, entry: &Entry) -> Result<Permit, CallError> {
    let refused = |refused| match refused {
        Refused::QueueFull { retry_after } => CallError::Busy { reason: "its queue is full", retry_after },
        Refused::WaitedTooLong { retry_after } => {
            CallError::Busy { reason: "the call waited too long in its queue", retry_after }
        }
        Refused::DeadlinePassed => timed_out(call, entry),
    };
    server.admission.admit(Some(call.deadline)).await.map_err(refused)
}

async fn execute(
    (server, snapshot): (&Server, &Snapshot),
    call: &Call<'_>,
    (entry, line): (&Entry, Option<Line>),
    arguments: Option<&Map<String, Value>>,
    permit: &Permit,
) -> Result<Outcome, CallError> {
    match (&entry.target, line) {
        (Target::Upstream { upstream, tool }, Some(line)) => {
            line.call(upstream, tool, call.arguments, Some(call.caller), Some(permit)).await
        }
        (Target::Upstream { upstream, .. }, None) => Err(CallError::Unavailable {
            message: format!("upstream {upstream:?} is not part of this server; list the tools again"),
        }),
        (Target::Own(own), _) => {
            let none = Map::new();
            let credentials = &snapshot.parts.credentials;
            let behalf = Behalf { credentials, signer: &server.signer, caller: Some(call.caller) };
            backend::run(&own.config.backend, arguments.unwrap_or(&none), &behalf, &server.egress).await
        }
    }
}

/// Where a call to an upstream goes; `None` for tools of our own.
fn line(server: &Server, entry: &Entry) -> Result<Option<Line>, CallError> {
    match &entry.target {
        Target::Own(_) => Ok(None),
        Target::Upstream { upstream, .. } => server.pool.line(upstream).map(Some),
    }
}

fn timed_out(call: &Call<'_>, entry: &Entry) -> CallError {
    CallError::Timeout { tool: call.tool.to_owned(), after: entry.timeout }
}
