//! How it stands with each upstream, and the condition that sums it up: pure. An upstream that fails costs its own
//! tools and nothing else: neither `Ready` nor `Available` hears of it.

use super::{AGAIN, Facts, PATIENCE, conditions};
use crate::{
    condition::{Verdict, bounded, whole_seconds},
    error::Error,
    fleet::{Summary, UpstreamWord},
    server::{Outcome, observe::Rollout},
    world::Product,
};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use mcpfleet_config::status::{self as pod, CredentialUser};
use mcpfleet_crds::{
    compile::{Bridge, ObjectKey, Severity},
    v1alpha1::{ConditionStatus, UpstreamState, UpstreamStatus, UpstreamWire, WithheldTool},
};
use std::{collections::BTreeSet, time::Duration};

mod withheld;

/// Upstreams that a status lists; a server may declare half as many.
const MAX_LISTED: usize = 128;
/// Longest message of one, in characters.
const MAX_MESSAGE: usize = 1_024;

/// How it stands with one upstream, before it is known since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamVerdict {
    /// Its name.
    pub name: String,
    /// Whether it can be used.
    pub state: UpstreamState,
    /// Why, in one CamelCase word.
    pub reason: String,
    /// What is wrong, and what to do.
    pub message: Option<String>,
    /// Tools that it contributes.
    pub tools: u32,
    /// Revision of the protocol that is spoken with it.
    pub revision: Option<String>,
    /// How messages travel to it.
    pub transport: Option<UpstreamWire>,
    /// Tools that are kept back, as many as are listed.
    pub withheld: Vec<WithheldTool>,
    /// How many are kept back.
    pub withheld_count: u32,
    /// When to look again without being told of a change.
    pub look_again: Option<Duration>,
}

/// State, reason, message.
type Word = (UpstreamState, String, Option<String>);

/// Each upstream that is declared or served; `None` while the server is refused.
pub(super) fn judge(facts: &Facts<'_>) -> Option<Vec<UpstreamVerdict>> {
    let observed = facts.situation.observed;
    let product = observed.compilation.product.as_ref()?;
    let declared = observed.server.spec.upstreams.iter().map(|upstream| &upstream.name);
    let names: BTreeSet<&String> = declared.chain(&product.upstreams).collect();
    let mut verdicts: Vec<_> =
        names.into_iter().take(MAX_LISTED).map(|name| judge_one(facts, product, name)).collect();
    withheld::bound(&mut verdicts);
    Some(verdicts)
}

fn judge_one(facts: &Facts<'_>, product: &Product, name: &str) -> UpstreamVerdict {
    let told = facts.summary.upstreams.get(name);
    let bridge = product.bridges.iter().find(|bridge| bridge.upstream == name);
    let (state, reason, message) = refused(facts, product, name)
        .or_else(|| not_applied(facts, name))
        .or_else(|| without_credentials(facts, name))
        .or_else(|| program(facts, bridge?, told))
        .unwrap_or_else(|| reported(facts, told));
    let (reason, message) = match told.and_then(withheld::sentence) {
        Some(sentence) if state == UpstreamState::Connected => {
            (withheld::reason(reason), Some(withheld::beside(sentence, message)))
        }
        _ => (reason, message),
    };
    let starts = bridge.is_some_and(|bridge| {
        let Rollout { complete, wanted, .. } = facts.situation.observed.bridge_rollout(bridge);
        !complete && wanted > 0
    });
    // What has just begun is looked at when it has had its time, and what is in the way when it may be gone.
    let pause = if state == UpstreamState::Connecting { PATIENCE.unsigned_abs() } else { AGAIN };
    UpstreamVerdict {
        name: name.to_owned(),
        state,
        reason,
        message: message.map(|message| cut(&message, MAX_MESSAGE)),
        tools: told.map(|word| word.tools).unwrap_or_default(),
        revision: told.and_then(|word| word.revision.clone()),
        transport: told.and_then(|word| word.transport).map(wire),
        withheld: told.map(withheld::listed).unwrap_or_default(),
        withheld_count: told.map(|word| word.withheld_count).unwrap_or_default(),
        look_again: starts.then_some(pause),
    }
}

