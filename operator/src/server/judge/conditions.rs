//! The conditions of a server, from its standing and the facts behind it.

use super::{
    Facts, Motion, Standing,
    upstreams::{self, UpstreamVerdict},
};
use crate::{autoscale::Activity, condition::Verdict, fleet::Summary};
use mcpfleet_config::{CredentialRef, status::CredentialUser};
use mcpfleet_crds::{
    compile::{Kind, ObjectKey, Report},
    v1alpha1::ConditionStatus,
};

/// Members that a message names one by one.
const MAX_NAMED: usize = 8;

pub(super) fn all(
    facts: &Facts<'_>,
    standing: &Standing,
    upstreams: Option<&[UpstreamVerdict]>,
) -> Vec<Verdict> {
    let mut verdicts = vec![
        available(facts),
        Verdict::new("Ready", standing.ready, &standing.reason, &standing.message),
        tools_accepted(facts),
    ];
    verdicts.extend(config_synced(facts));
    verdicts.extend(upstreams.and_then(|upstreams| upstreams::connected(&facts.summary, upstreams)));
    verdicts.extend(upstreams_accepted(facts));
    verdicts.extend(scaling_active(facts));
    let motion = match standing.motion {
        Motion::Settled => None,
        Motion::Moving => Some("Reconciling"),
        Motion::Stalled => Some("Stalled"),
    };
    verdicts.extend(motion.map(|type_| Verdict::new(type_, true, &standing.reason, &standing.message)));
    verdicts
}

fn available(facts: &Facts<'_>) -> Verdict {
    let rollout = facts.rollout;
    let (reason, message) = match (rollout.ready, rollout.wanted) {
        (0, 0) => ("Idle", "spec.replicas is 0; raise it to serve".into()),
        (0, _) => ("NoReadyPod", "no pod is Ready; condition Ready says why".into()),
        (ready, _) => ("PodsReady", format!("{ready} pods are Ready")),
    };
    Verdict::new("Available", facts.is_available(), reason, message)
}

/// A refused tool costs its author an error and nobody else anything: it is told here and on the tool, and
/// does not make the server unready.
fn tools_accepted(facts: &Facts<'_>) -> Verdict {
    let report = &facts.situation.observed.compilation.report;
    let refused: Vec<String> = [Kind::McpTool, Kind::ProviderRoute]
        .into_iter()
        .flat_map(|kind| report.refused(kind))
        .map(|member| refusal(report, member))
        .collect();
    let missing = members_without_credentials(&facts.summary);
    let reason = match (refused.is_empty(), missing.is_empty()) {
        (true, true) => {
            return Verdict::new(
                "ToolsAccepted",
                true,
                "Accepted",
                "every selected tool and route is served",
            );
        }
        (false, _) => "ToolsRefused",
        (true, false) => "SecretMissing",
    };
    Verdict::new("ToolsAccepted", false, reason, named(refused.into_iter().chain(missing).collect()))
}

fn refusal(report: &Report, member: &ObjectKey) -> String {
    let why = report.errors().find(|finding| finding.object == *member);
    let why = why.map_or_else(|| "is refused".into(), mcpfleet_crds::compile::Finding::sentence);
    format!("{} {}: {why}", member.kind.as_str(), member.name)
}

/// Whether `spec.autoscaling` has its way. The words hold still: how many pods there are stands elsewhere.
fn scaling_active(facts: &Facts<'_>) -> Option<Verdict> {
    let spec = &facts.situation.observed.server.spec;
    let autoscaling = spec.autoscaling.as_ref()?;
    let (status, reason, message) = match facts.situation.observed.scaling? {
        Activity::Active => {
            let (min, max) = (autoscaling.min_replicas, autoscaling.max_replicas);
            (true, "FollowingLoad", format!("spec.replicas follows the load, between {min} and {max}"))
        }
        Activity::Stopped => (
            false,
            "ScalingPaused",
            "spec.replicas is 0: the server was stopped by hand; raise it to have it scaled again".into(),
        ),
        Activity::Frozen => (
            false,
            "SignalsMissing",
            "fewer than half of the pods report their load; the number of pods stays until they do".into(),
        ),
    };
    Some(Verdict::new("ScalingActive", status, reason, message))
}

