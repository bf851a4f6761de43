//! The controller of McpServers: [`observe`] looks, [`offer`] brings what is wanted to the pods that run, [`plan`]
//! decides, [`apply`] and [`status`] act.
//!
//! At steady state all run and nothing is written. A server that is being deleted is left alone: owner
//! references have the garbage collector take its children, so there is no finalizer that could get stuck.

mod apply;
mod diagnose;
mod judge;
mod observe;
mod offer;
mod plan;
mod status;

#[cfg(test)]
mod tests;

pub use apply::{Applied, Conflict, Outcome};
pub use diagnose::Trouble;
pub(crate) use judge::conditions::missing_sentence;
pub use judge::{Judgement, Situation, judge, upstreams::UpstreamVerdict};
pub use observe::Observed;
pub use plan::{Change, Plan, plan};

use crate::{context::Context, error::Error, malformed, queue::Next, world::Key};
use jiff::Timestamp;
use mcpfleet_crds::{compile::Kind, v1alpha1::McpServer};
use std::{sync::Arc, time::Duration};

/// When to look again while pods are about to acknowledge a change.
const FRESH: Duration = Duration::from_millis(500);

/// Brings one server's children and status to what it declares.
///
/// # Errors
/// The API server could not be asked, or refuses a child; the status says so where it can.
pub async fn reconcile(context: Arc<Context>, key: Key) -> Result<Next, Error> {
    if let Some(object) = context.world.objects.malformed(Kind::McpServer, &key) {
        return malformed::report::<McpServer>(&context, &key, &object).await;
    }
    let Some(observed) = observe::observe(&context, &key) else {
        context.fleet.forget(&key);
        return Ok(Next::AwaitChange);
    };
    if observed.server.metadata.deletion_timestamp.is_some() {
        return Ok(Next::AwaitChange);
    }
    let observed = offer::offer(&context, observed).await?;
    let Some(bundle) = context.certificates.bundle() else { return Ok(Next::Retry) };
    let written = observed.accepted_hash();
    let plan = plan(&observed, &bundle, &context.defaults)?;
    let applied = apply::apply(&context, &observed, plan).await;
    // Look again: what was just written counts.
    let Some(observed) = observe::observe(&context, &key) else { return Ok(Next::AwaitChange) };
    let trouble = diagnose::diagnose(&context, &observed).await?;
    let upstream_troubles = diagnose::programs::diagnose(&context, &observed).await?;
    let situation = Situation {
        observed: &observed,
        applied: &applied,
        trouble: trouble.as_ref(),
        upstream_troubles: &upstream_troubles,
        now: Timestamp::now(),
    };
    let judgement = judge(&situation);
    // Acknowledgements come within milliseconds: a report before them would be undone at once.
    let fresh = applied.own.failure.is_none() && context.fleet.is_fresh(&key);
    if fresh {
        return Ok(Next::After(FRESH));
    }
    // Accepted while the children were written: new pods would start on what was accepted before it.
    if applied.own.failure.is_none() && observed.accepted_hash() != written {
        return Ok(Next::After(Duration::ZERO));
    }
    if !judgement.wait_for_answers {
        status::report(&context, &situation, &judgement).await?;
    }
    match applied.into_failure() {
        Some(error) => Err(error),
        None => Ok(judgement.look_again.map_or(Next::AwaitChange, Next::After)),
    }
}
