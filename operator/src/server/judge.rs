//! Deciding what to report: pure. The checks stand in order of weight; the first that finds something gives
//! `Ready` its reason.

use super::{Applied, Observed, Trouble, diagnose::PATIENCE, observe::Rollout};
use crate::{condition::Verdict, error::Error, fleet::Summary};
use jiff::Timestamp;
use mcpfleet_crds::{
    compile::{Finding, ObjectKey, Severity},
    v1alpha1::ConditionStatus,
};
use std::{collections::BTreeMap, time::Duration};
use upstreams::UpstreamVerdict;

pub(crate) mod conditions;
pub(super) mod upstreams;

/// Everything that a report rests on.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The server, after the writes.
    pub observed: &'a Observed,
    /// What the writes came to.
    pub applied: &'a Applied,
    /// What keeps pods from starting.
    pub trouble: Option<&'a Trouble>,
    /// What keeps programs of upstreams from starting, by upstream.
    pub upstream_troubles: &'a BTreeMap<String, Trouble>,
    /// The time.
    pub now: Timestamp,
}

/// What to report, and when to look again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// All conditions.
    pub verdicts: Vec<Verdict>,
    /// Each upstream, sorted by name; `None` while the server is refused: what was reported stands.
    pub upstreams: Option<Vec<UpstreamVerdict>>,
    /// The runtimes had no time to connect yet, and what was reported before may still hold.
    pub wait_for_answers: bool,
    /// When to look again without being told of a change.
    pub look_again: Option<Duration>,
}

/// When to look again at what stands in the way: nothing tells when it is gone.
const AGAIN: Duration = Duration::from_secs(15);

/// When to look again while runtimes are given time to connect.
const CONNECT: Duration = Duration::from_secs(1);

/// Whether anything moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Motion {
    /// It is as it will be.
    Settled,
    /// It is on its way (`Reconciling`).
    Moving,
    /// Only a person can mend it (`Stalled`).
    Stalled,
}

/// Why the server is ready, or is not.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Standing {
    ready: bool,
    reason: String,
    message: String,
    motion: Motion,
    look_again: Option<Duration>,
}

impl Standing {
    fn ready(reason: &str, message: &str) -> Self {
        Self {
            ready: true,
            reason: reason.into(),
            message: message.into(),
            motion: Motion::Settled,
            look_again: None,
        }
    }

    fn unready(motion: Motion, reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self { ready: false, reason: reason.into(), message: message.into(), motion, look_again: None }
    }

    fn look_again(self, after: Duration) -> Self {
        Self { look_again: Some(after), ..self }
    }
}

/// A situation with what follows from it.
struct Facts<'a> {
    situation: Situation<'a>,
    summary: Summary,
    rollout: Rollout,
}

