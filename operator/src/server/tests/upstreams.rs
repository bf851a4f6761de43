//! What is told of upstreams, and that it is told of them alone.

use super::{plain, with_status};
use crate::{
    children::ChildKind,
    condition::Verdict,
    error::Error,
    fixtures::{deployment, observed, server, serving, situation, tool},
    server::{Applied, Conflict, Judgement, Observed, Outcome, Situation, Trouble, judge, status::compose},
};
use k8s_openapi::api::apps::v1::Deployment;
use mcpfleet_config::{
    CredentialRef,
    status::{self as pod, CredentialUser, MissingCredential},
};
use mcpfleet_crds::v1alpha1::{ConditionStatus, McpServerStatus, UpstreamState, UpstreamStatus};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

pub(super) const NOBODY: &BTreeMap<String, Trouble> = &BTreeMap::new();

/// `support` with upstreams, serving.
pub(super) fn with(upstreams: &Value) -> Observed {
    serving(observed(server(json!({"upstreams": upstreams})), &[tool("hello", json!({}))]))
}

pub(super) fn remote() -> Value {
    json!([{"name": "crm", "remote": {"url": "https://crm.example.com/mcp"}}])
}

fn program() -> Value {
    json!([{"name": "files", "stdio": {"image": "files:1", "command": ["files-mcp"]}}])
}

pub(super) fn saying(
    observed: Observed,
    name: &str,
    state: pod::UpstreamState,
    message: Option<&str>,
) -> Observed {
    let told: pod::UpstreamStatus = serde_json::from_value(json!({
        "name": name, "state": state, "tools": 4, "message": message,
        "revision": "2025-11-25", "transport": "StreamableHttp",
    }))
    .unwrap();
    with_status(observed, |status| status.upstreams = vec![told.clone()])
}

/// The Deployment of program `files`, with `ready` pods of one.
fn running(observed: Observed, ready: i32) -> Observed {
    let mut deployment: Deployment = deployment(1, 1, ready);
    deployment.metadata.name = Some("support-files".into());
    Observed { bridges: vec![Arc::new(deployment)], ..observed }
}

fn judged(observed: &Observed, applied: &Applied, troubles: &BTreeMap<String, Trouble>) -> Judgement {
    judge(&Situation { upstream_troubles: troubles, ..situation(observed, applied, None) })
}

fn verdict<'a>(judgement: &'a Judgement, type_: &str) -> &'a Verdict {
    judgement.verdicts.iter().find(|verdict| verdict.type_ == type_).unwrap()
}

/// State of the only upstream, and status, reason and message of the condition. The server is Ready whatever comes.
pub(super) fn told(
    observed: &Observed,
    applied: &Applied,
    troubles: &BTreeMap<String, Trouble>,
) -> (UpstreamState, ConditionStatus, String, String) {
    let judgement = judged(observed, applied, troubles);
    let ready = verdict(&judgement, "Ready");
    assert_eq!(ready.status, ConditionStatus::True, "{}: {}", ready.reason, ready.message);
    let condition = verdict(&judgement, "UpstreamsConnected");
    let upstreams = judgement.upstreams.as_deref().unwrap();
    assert_eq!(upstreams.len(), 1);
    (upstreams[0].state, condition.status, condition.reason.clone(), condition.message.clone())
}

pub(super) fn status_of(observed: &Observed, before: &McpServerStatus) -> McpServerStatus {
    let applied = Applied::default();
    let situation = situation(observed, &applied, None);
    compose(before, &situation, &judge(&situation))
}

/// As if that had been reported before.
fn reported(observed: Observed, status: McpServerStatus) -> Observed {
    let mut object = observed.server.as_ref().clone();
    object.status = Some(status);
    Observed { server: Arc::new(object), ..observed }
}

#[test]
fn without_upstreams_there_is_nothing_to_tell() {
    let judgement = judged(&serving(plain()), &Applied::default(), NOBODY);
    assert!(judgement.verdicts.iter().all(|verdict| verdict.type_ != "UpstreamsConnected"));
    assert_eq!(judgement.upstreams, Some(Vec::new()));
}

