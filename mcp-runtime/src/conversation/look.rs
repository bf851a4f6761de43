//! Requests that only look at what is known of tasks: they take nobody's place in execution.

use super::{
    Answered, Client, Delivery, Exchange, Visit,
    carry::origin,
    exchange::Going,
    task::{self, Wanted},
};
use crate::exchange::{Ask, Caller};
use mcpfleet_protocol::server;
use std::sync::Arc;

/// A request about a task of ours.
pub(super) fn kept(
    visit: &Visit,
    client: &Arc<Client>,
    request: &server::Request<'_>,
    (wanted, delivery): (Wanted<'_>, Delivery),
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
pub(super) fn follow(
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
