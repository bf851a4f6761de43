//! The way of one request, as one list. Adding a policy is adding a file and a line here.

use super::{
    CallError, Outcome,
    authorize::authorize,
    conform::conform,
    help, own,
    route::{Routed, route},
    validate::validate,
};
use crate::{
    admission::{Permit, Refused},
    backend,
    catalog::{Snapshot, merge::Target},
    exchange::{Ask, Caller, Request},
    identity::Principal,
    outgoing::Behalf,
    search::Finder,
    server::Server,
    upstream::Line,
};
use serde_json::{Map, Value};
use tokio::time::Instant;

/// What came of a request. The permit is to be held until the last byte of the answer is written.
#[derive(Debug)]
pub struct Answered {
    /// The result, or why there is none.
    pub result: Result<Outcome, CallError>,
    /// The place in execution, when it got one.
    pub permit: Option<Permit>,
}

/// Carries out one request. Dropping the future cancels it, wherever it is.
pub async fn run(server: &Server, snapshot: &Snapshot, request: &Request, caller: &Caller) -> Answered {
    // route: to whom, by the catalogue that the request began with
    let routed = match route(snapshot, &request.ask) {
        Ok(routed) => routed,
        Err(error) => {
            let result = Err(error);
            snapshot.other().start().finish(&result);
            return Answered { result, permit: None };
        }
    };
    // telemetry: counts and times everything below, also what is cancelled
    let timer = routed.metrics.start();
    // deadline: over waiting and work, standing still while the client is asked
    let deadline = Instant::now() + routed.timeout;
    let work = async {
        // authorize: before anything is looked at that the caller has sent
        authorize(snapshot, &caller.profile().principal, &request.ask, &routed)?;
        // validate: a call that cannot succeed takes nobody's place
        let arguments = checked(&routed)?;
        // line: which upstream, as it was when the request began
        let line = line(server, &routed.target)?;
        // admission: waits for a place, or says when to come back
        caller.hold(admit(server, &routed, deadline).await?);
        // backend or upstream
        let carried = Request { ask: routed.ask.clone(), ..request.clone() };
        execute((server, snapshot), (&routed, line), arguments, (&carried, caller)).await
    };
    let result = match caller.within(routed.timeout, Box::pin(work)).await {
        Ok(result) => result,
        Err(_) => Err(timed_out(&routed)),
    };
    timer.finish(&result);
    Answered { result, permit: caller.release() }
}

/// Whether a request could begin: it is the same that [`run`] looks at first.
///
/// # Errors
/// What [`run`] would answer at once.
pub fn check(snapshot: &Snapshot, ask: &Ask, principal: &Principal) -> Result<(), CallError> {
    let routed = route(snapshot, ask)?;
    authorize(snapshot, principal, ask, &routed)?;
    checked(&routed).map(drop)
}

/// Arguments of our own tools are checked here; an upstream checks its own.
fn checked(routed: &Routed) -> Result<Map<String, Value>, CallError> {
    match (&routed.target, &routed.ask) {
        (Target::Own(own), Ask::CallTool { name, arguments }) => validate(name, &own.schema, arguments),
        (Target::Helper(helper), Ask::CallTool { name, arguments }) => match Finder::schema(*helper) {
            Some(schema) => validate(name, schema, arguments),
            None => Ok(Map::new()),
        },
        _ => Ok(Map::new()),
    }
}

async fn admit(server: &Server, routed: &Routed, deadline: Instant) -> Result<Permit, CallError> {
    let refused = |refused| match refused {
        Refused::QueueFull { retry_after } => CallError::Busy { reason: "its queue is full", retry_after },
        Refused::WaitedTooLong { retry_after } => {
            CallError::Busy { reason: "the call waited too long in its queue", retry_after }
        }
        Refused::DeadlinePassed => timed_out(routed),
    };
    server.admission.admit(Some(deadline)).await.map_err(refused)
}

async fn execute(
    (server, snapshot): (&Server, &Snapshot),
    (routed, line): (&Routed, Option<Line>),
    arguments: Map<String, Value>,
    (request, caller): (&Request, &Caller),
) -> Result<Outcome, CallError> {
    match (&routed.target, line) {
        (Target::Upstream { upstream, .. }, Some(line)) => {
            line.repeating(routed.repeat).send(upstream, request, caller, None).await
        }
        (Target::Upstream { upstream, .. }, None) => Err(CallError::Unavailable {
            message: format!("upstream {upstream:?} is not part of this server; list again what there is"),
        }),
        (Target::Own(own), _) => {
            let credentials = &snapshot.parts.credentials;
            let principal = Some(caller.profile().principal.as_ref());
            let behalf = Behalf { credentials, signer: &server.signer, caller: principal };
            let outcome = backend::run(&own.config.backend, &arguments, &behalf, &server.egress).await?;
            // conform: a result keeps what the tool's definition promises
            Ok(conform(own.output.as_ref(), outcome))
        }
        (Target::Missing { message }, _) => Err(CallError::Unavailable { message: message.clone() }),
        (Target::OwnOffer, _) => own::carry_out(&snapshot.parts.offers, &request.ask),
        (Target::Helper(helper), _) => {
            help::run((server, snapshot), *helper, &arguments, (&request.ask, caller)).await
        }
    }
}

/// Where a request to an upstream goes; `None` for what is our own. What is not here now takes nobody's place.
fn line(server: &Server, target: &Target) -> Result<Option<Line>, CallError> {
    match target {
        Target::Upstream { upstream, .. } => server.pool.line(upstream).map(Some),
        Target::Missing { message } => Err(CallError::Unavailable { message: message.clone() }),
        Target::Own(_) | Target::OwnOffer | Target::Helper(_) => Ok(None),
    }
}

fn timed_out(routed: &Routed) -> CallError {
    let what = match &routed.ask {
        Ask::CallTool { name, .. } | Ask::GetPrompt { name, .. } => name,
        Ask::ReadResource { uri } => uri,
        Ask::Complete { .. } | Ask::Task { .. } => routed.ask.method(),
    };
    CallError::Timeout { tool: what.to_owned(), after: routed.timeout }
}