#[test]
fn an_upstream_that_is_down_costs_its_own_part() {
    let told = |state: pod::UpstreamState| {
        let observed = saying(with(&remote()), "crm", state, Some("refused"));
        let (state, status, reason, message) = told(&observed, &Applied::default(), NOBODY);
        (state, status, reason, message.contains("upstream crm: refused"))
    };
    assert_eq!(
        told(pod::UpstreamState::Unreachable),
        (UpstreamState::Unreachable, ConditionStatus::False, "UpstreamUnreachable".into(), true)
    );
    assert_eq!(
        told(pod::UpstreamState::Connecting),
        (UpstreamState::Connecting, ConditionStatus::Unknown, "Connecting".into(), true)
    );
    assert_eq!(
        told(pod::UpstreamState::Connected),
        (UpstreamState::Connected, ConditionStatus::True, "Connected".into(), false)
    );
}

#[test]
fn a_missing_secret_of_an_upstream_is_its_own_affair() {
    let observed = saying(with(&remote()), "crm", pod::UpstreamState::Unreachable, Some("401"));
    let observed = with_status(observed, |status| {
        let credential = CredentialRef { secret: "crm".into(), key: "token".into() };
        let used_by = vec![CredentialUser::Upstream("crm".into())];
        status.missing_credentials = vec![MissingCredential { credential, used_by }];
    });
    let (state, status, reason, message) = told(&observed, &Applied::default(), NOBODY);
    assert_eq!((state, status), (UpstreamState::Unreachable, ConditionStatus::False));
    assert_eq!(reason, "SecretMissing");
    assert!(message.contains("upstream crm: Secret crm has no usable key token"), "{message}");
}

#[test]
fn a_program_that_starts_is_on_its_way_and_one_that_is_gone_is_not() {
    let starting = running(saying(with(&program()), "files", pod::UpstreamState::Unreachable, None), 0);
    let (state, status, reason, message) = told(&starting, &Applied::default(), NOBODY);
    assert_eq!((state, status), (UpstreamState::Connecting, ConditionStatus::Unknown));
    assert_eq!(reason, "Connecting");
    assert!(message.contains("kubectl logs deployment/support-files"), "{message}");
    assert!(
        judged(&starting, &Applied::default(), NOBODY).look_again.is_some(),
        "nobody tells of a bad image"
    );

    let connected = running(saying(with(&program()), "files", pod::UpstreamState::Connected, None), 1);
    let settled = judged(&connected, &Applied::default(), NOBODY);
    assert_eq!(
        (verdict(&settled, "UpstreamsConnected").reason.as_str(), settled.look_again),
        ("Connected", None)
    );
    let lost = reported(starting, status_of(&connected, &McpServerStatus::default()));
    let (state, status, reason, _) = told(&lost, &Applied::default(), NOBODY);
    assert_eq!((state, status), (UpstreamState::Unreachable, ConditionStatus::False));
    assert_eq!(reason, "ProgramNotReady");
}

#[test]
fn an_image_that_cannot_be_pulled_is_told_whether_or_not_an_older_one_runs() {
    let pull = Trouble { reason: "ImagePullFailed", message: "image files:2 cannot be pulled".into() };
    let troubles = BTreeMap::from([("files".to_owned(), pull)]);
    let nothing = running(saying(with(&program()), "files", pod::UpstreamState::Unreachable, None), 0);
    let (state, status, reason, message) = told(&nothing, &Applied::default(), &troubles);
    assert_eq!((state, status), (UpstreamState::Unreachable, ConditionStatus::False));
    assert_eq!(reason, "ImagePullFailed");
    assert!(message.ends_with("cannot be pulled. Everything else is served"), "{message}");

    let mut older = running(saying(with(&program()), "files", pod::UpstreamState::Connected, None), 1);
    let mut rolling = deployment(1, 0, 1);
    rolling.metadata.name = Some("support-files".into());
    older.bridges = vec![Arc::new(rolling)];
    let (state, status, reason, message) = told(&older, &Applied::default(), &troubles);
    assert_eq!((state, status), (UpstreamState::Connected, ConditionStatus::True));
    assert_eq!(reason, "ImagePullFailed");
    assert!(message.contains("runs on"), "{message}");
}