/// What compile says of one that it left out.
fn refused(facts: &Facts<'_>, product: &Product, name: &str) -> Option<Word> {
    if product.upstreams.iter().any(|served| served == name) {
        return None;
    }
    let observed = facts.situation.observed;
    let at = format!("spec.upstreams[{name}]");
    let report = &observed.compilation.report;
    let server = ObjectKey::server(&observed.server);
    // An error weighs more than a warning; what is not warned of either is not expected to be left out.
    let findings = || report.about(&server).filter(|finding| finding.field.starts_with(&at));
    let error = findings().find(|finding| finding.severity == Severity::Error);
    let Some(finding) = error.or_else(|| findings().next()) else {
        return Some((UpstreamState::Connecting, "NotServed".into(), Some("it is not served yet".into())));
    };
    let state = match finding.severity {
        Severity::Error => UpstreamState::Refused,
        Severity::Warning => UpstreamState::Connecting,
    };
    Some((state, finding.reason.as_str().into(), Some(finding.sentence())))
}

/// What keeps its workload from being written.
fn not_applied(facts: &Facts<'_>, name: &str) -> Option<Word> {
    let Outcome { conflicts, waits_for_deletion, failure } = facts.situation.applied.upstreams.get(name)?;
    if let Some(conflict) = conflicts.first() {
        let message = conflict.sentence("upstream");
        return Some((UpstreamState::Refused, "NameConflict".into(), Some(message)));
    }
    if let Some(failure @ Error::Refused { .. }) = failure {
        return Some((UpstreamState::Refused, failure.reason().into(), Some(failure.to_string())));
    }
    let message = "what a former server of this name left is still being deleted";
    waits_for_deletion.then(|| (UpstreamState::Connecting, "WaitingForDeletion".into(), Some(message.into())))
}

/// Credentials that the server's own pods need to ask it.
fn without_credentials(facts: &Facts<'_>, name: &str) -> Option<Word> {
    let user = CredentialUser::Upstream(name.to_owned());
    let missing: Vec<String> = facts.summary.missing_for(&user).map(conditions::missing_sentence).collect();
    let message = (!missing.is_empty()).then(|| conditions::named(missing))?;
    Some((UpstreamState::Unreachable, "SecretMissing".into(), Some(message)))
}

/// How far the workload of a program is, when it is not all there.
fn program(facts: &Facts<'_>, bridge: &Bridge, told: Option<&UpstreamWord>) -> Option<Word> {
    let observed = facts.situation.observed;
    let rollout = observed.bridge_rollout(bridge);
    if rollout.complete || rollout.wanted == 0 {
        return None;
    }
    let answers = told.is_some_and(|word| word.state == pod::UpstreamState::Connected);
    let trouble = facts.situation.upstream_troubles.get(&bridge.upstream);
    match (answers, trouble) {
        (true, Some(trouble)) => {
            let message = format!("{}. The program that ran before runs on", trouble.message);
            Some((UpstreamState::Connected, trouble.reason.into(), Some(message)))
        }
        (false, Some(trouble)) => {
            Some((UpstreamState::Unreachable, trouble.reason.into(), Some(trouble.message.clone())))
        }
        (false, None) if rollout.ready == 0 => Some(starting(facts, bridge, rollout)),
        (_, None) => None,
    }
}

/// Without a pod that is Ready. Only what was never there is on its way: what was there is gone.
fn starting(facts: &Facts<'_>, bridge: &Bridge, rollout: Rollout) -> Word {
    let status = facts.situation.observed.server.status.as_ref();
    let before = status.and_then(|it| it.upstreams.iter().find(|upstream| upstream.name == bridge.upstream));
    let was = before.map_or(UpstreamState::Connecting, |upstream| upstream.state);
    let name = &bridge.name;
    let message = format!(
        "Deployment {name} has no Ready pod: the program has not answered yet; see kubectl describe deployment {name} \
         and kubectl logs deployment/{name}"
    );
    if rollout.stuck || matches!(was, UpstreamState::Connected | UpstreamState::Unreachable) {
        (UpstreamState::Unreachable, "ProgramNotReady".into(), Some(message))
    } else {
        (UpstreamState::Connecting, "ProgramStarting".into(), Some(message))
    }
}

