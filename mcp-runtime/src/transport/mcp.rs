//! MCP requests: one POST, one answer, in the era that the message chose.

use super::{
    Exposure, Shared,
    answer::{self, Asked},
    held::hold,
    subscriptions,
};
use crate::{call::stack, catalog::Snapshot, identity::Principal, model::Body, server::Server};
use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use mcpfleet_protocol::{
    Era,
    answer::pong,
    jsonrpc::Id,
    server::{Accepts, CallTool, Incoming, Operation, Reason, Refusal, Request, accept, check_param_headers},
};
use serde_json::value::RawValue;
use std::sync::{Arc, LazyLock};

/// Absent arguments mean the same as none.
static EMPTY_ARGUMENTS: LazyLock<Box<RawValue>> =
    LazyLock::new(|| RawValue::from_string("{}".into()).unwrap_or_else(|_| RawValue::NULL.to_owned()));

/// Refuses browser pages that may not call, before anything is read.
pub fn check_origin(snapshot: &Snapshot, exposure: Exposure, headers: &HeaderMap) -> Result<(), Refusal> {
    match exposure {
        Exposure::Loopback => snapshot.origins.clone().and_loopback().check(headers),
        Exposure::Network => snapshot.origins.check(headers),
    }
}

/// Answers a POST.
pub async fn post(
    shared: &Shared,
    server: &Arc<Server>,
    snapshot: &Arc<Snapshot>,
    caller: &Arc<Principal>,
    headers: &HeaderMap,
    body: &Bytes,
) -> Response<Body> {
    match accept(headers, body) {
        Err(why) => answer::refusal(&why),
        Ok(Incoming::Notification(_) | Incoming::Response(_)) => answer::accepted(),
        Ok(Incoming::Request(request)) => respond(shared, server, snapshot, caller, headers, request).await,
    }
}

async fn respond(
    shared: &Shared,
    server: &Arc<Server>,
    snapshot: &Arc<Snapshot>,
    caller: &Arc<Principal>,
    headers: &HeaderMap,
    request: Request<'_>,
) -> Response<Body> {
    let asked = Asked { id: &request.id, era: request.context.era(), accepts: request.context.accepts };
    match &request.operation {
        Operation::Initialize(wanted) => asked.success(&snapshot.initialize(wanted.negotiated)),
        Operation::Discover => asked.success(snapshot.discover()),
        Operation::Ping => asked.success(&pong()),
        // All tools are one page; a cursor is not of our making.
        Operation::ListTools { cursor: None } => asked.success(&snapshot.list_for(caller, asked.era)),
        Operation::ListTools { cursor: Some(_) } => {
            let why = "this cursor is not one of ours: list from the start";
            answer::refusal(&Refusal::new(Reason::InvalidParams, Some(asked.id), why))
        }
        Operation::Listen(wanted) => subscriptions::listen(shared, server, snapshot, &asked, *wanted),
        Operation::CallTool(call) => {
            if let Err(why) = check_mirrored(snapshot, caller, headers, call, &asked) {
                return answer::refusal(&why);
            }
            let call = Owned::new(&asked, caller, call);
            match asked.era {
                // 2026-07-28: closing the stream is the cancel, so the call lives in this future.
                Era::Modern => call.run(server, snapshot).await,
                Era::Legacy => detached(shared, server, snapshot, call).await,
            }
        }
    }
}

/// Legacy: "Disconnection [...] SHOULD NOT be interpreted as the client cancelling its request" (2025-11-25,
/// transports), so the call is a task of its own that outlives the connection.
async fn detached(
    shared: &Shared,
    server: &Arc<Server>,
    snapshot: &Arc<Snapshot>,
    call: Owned,
) -> Response<Body> {
    let (server, snapshot) = (server.clone(), snapshot.clone());
    let task = shared.detached.spawn(async move { call.run(&server, &snapshot).await });
    task.await.unwrap_or_else(|_| answer::json(StatusCode::INTERNAL_SERVER_ERROR, "{}"))
}

fn check_mirrored(
    snapshot: &Snapshot,
    caller: &Principal,
    headers: &HeaderMap,
    call: &CallTool<'_>,
    asked: &Asked<'_>,
) -> Result<(), Refusal> {
    match (asked.era, snapshot.tool_for(caller, &call.name)) {
        (Era::Modern, Some(entry)) => {
            check_param_headers(headers, &entry.mirrored, call.arguments_json(), asked.id)
        }
        _ => Ok(()),
    }
}

/// A call free of the request that it came in.
struct Owned {
    id: Id<'static>,
    era: Era,
    accepts: Accepts,
    caller: Arc<Principal>,
    tool: String,
    arguments: Option<Box<RawValue>>,
}

impl Owned {
    fn new(asked: &Asked<'_>, caller: &Arc<Principal>, call: &CallTool<'_>) -> Self {
        Self {
            id: asked.id.clone().into_owned(),
            era: asked.era,
            accepts: asked.accepts,
            caller: caller.clone(),
            tool: call.name.clone().into_owned(),
            arguments: call.arguments.map(ToOwned::to_owned),
        }
    }

    async fn run(self, server: &Server, snapshot: &Snapshot) -> Response<Body> {
        let arguments = self.arguments.as_deref().unwrap_or(&EMPTY_ARGUMENTS);
        let answered = stack::run(server, snapshot, &self.caller, &self.tool, arguments).await;
        let asked = Asked { id: &self.id, era: self.era, accepts: self.accepts };
        let response = asked.called(answered.result, &snapshot.implementation);
        response.map(|body| hold(body, answered.permit))
    }
}
