//! Reporting: a write only when something is different.

use super::{Judgement, Situation, judge::upstreams::settle};
use crate::{children::selector_labels, condition, context::Context, error::Error, report};
use kube::ResourceExt;
use mcpfleet_crds::{
    compile::endpoint,
    v1alpha1::{ConfigStatus, McpServerStatus},
};

/// Condition types that are ours; others may add their own.
const OURS: [&str; 9] = [
    "Available",
    "Ready",
    "ToolsAccepted",
    "ConfigSynced",
    "UpstreamsConnected",
    "UpstreamsAccepted",
    "ScalingActive",
    "Reconciling",
    "Stalled",
];

pub(super) async fn report(
    context: &Context,
    situation: &Situation<'_>,
    judgement: &Judgement,
) -> Result<(), Error> {
    let server = &situation.observed.server;
    let before = ours(server.status.clone().unwrap_or_default());
    let now = compose(&before, situation, judgement);
    if server.status.is_some() && now == before {
        return Ok(());
    }
    report::write(context, server.as_ref(), &now, &before.conditions, &now.conditions).await?;
    context.events.upstreams(server, &before.upstreams, &now.upstreams).await;
    Ok(())
}

/// The status without what others have added.
fn ours(mut status: McpServerStatus) -> McpServerStatus {
    status.conditions.retain(|condition| OURS.contains(&condition.type_.as_str()));
    status.conditions.sort_by_key(|condition| OURS.iter().position(|type_| *type_ == condition.type_));
    status
}

/// What to write: pure.
pub(super) fn compose(
    before: &McpServerStatus,
    situation: &Situation<'_>,
    judgement: &Judgement,
) -> McpServerStatus {
    let observed = situation.observed;
    let server = observed.server.as_ref();
    let generation = server.metadata.generation;
    let rollout = observed.rollout();
    let summary = observed.summary();
    let mut status = McpServerStatus {
        observed_generation: generation,
        replicas: rollout.replicas,
        ready_replicas: rollout.ready,
        selector: super::diagnose::selector_text(&selector_labels(&server.name_any())),
        tools: before.tools,
        url: endpoint(server),
        config: before.config.clone(),
        upstreams: match &judgement.upstreams {
            Some(verdicts) => settle(&before.upstreams, verdicts, situation.now),
            None => before.upstreams.clone(),
        },
        conditions: condition::settle(
            &before.conditions,
            judgement.verdicts.clone(),
            generation,
            situation.now,
        ),
    };
    // A server that is refused serves what it did: its tools and configuration stay as reported.
    if let Some(product) = &observed.compilation.product {
        status.tools = count(product.tools + summary.upstream_tools);
        status.config = ConfigStatus {
            desired_hash: product.encoded.hash.to_string(),
            accepted_hash: observed
                .accepted
                .as_ref()
                .map(|config| config.hash().to_string())
                .unwrap_or_default(),
            total: count(summary.total),
            synced: count(summary.synced),
            rejected: count(summary.rejected.len()),
            stale: count(summary.stale.len()),
        };
    }
    ours(status)
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