/// In order of weight.
const CHECKS: [fn(&Facts<'_>) -> Option<Standing>; 11] = [
    name_taken,
    leftovers,
    write_refused,
    errors_of_the_server,
    config_rejected,
    idle,
    certificate,
    pod_trouble,
    rollout,
    config_on_its_way,
    credentials_of_callers,
];

/// What to report of a server.
pub fn judge(situation: &Situation<'_>) -> Judgement {
    let observed = situation.observed;
    let facts = Facts { situation: *situation, summary: observed.summary(), rollout: observed.rollout() };
    let standing = CHECKS
        .iter()
        .find_map(|check| check(&facts))
        .unwrap_or_else(|| Standing::ready("Serving", "what is declared is what serves"));
    let upstreams = upstreams::judge(&facts);
    let of_upstreams = upstreams.iter().flatten().filter_map(|verdict| verdict.look_again);
    // Whoever does not connect tells nothing.
    let soon = observed.answers.is_none().then_some(CONNECT);
    Judgement {
        verdicts: conditions::all(&facts, &standing, upstreams.as_deref()),
        wait_for_answers: waits_for_answers(&facts),
        look_again: soon.or_else(|| of_upstreams.chain(standing.look_again).min()),
        upstreams,
    }
}

/// After a start the runtimes have not connected yet. Until they have, the last report stands: nothing has
/// changed, and readiness must not flap because the operator was restarted.
fn waits_for_answers(facts: &Facts<'_>) -> bool {
    let observed = facts.situation.observed;
    let reported = observed.server.status.as_ref().and_then(|status| status.observed_generation);
    observed.answers.is_none()
        && facts.rollout.ready > 0
        && reported.is_some()
        && reported == observed.server.metadata.generation
        && facts.situation.applied.own.failure.is_none()
}

fn name_taken(facts: &Facts<'_>) -> Option<Standing> {
    let conflict = facts.situation.applied.own.conflicts.first()?;
    let standing = Standing::unready(Motion::Stalled, "NameConflict", conflict.sentence("McpServer"));
    Some(standing.look_again(AGAIN))
}

fn leftovers(facts: &Facts<'_>) -> Option<Standing> {
    let message = "a former server of this name is still being deleted";
    let standing = Standing::unready(Motion::Moving, "WaitingForDeletion", message);
    facts.situation.applied.own.waits_for_deletion.then(|| standing.look_again(Duration::from_secs(1)))
}

/// Only what the API server refuses for good reason; an API server that is away says nothing about a server.
fn write_refused(facts: &Facts<'_>) -> Option<Standing> {
    let failure = facts
        .situation
        .applied
        .own
        .failure
        .as_ref()
        .filter(|error| matches!(error, Error::Refused { .. }))?;
    Some(Standing::unready(Motion::Stalled, failure.reason(), failure.to_string()))
}

/// What compile says about the server's own fields, a refusal of all of it first of all.
fn errors_of_the_server(facts: &Facts<'_>) -> Option<Standing> {
    let observed = facts.situation.observed;
    let server = ObjectKey::server(&observed.server);
    let report = &observed.compilation.report;
    let errors: Vec<&Finding> =
        report.about(&server).filter(|finding| finding.severity == Severity::Error).collect();
    let first = errors.first()?;
    let sentences: Vec<String> = errors.iter().map(|finding| finding.sentence()).collect();
    let mut message = sentences.join(". ");
    if observed.compilation.product.is_none() && !observed.children.is_empty() {
        message.push_str(". What ran before runs on");
    }
    let created = observed.server.metadata.creation_timestamp.as_ref().map(|time| time.0);
    // Objects of one `kubectl apply` come one after the other: nobody has made a mistake yet.
    let fresh = created.is_some_and(|created| facts.situation.now.duration_since(created) < PATIENCE);
    let motion = if fresh { Motion::Moving } else { Motion::Stalled };
    let standing = Standing::unready(motion, first.reason.as_str(), message);
    Some(if fresh { standing.look_again(PATIENCE.unsigned_abs()) } else { standing })
}

fn config_rejected(facts: &Facts<'_>) -> Option<Standing> {
    let message = conditions::rejected(&facts.summary)?;
    Some(Standing::unready(Motion::Stalled, "ConfigRejected", message))
}

fn idle(facts: &Facts<'_>) -> Option<Standing> {
    let Rollout { wanted, replicas, .. } = facts.rollout;
    match (wanted, replicas) {
        (0, 0) => Some(Standing::ready("Idle", "spec.replicas is 0; raise it to serve")),
        (0, _) => Some(Standing::unready(Motion::Moving, "ScalingDown", "the last pods finish their calls")),
        _ => None,
    }
}

fn certificate(facts: &Facts<'_>) -> Option<Standing> {
    facts.situation.observed.server.spec.tls.as_ref()?;
    let (pod, message) = facts.summary.tls.as_ref()?;
    let message =
        format!("pod {pod} cannot serve TLS: {message}; mend the Secret that spec.tls.secretRef names");
    Some(Standing::unready(Motion::Stalled, "CertificateInvalid", message))
}

fn pod_trouble(facts: &Facts<'_>) -> Option<Standing> {
    let trouble = facts.situation.trouble?;
    let motion = if facts.rollout.stuck { Motion::Stalled } else { Motion::Moving };
    Some(Standing::unready(motion, trouble.reason, trouble.message.clone()).look_again(AGAIN))
}

fn rollout(facts: &Facts<'_>) -> Option<Standing> {
    let Rollout { ready, updated, wanted, complete, stuck, .. } = facts.rollout;
    if complete {
        return None;
    }
    let mut message = format!("{updated} of {wanted} pods are of the current kind, {ready} are Ready");
    if let Some((pod, why)) = &facts.summary.not_ready {
        message = format!("{message}; pod {pod} says: {why}");
    }
    let motion = if stuck { Motion::Stalled } else { Motion::Moving };
    Some(Standing::unready(motion, "RolloutInProgress", message).look_again(PATIENCE.unsigned_abs()))
}

fn config_on_its_way(facts: &Facts<'_>) -> Option<Standing> {
    let Summary { behind, synced, .. } = &facts.summary;
    let ready = usize::try_from(facts.rollout.ready).unwrap_or_default();
    if behind.is_empty() && *synced >= ready {
        return None;
    }
    let connected = facts.summary.total > facts.summary.stale.len();
    let (reason, message) = if facts.situation.observed.answers.is_some() && !connected {
        (
            "PodsUnreachable",
            "no pod is connected to the operator; check NetworkPolicies and DNS between them. They serve on, and a \
             change waits until one is"
                .into(),
        )
    } else {
        let message = format!("{synced} of {ready} Ready pods serve the current configuration");
        ("ConfigPropagating", message)
    };
    Some(Standing::unready(Motion::Moving, reason, message))
}

fn credentials_of_callers(facts: &Facts<'_>) -> Option<Standing> {
    let message = conditions::server_without_credentials(&facts.summary)?;
    Some(Standing::unready(Motion::Stalled, "SecretMissing", message))
}

impl Facts<'_> {
    fn is_available(&self) -> ConditionStatus {
        ConditionStatus::from(self.rollout.ready > 0)
    }
}
