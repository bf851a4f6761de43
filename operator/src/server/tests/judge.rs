use super::{plain, with_status};
use crate::{
    children::ChildKind,
    condition::Verdict,
    error::Error,
    fixtures::{answer, applied, deployment, observed, server, serving, situation, tool, tool_with_secret},
    fleet::Answer,
    server::{Applied, Conflict, Observed, Outcome, Trouble, judge},
};
use mcpfleet_config::{
    ConfigHash, CredentialRef,
    status::{CredentialUser, MissingCredential, PodStatus, Rejected, TlsStatus},
};
use mcpfleet_crds::v1alpha1::ConditionStatus;
use serde_json::{Value, json};
use std::sync::Arc;

fn verdict<'a>(verdicts: &'a [Verdict], type_: &str) -> Option<&'a Verdict> {
    verdicts.iter().find(|verdict| verdict.type_ == type_)
}

/// What the conditions say, as one line.
fn told_of(observed: &Observed, applied: &Applied, trouble: Option<&Trouble>) -> String {
    let verdicts = judge(&situation(observed, applied, trouble)).verdicts;
    let holds = |type_: &str| verdict(&verdicts, type_).is_some_and(|v| v.status == ConditionStatus::True);
    let not = |type_: &str| if holds(type_) { "" } else { "not " };
    let reason = &verdict(&verdicts, "Ready").expect("Ready is always present").reason;
    let mut line = format!("{}Available, {}Ready: {reason}", not("Available"), not("Ready"));
    for type_ in ["Reconciling", "Stalled"].into_iter().filter(|type_| holds(type_)) {
        line = format!("{line}, {type_}");
    }
    line
}

fn told(observed: &Observed, trouble: Option<&Trouble>) -> String {
    told_of(observed, &Applied::default(), trouble)
}

fn of_own(own: Outcome) -> Applied {
    Applied { own, ..Applied::default() }
}

fn with_one_tool(spec: Value) -> Observed {
    observed(server(spec), &[tool("hello", json!({}))])
}

#[test]
fn what_stands_in_the_way_of_children_is_told() {
    let conflict = Conflict { kind: ChildKind::Service, name: "support".into(), controller: None };
    let taken = of_own(Outcome { conflicts: vec![conflict], ..Outcome::default() });
    assert_eq!(told_of(&plain(), &taken, None), "not Available, not Ready: NameConflict, Stalled");
    let leftover = of_own(Outcome { waits_for_deletion: true, ..Outcome::default() });
    assert_eq!(
        told_of(&plain(), &leftover, None),
        "not Available, not Ready: WaitingForDeletion, Reconciling"
    );
}

#[test]
fn a_rollout_is_told_with_what_holds_it_up() {
    assert_eq!(told(&serving(plain()), None), "Available, Ready: Serving");
    let starting = Observed {
        deployment: Some(Arc::new(deployment(1, 1, 0))),
        answers: Some(Arc::default()),
        ..applied(plain())
    };
    assert_eq!(told(&starting, None), "not Available, not Ready: RolloutInProgress, Reconciling");
    let pull = Trouble { reason: "ImagePullFailed", message: "image x".into() };
    assert_eq!(told(&starting, Some(&pull)), "not Available, not Ready: ImagePullFailed, Reconciling");
    let rolling = Observed { deployment: Some(Arc::new(deployment(1, 0, 1))), ..serving(plain()) };
    assert_eq!(told(&rolling, None), "Available, not Ready: RolloutInProgress, Reconciling");
    assert_eq!(told(&rolling, Some(&pull)), "Available, not Ready: ImagePullFailed, Reconciling");
}

#[test]
fn idle_at_zero_is_ready() {
    let idle = || with_one_tool(json!({"replicas": 0}));
    assert_eq!(told(&serving(idle()), None), "not Available, Ready: Idle");
    let draining = Observed { deployment: Some(Arc::new(deployment(1, 1, 1))), ..serving(idle()) };
    assert_eq!(told(&draining, None), "Available, not Ready: ScalingDown, Reconciling");
}

#[test]
fn errors_of_the_server_fail_the_change_while_users_are_served() {
    let broken = observed(server(json!({"auth": {}})), &[]).compilation;
    let refused = Observed { compilation: broken, ..serving(plain()) };
    assert_eq!(told(&refused, None), "Available, not Ready: AuthMissing, Stalled");
    let empty = serving(observed(server(json!({})), &[]));
    assert_eq!(told(&empty, None), "Available, not Ready: NothingSelected, Stalled");
    let wanted = plain().compilation.product.as_ref().unwrap().encoded.hash.clone();
    let rejected = with_status(serving(plain()), |status| {
        status.config_hash = Some(ConfigHash::of(b"old"));
        status.rejected = Some(Rejected { hash: wanted.clone(), message: "newer format".into() });
    });
    assert_eq!(told(&rejected, None), "Available, not Ready: ConfigRejected, Stalled");
    let verdicts = judge(&situation(&rejected, &Applied::default(), None)).verdicts;
    let synced = verdict(&verdicts, "ConfigSynced").unwrap();
    assert_eq!((synced.status, synced.reason.as_str()), (ConditionStatus::False, "ConfigRejected"));
    assert!(
        synced.message.contains("pod support-0") && synced.message.contains("newer format"),
        "{}",
        synced.message
    );
    let tls = serving(with_one_tool(json!({"tls": {"secretRef": {"name": "cert"}}})));
    let tls = with_status(tls, |status| {
        status.tls = Some(TlsStatus { loaded: false, message: Some("expired".into()) });
    });
    assert_eq!(told(&tls, None), "Available, not Ready: CertificateInvalid, Stalled");
}