/// Whether every pod serves what is declared.
fn config_synced(facts: &Facts<'_>) -> Option<Verdict> {
    facts.situation.observed.compilation.product.as_ref()?;
    let summary = &facts.summary;
    let Summary { total, synced, stale, .. } = summary;
    let counted = format!("{synced} of {total} pods serve the current configuration");
    let (status, reason, message) = if let Some(message) = rejected(summary) {
        (ConditionStatus::False, "ConfigRejected", message)
    } else if facts.situation.observed.answers.is_none() {
        (ConditionStatus::Unknown, "Connecting", "the pods have not connected to the operator yet".into())
    } else if *total == 0 {
        (
            ConditionStatus::True,
            "NoPods",
            "no pod runs; the next one starts with the current configuration".into(),
        )
    } else if !stale.is_empty() {
        let message = format!("{counted}; not connected to the operator: {}", named(stale.clone()));
        (ConditionStatus::Unknown, "PodsStale", message)
    } else if synced < total {
        (ConditionStatus::False, "ConfigPropagating", counted)
    } else {
        (ConditionStatus::True, "Synced", "every pod serves the current configuration".into())
    };
    Some(Verdict::new("ConfigSynced", status, reason, message))
}

/// Who refuses the configuration, why, and what follows.
pub(super) fn rejected(summary: &Summary) -> Option<String> {
    let refusals =
        summary.rejected.iter().map(|(pod, why)| format!("pod {pod} refuses the configuration: {why}"));
    let refusals: Vec<String> = refusals.collect();
    (!refusals.is_empty()).then(|| format!("{}. Pods serve the last accepted one", named(refusals)))
}

/// The first of them, and how many more there are.
pub(super) fn named(mut sentences: Vec<String>) -> String {
    let more = sentences.len().saturating_sub(MAX_NAMED);
    sentences.truncate(MAX_NAMED);
    let text = sentences.join(". ");
    if more > 0 { format!("{text}. And {more} more") } else { text }
}

/// Whether all that `upstreamSelector` finds is served. Whoever labels something is not whoever wrote the server: what
/// cannot be served of it is told here, and does not make the server unready.
fn upstreams_accepted(facts: &Facts<'_>) -> Option<Verdict> {
    let observed = facts.situation.observed;
    observed.server.spec.upstream_selector.as_ref().filter(|_| observed.compilation.product.is_some())?;
    let server = ObjectKey::server(&observed.server);
    let findings = observed.compilation.report.about(&server);
    let left_out: Vec<_> =
        findings.filter(|finding| finding.field.starts_with("spec.upstreamSelector")).collect();
    let Some(first) = left_out.first() else {
        return Some(Verdict::new("UpstreamsAccepted", true, "Accepted", "every found upstream is served"));
    };
    let sentences = left_out.iter().map(|finding| finding.sentence()).collect();
    Some(Verdict::new("UpstreamsAccepted", false, first.reason.as_str(), named(sentences)))
}

/// What the server itself lacks: what it knows its callers by, and the store of its sessions.
pub(super) fn server_without_credentials(summary: &Summary) -> Option<String> {
    let missing = without_credentials(summary, |user| match user {
        CredentialUser::Access => Some("auth.keys".into()),
        CredentialUser::Store => Some("store".into()),
        CredentialUser::Tool(_) | CredentialUser::Route(_) | CredentialUser::Upstream(_) => None,
    });
    (!missing.is_empty()).then(|| named(missing))
}

fn members_without_credentials(summary: &Summary) -> Vec<String> {
    without_credentials(summary, |user| match user {
        CredentialUser::Tool(name) => Some(format!("McpTool {name}")),
        CredentialUser::Route(name) => Some(format!("ProviderRoute {name}")),
        CredentialUser::Upstream(_) | CredentialUser::Access | CredentialUser::Store => None,
    })
}

fn without_credentials(summary: &Summary, name: impl Fn(&CredentialUser) -> Option<String>) -> Vec<String> {
    let pairs = summary
        .missing
        .iter()
        .flat_map(|(credential, users)| users.iter().map(move |user| (credential, user)));
    pairs
        .filter_map(|(credential, user)| Some(format!("{}: {}", name(user)?, missing_sentence(credential))))
        .collect()
}

/// What is missing, and what to do.
pub(crate) fn missing_sentence(credential: &CredentialRef) -> String {
    let CredentialRef { secret, key } = credential;
    if key == mcpfleet_config::WHOLE_SECRET {
        return format!(
            "Secret {secret} is empty, or does not exist; create it, pods pick it up without a restart"
        );
    }
    format!(
        "Secret {secret} has no usable key {key}, or does not exist; create it, pods pick it up without a restart"
    )
}
