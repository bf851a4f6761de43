//! What is answered from what is known here.

use super::{
    Answered, Client, Visit,
    task::{self, Wanted},
};
use crate::{catalog::merge::Target, exchange::Caller, upstream::Following};
use futures::FutureExt;
use mcpfleet_protocol::{
    answer::{empty_result, pong},
    client::ListKind,
    server::{Operation, Reason, Refusal, Request},
};
use std::{borrow::Cow, sync::Arc};

/// The answer, or `None` when the request is carried out by somebody: see [`super::begin`].
pub async fn answer(visit: &Visit, client: &Client, request: &Request<'_>) -> Option<Answered> {
    let (id, snapshot) = (&request.id, &visit.snapshot);
    Some(match &request.operation {
        Operation::Initialize(wanted) => Answered::success(id, &snapshot.initialize(wanted.negotiated)),
        Operation::Discover => Answered::success(id, snapshot.discover()),
        Operation::Ping => Answered::success(id, &pong()),
        Operation::ListTools { cursor } => list(visit, client, request, (ListKind::Tools, cursor.as_ref())),
        Operation::ListPrompts { cursor } => {
            list(visit, client, request, (ListKind::Prompts, cursor.as_ref()))
        }
        Operation::ListResources { cursor } => {
            list(visit, client, request, (ListKind::Resources, cursor.as_ref()))
        }
        Operation::ListResourceTemplates { cursor } => {
            list(visit, client, request, (ListKind::ResourceTemplates, cursor.as_ref()))
        }
        Operation::SetLogLevel(level) => {
            // Without a session there is nothing to remember it by, and nothing that would send one.
            if let Some(live) = &client.live {
                live.set_log_level(*level);
                visit.keep(live).boxed().await;
            }
            Answered::success(id, &empty_result(client.revision, &snapshot.implementation))
        }
        Operation::Subscribe { uri } => match subscribe(visit, client, request, uri).boxed().await {
            Ok(()) => Answered::success(id, &empty_result(client.revision, &snapshot.implementation)),
            Err(why) => invalid(request, &why),
        },
        Operation::Unsubscribe { uri } => {
            if let Some(live) = &client.live {
                live.unsubscribe(uri);
                visit.keep(live).boxed().await;
                follow(visit, client, request, (uri, Following::Ends)).boxed().await;
            }
            Answered::success(id, &empty_result(client.revision, &snapshot.implementation))
        }
        Operation::Task { verb, id } => {
            return task::answer(visit, client, request, Wanted { verb: *verb, id }).boxed().await;
        }
        _ => return None,
    })
}

/// Everything is one page: old clients never ask for a second. A cursor is thus not of our making.
fn list(
    visit: &Visit,
    client: &Client,
    request: &Request<'_>,
    (list, cursor): (ListKind, Option<&Cow<'_, str>>),
) -> Answered {
    match cursor {
        None => {
            let result = visit.snapshot.list((list, task::view(client)), client.revision, &client.principal);
            Answered::success(&request.id, &result)
        }
        Some(_) => invalid(request, "this cursor is not one of ours: list from the start"),
    }
}

async fn subscribe(visit: &Visit, client: &Client, request: &Request<'_>, uri: &str) -> Result<(), String> {
    let Some(live) = &client.live else {
        return Err("resources/subscribe needs a session: send initialize first".into());
    };
    let interest = visit.interest(uri, &client.principal)?;
    if let Some(interest) = &interest {
        tokio::join!(interest.met(), follow(visit, client, request, (uri, Following::Begins)));
    }
    live.subscribe(uri, interest)
        .map_err(|most| format!("a session can watch {most} resources; unsubscribe from one first"))?;
    visit.keep(live).await;
    Ok(())
}

/// Tells the upstream in the client's own session there.
async fn follow(visit: &Visit, client: &Client, request: &Request<'_>, (uri, following): (&str, Following)) {
    if let Some(Target::Upstream { upstream, .. }) = visit.snapshot.resource(uri).map(|found| found.target)
        && let Ok(line) = visit.server.pool.line(&upstream)
    {
        let caller = Caller::silent(Arc::new(client.profile(&request.meta)));
        line.follow(uri, following, &caller).await;
    }
}

fn invalid(request: &Request<'_>, why: &str) -> Answered {
    Answered::refusal(&Refusal::new(Reason::InvalidParams, Some(&request.id), why))
}