#[test]
fn what_stands_in_the_way_of_a_program_is_told_of_it_alone() {
    let observed = saying(with(&program()), "files", pod::UpstreamState::Unreachable, None);
    let of_files = |outcome: Outcome| Applied {
        upstreams: BTreeMap::from([("files".to_owned(), outcome)]),
        ..Applied::default()
    };
    let conflict = Conflict { kind: ChildKind::Service, name: "support-files".into(), controller: None };
    let taken = of_files(Outcome { conflicts: vec![conflict], ..Outcome::default() });
    let (state, status, reason, message) = told(&observed, &taken, NOBODY);
    assert_eq!((state, status), (UpstreamState::Refused, ConditionStatus::False));
    assert_eq!(reason, "NameConflict");
    assert!(message.contains("give the upstream another name"), "{message}");

    let refusal: kube::core::Status =
        serde_json::from_value(json!({"code": 403, "message": "exceeded quota"})).unwrap();
    let refusal = kube::Error::Api(Box::new(refusal));
    let error = Error::of_child(ChildKind::Deployment, "support-files", refusal);
    let refused = of_files(Outcome { failure: Some(error), ..Outcome::default() });
    let (state, _, reason, message) = told(&observed, &refused, NOBODY);
    assert_eq!((state, reason.as_str()), (UpstreamState::Refused, "ApplyRefused"));
    assert!(message.contains("exceeded quota"), "{message}");
}

#[test]
fn a_declaration_that_is_refused_is_listed_with_its_field() {
    let upstreams = json!([{"name": "files", "stdio": {"image": "a b", "command": ["files-mcp"]}}]);
    let judgement = judged(&with(&upstreams), &Applied::default(), NOBODY);
    let listed = &judgement.upstreams.as_deref().unwrap()[0];
    assert_eq!((listed.state, listed.reason.as_str()), (UpstreamState::Refused, "InvalidContent"));
    let message = listed.message.as_deref().unwrap();
    assert!(message.contains("spec.upstreams[files].stdio.image"), "{message}");
}

#[test]
fn what_was_reported_is_what_there_is_to_report() {
    let connected = saying(with(&remote()), "crm", pod::UpstreamState::Connected, None);
    let first = status_of(&connected, &McpServerStatus::default());
    let stored: McpServerStatus = serde_json::from_value(serde_json::to_value(&first).unwrap()).unwrap();
    assert_eq!(status_of(&connected, &stored), stored, "nothing is written at steady state");
    let UpstreamStatus { tools, revision, .. } = &stored.upstreams[0];
    assert_eq!((*tools, revision.as_deref(), stored.tools), (4, Some("2025-11-25"), 5));

    let mut old = stored.clone();
    old.upstreams[0].since = serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap();
    assert_eq!(status_of(&connected, &old), old, "the time stays with the state");
    let down = saying(with(&remote()), "crm", pod::UpstreamState::Unreachable, Some("refused"));
    assert_ne!(status_of(&down, &old).upstreams[0].since, old.upstreams[0].since);
}

#[test]
fn a_refused_server_keeps_what_was_reported() {
    let connected = saying(with(&remote()), "crm", pod::UpstreamState::Connected, None);
    let before = status_of(&connected, &McpServerStatus::default());
    let broken = observed(server(json!({"auth": {}, "upstreams": remote()})), &[]).compilation;
    let refused = Observed { compilation: broken, ..connected };
    assert_eq!(status_of(&refused, &before).upstreams, before.upstreams);
}
