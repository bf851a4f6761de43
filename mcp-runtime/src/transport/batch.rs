//! JSON-RPC batches: 2025-03-26 only ("Receivers MUST support receiving JSON-RPC batches", basic, "Batching").
//!
//! Every request of a batch is carried out, all at once; each takes its own place in the queue. When none says
//! anything before its answer, the answers go back as one array, else as a stream of messages.

use super::{
    answer,
    mcp::{Call, unserved},
    streaming::{Source, join},
};
use crate::{
    conversation::{self, Answered},
    model::Body,
};
use http::{Response, StatusCode};
use mcpfleet_protocol::{
    Revision,
    server::{Accepts, Context, Incoming, Operation, Refusal, Request},
};

/// Answers a batch.
pub(super) async fn post(call: &Call<'_>, messages: Vec<Result<Incoming<'_>, Refusal>>) -> Response<Body> {
    let accepts = messages.iter().find_map(|message| message.as_ref().ok().map(|it| context_of(it).accepts));
    if let Err(why) = check(call, &messages) {
        return answer::refusal(&why);
    }
    if let Some(response) = elsewhere(call, &messages).await {
        return response;
    }
    let mut sources = Vec::new();
    for message in messages {
        match message {
            Err(why) => {
                let message = why.message_in(Some(Revision::WITH_BATCHES));
                sources.extend(message.map(|message| Source::done(Answered::message(message))));
            }
            Ok(Incoming::Request(request)) => match source(call, request).await {
                Ok(source) => sources.push(source),
                Err(response) => return *response,
            },
            Ok(other) => {
                let response = call.one(other).await;
                if response.status() != StatusCode::ACCEPTED {
                    return response;
                }
            }
        }
    }
    if sources.is_empty() {
        answer::accepted()
    } else {
        join(sources, accepts.unwrap_or(Accepts::Either)).await
    }
}

/// The answer of the replica that holds the session: to the batch as a whole.
async fn elsewhere(call: &Call<'_>, messages: &[Result<Incoming<'_>, Refusal>]) -> Option<Response<Body>> {
    let context = messages.iter().find_map(|message| message.as_ref().ok().map(context_of))?;
    let ticket = call.session(context, None).ok().flatten()?;
    call.held_elsewhere(&ticket).await
}

/// A batch is one revision's, in one session.
fn check(call: &Call<'_>, messages: &[Result<Incoming<'_>, Refusal>]) -> Result<(), Refusal> {
    let contexts = messages.iter().filter_map(|message| message.as_ref().ok().map(context_of));
    let mut revisions = Vec::new();
    for context in contexts {
        revisions.push(revision(call, context)?);
    }
    if revisions.iter().all(|revision| *revision == Revision::WITH_BATCHES) {
        Ok(())
    } else {
        Err(Refusal::batch())
    }
}

fn revision(call: &Call<'_>, context: &Context) -> Result<Revision, Refusal> {
    Ok(call.session(context, None)?.map_or(context.revision, |ticket| ticket.revision))
}

async fn source(call: &Call<'_>, request: Request<'_>) -> Result<Source, Box<Response<Body>>> {
    if matches!(request.operation, Operation::Listen(_) | Operation::Initialize(_)) {
        return Ok(Source::done(Answered::refusal(&unserved(&request))));
    }
    let client = call.client(&request).await?;
    if let Some(answered) = conversation::answer(&call.visit, &client, &request).await {
        return Ok(Source::done(answered));
    }
    Ok(call.source(&client, &request).unwrap_or_else(|answered| Source::done(*answered)))
}

fn context_of<'a>(incoming: &'a Incoming<'_>) -> &'a Context {
    match incoming {
        Incoming::Request(request) => &request.context,
        Incoming::Notification(notification) => &notification.context,
        Incoming::Response(response) => &response.context,
    }
}