#[test]
fn config_that_has_not_arrived_keeps_it_unready() {
    let behind = with_status(serving(plain()), |status| status.config_hash = Some(ConfigHash::of(b"old")));
    assert_eq!(told(&behind, None), "Available, not Ready: ConfigPropagating, Reconciling");
    let mut silent = serving(plain());
    let unconnected = silent.answers.iter().flat_map(|answers| answers.iter().cloned());
    let unconnected = unconnected.map(|answer| Answer { status: None, ..answer }).collect();
    silent.answers = Some(Arc::new(unconnected));
    assert_eq!(told(&silent, None), "Available, not Ready: PodsUnreachable, Reconciling");
}

#[test]
fn a_refused_tool_costs_its_author_an_error_and_nobody_else_anything() {
    let bad = tool("bad", json!({"inputSchema": {"type": "no such type"}}));
    let observed = serving(observed(server(json!({})), &[tool("hello", json!({})), bad]));
    let verdicts = judge(&situation(&observed, &Applied::default(), None)).verdicts;
    let accepted = verdict(&verdicts, "ToolsAccepted").unwrap();
    assert_eq!((accepted.status, accepted.reason.as_str()), (ConditionStatus::False, "ToolsRefused"));
    assert!(accepted.message.contains("McpTool bad: spec.inputSchema"), "{}", accepted.message);
    assert_eq!(verdict(&verdicts, "Ready").unwrap().status, ConditionStatus::True);
}

#[test]
fn a_missing_secret_is_named_with_what_needs_it() {
    let observed =
        serving(observed(server(json!({})), &[tool("hello", json!({})), tool_with_secret("orders", "db")]));
    let observed = with_status(observed, |status| {
        let credential = CredentialRef { secret: "db".into(), key: "token".into() };
        let used_by = vec![CredentialUser::Tool("orders".into())];
        status.missing_credentials = vec![MissingCredential { credential, used_by }];
    });
    let verdicts = judge(&situation(&observed, &Applied::default(), None)).verdicts;
    let accepted = verdict(&verdicts, "ToolsAccepted").unwrap();
    assert_eq!((accepted.status, accepted.reason.as_str()), (ConditionStatus::False, "SecretMissing"));
    assert!(
        accepted.message.starts_with("McpTool orders: Secret db has no usable key token"),
        "{}",
        accepted.message
    );
    assert_eq!(verdict(&verdicts, "Ready").unwrap().status, ConditionStatus::True);
}

#[test]
fn a_write_that_is_refused_is_told() {
    let status: kube::core::Status =
        serde_json::from_value(json!({"code": 403, "message": "exceeded quota"})).unwrap();
    let error = Error::of_child(ChildKind::Service, "support", kube::Error::Api(Box::new(status)));
    let applied = of_own(Outcome { failure: Some(error), ..Outcome::default() });
    let observed = plain();
    let verdicts = judge(&situation(&observed, &applied, None)).verdicts;
    let ready = verdict(&verdicts, "Ready").unwrap();
    assert_eq!(ready.reason, "ApplyRefused");
    assert!(
        ready.message.contains("Service support") && ready.message.contains("exceeded quota"),
        "{}",
        ready.message
    );
}

#[test]
fn objects_of_one_apply_may_come_one_after_the_other() {
    let mut young = server(json!({}));
    young.metadata.creation_timestamp = Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(
        jiff::Timestamp::from_second(1_800_000_000 - 2).unwrap(),
    ));
    let observed = serving(observed(young, &[]));
    assert_eq!(told(&observed, None), "Available, not Ready: NothingSelected, Reconciling");
    assert!(judge(&situation(&observed, &Applied::default(), None)).look_again.is_some());
}

#[test]
fn an_answer_of_a_pod_that_is_not_ready_explains_the_rollout() {
    let not_ready = PodStatus { not_ready_reason: Some("handshake failed".into()), ..PodStatus::default() };
    let observed = Observed {
        deployment: Some(Arc::new(deployment(1, 1, 0))),
        answers: Some(Arc::new(vec![answer("support-0", not_ready)])),
        ..applied(plain())
    };
    let verdicts = judge(&situation(&observed, &Applied::default(), None)).verdicts;
    assert!(verdict(&verdicts, "Ready").unwrap().message.contains("support-0 says: handshake failed"));
}