/// What the server's pods say of it.
fn reported(facts: &Facts<'_>, told: Option<&UpstreamWord>) -> Word {
    let Some(word) = told else {
        let (reason, message) = match (facts.summary.told, facts.rollout.wanted) {
            (true, _) => ("Connecting", None),
            (false, 0) => ("NoReadyPod", Some("no pod of the server runs".into())),
            (false, _) => ("NoReadyPod", Some("no pod of the server has told of it yet".into())),
        };
        return (UpstreamState::Connecting, reason.into(), message);
    };
    match word.state {
        pod::UpstreamState::Connecting => {
            (UpstreamState::Connecting, "Connecting".into(), word.message.clone())
        }
        pod::UpstreamState::Connected => (UpstreamState::Connected, "Connected".into(), word.message.clone()),
        pod::UpstreamState::Unreachable => {
            let message = word.message.clone().unwrap_or_else(|| "does not answer".into());
            (UpstreamState::Unreachable, "UpstreamUnreachable".into(), Some(message))
        }
    }
}

fn wire(wire: pod::UpstreamWire) -> UpstreamWire {
    match wire {
        pod::UpstreamWire::StreamableHttp => UpstreamWire::StreamableHttp,
        pod::UpstreamWire::HttpSse => UpstreamWire::HttpSse,
        pod::UpstreamWire::Stdio => UpstreamWire::Stdio,
    }
}

/// At most `most` characters: the API server refuses a whole status for one that is longer than its schema allows.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 3).chain("...".chars()).collect()
}

/// Condition `UpstreamsConnected`; absent without upstreams.
pub(super) fn connected(summary: &Summary, verdicts: &[UpstreamVerdict]) -> Option<Verdict> {
    if verdicts.is_empty() {
        return None;
    }
    let condition = |status: ConditionStatus, reason: &str, told: Vec<&UpstreamVerdict>, end: &str| {
        let message = format!("{}{end}", conditions::named(told.into_iter().map(sentence).collect()));
        Some(Verdict::new("UpstreamsConnected", status, reason, bounded(message)))
    };
    let with = |states: &[UpstreamState]| -> Vec<&UpstreamVerdict> {
        verdicts.iter().filter(|verdict| states.contains(&verdict.state)).collect()
    };
    let down = with(&[UpstreamState::Refused, UpstreamState::Unreachable]);
    if let Some(first) = down.first() {
        return condition(ConditionStatus::False, &first.reason, down.clone(), ". Everything else is served");
    }
    let connecting = with(&[UpstreamState::Connecting]);
    if !connecting.is_empty() {
        let reason = if summary.told { "Connecting" } else { "NoReadyPod" };
        return condition(ConditionStatus::Unknown, reason, connecting, "");
    }
    // They answer, but not all as declared: the next version of a program does not start.
    let troubled: Vec<&UpstreamVerdict> =
        verdicts.iter().filter(|verdict| verdict.reason != "Connected").collect();
    if let Some(first) = troubled.first() {
        return condition(ConditionStatus::True, &first.reason, troubled.clone(), "");
    }
    Some(Verdict::new("UpstreamsConnected", true, "Connected", "every upstream answers"))
}

fn sentence(verdict: &UpstreamVerdict) -> String {
    let message = verdict.message.as_deref().unwrap_or("it is asked for the first time");
    format!("upstream {}: {message}", verdict.name)
}

/// Gives verdicts their times: the old one where the state is what it was.
pub(in crate::server) fn settle(
    before: &[UpstreamStatus],
    verdicts: &[UpstreamVerdict],
    now: Timestamp,
) -> Vec<UpstreamStatus> {
    let status = |verdict: &UpstreamVerdict| {
        let old = before.iter().find(|old| old.name == verdict.name && old.state == verdict.state);
        UpstreamStatus {
            name: verdict.name.clone(),
            state: verdict.state,
            tools: i32::try_from(verdict.tools).unwrap_or(i32::MAX),
            revision: verdict.revision.clone(),
            transport: verdict.transport,
            since: old.map_or(Time(whole_seconds(now)), |old| old.since.clone()),
            message: verdict.message.clone(),
            withheld: verdict.withheld.clone(),
            withheld_count: i32::try_from(verdict.withheld_count).unwrap_or(i32::MAX),
        }
    };
    verdicts.iter().map(status).collect()
}
