use super::plain;
use crate::{
    children::ChildKind,
    fixtures::{BUNDLE, applied, defaults, observed, server, tool},
    fleet::Config,
    server::{Change, Observed, plan},
};
use serde_json::json;

fn changes(observed: &Observed) -> Vec<Change> {
    plan(observed, &BUNDLE.into(), &defaults()).unwrap().changes
}

fn updated(observed: &Observed) -> Vec<ChildKind> {
    changes(observed)
        .into_iter()
        .map(|change| match change {
            Change::Update(child) | Change::Create(child) => child.kind,
            Change::Prune { kind, .. } => kind,
        })
        .collect()
}

#[test]
fn nothing_is_written_at_steady_state() {
    assert_eq!(changes(&plain()).len(), 6, "a new server needs all its children");
    assert_eq!(changes(&applied(plain())), []);
}

#[test]
fn drift_is_repaired_and_foreign_fields_are_left_alone() {
    let mut drifted = applied(plain());
    for child in &mut drifted.children {
        match child.kind {
            ChildKind::Deployment => child.object["spec"]["replicas"] = json!(9),
            ChildKind::ConfigMap => child.object["binaryData"]["config.json.gz"] = json!("tampered"),
            _ => child.object["metadata"]["annotations"]["other"] = json!("theirs"),
        }
    }
    assert_eq!(updated(&drifted), [ChildKind::ConfigMap, ChildKind::Deployment]);
}

#[test]
fn a_candidate_waits_outside_the_configmap() {
    let before = applied(plain());
    let mut changed = observed(server(json!({})), &[tool("hello", json!({"description": "Says more."}))]);
    changed.children.clone_from(&before.children);
    changed.accepted.clone_from(&before.accepted);
    assert_eq!(changes(&changed), [], "a runtime must accept it first");
    changed.accepted = Some(Config::new(2, changed.compilation.product.as_ref().unwrap().encoded.clone()));
    assert_eq!(updated(&changed), [ChildKind::ConfigMap]);
    let unknown = Observed { accepted: None, ..changed };
    assert_eq!(changes(&unknown), [], "what pods boot from is kept");
}

#[test]
fn kubectl_rollout_restart_survives() {
    let mut restarted = applied(plain());
    let deployment = restarted.children.iter_mut().find(|child| child.kind == ChildKind::Deployment).unwrap();
    deployment.object["spec"]["template"]["metadata"]["annotations"] =
        json!({"kubectl.kubernetes.io/restartedAt": "now"});
    assert_eq!(changes(&restarted), []);
}

#[test]
fn a_field_that_is_no_longer_wanted_is_taken_back() {
    let with = applied(observed(
        server(json!({"template": {"nodeSelector": {"a": "b"}}})),
        &[tool("hello", json!({}))],
    ));
    let without = Observed { children: with.children, ..plain() };
    assert_eq!(updated(&without), [ChildKind::Deployment], "the subset alone would not notice");
}

#[test]
fn a_refused_server_keeps_what_runs() {
    let mut refused = applied(plain());
    let broken = observed(server(json!({"auth": {}})), &[]);
    refused.compilation = broken.compilation;
    assert!(refused.compilation.product.is_none());
    assert_eq!(changes(&refused), []);
}

#[test]
fn what_is_ours_and_not_wanted_is_pruned_and_nothing_else() {
    let mut grown = applied(plain());
    let mut extra = grown.children[0].clone();
    extra.metadata.name = Some("support-old".into());
    let mut foreign = extra.clone();
    foreign.metadata.owner_references = None;
    grown.children.extend([extra, foreign]);
    let expected = Change::Prune {
        kind: ChildKind::ServiceAccount,
        name: "support-old".into(),
        uid: "uid-of-child".into(),
        upstream: None,
    };
    assert_eq!(changes(&grown), [expected]);
}

#[test]
fn a_child_of_another_owner_is_looked_at_before_anything() {
    let mut taken = applied(plain());
    taken.children[2].metadata.owner_references = None;
    assert!(
        matches!(changes(&taken).as_slice(), [Change::Create(child)] if child.kind == ChildKind::Service)
    );
}

/// `support` with a program, of a tool `hello` as well.
fn with_program(replicas: i32) -> Observed {
    let files = json!({"name": "files", "stdio": {"image": "files:1", "command": ["files-mcp"]}});
    observed(server(json!({"upstreams": [files], "replicas": replicas})), &[tool("hello", json!({}))])
}

#[test]
fn a_program_has_four_objects_and_nothing_is_written_of_them_at_steady_state() {
    let of_program = |changes: Vec<Change>| {
        changes.into_iter().filter(|change| change.upstream() == Some("files")).count()
    };
    assert_eq!(of_program(changes(&with_program(1))), 4);
    assert_eq!(changes(&applied(with_program(1))), []);
    let scaled = Observed { children: applied(with_program(1)).children, ..with_program(3) };
    assert_eq!(updated(&scaled), [ChildKind::Deployment], "one process is one process");
    let idle = Observed { children: applied(with_program(1)).children, ..with_program(0) };
    assert_eq!(updated(&idle), [ChildKind::Deployment, ChildKind::Deployment], "and none for nobody");
}

fn pruned(observed: &Observed) -> Vec<ChildKind> {
    let kind = |change: Change| match change {
        Change::Prune { kind, upstream, .. } => {
            assert_eq!(upstream.as_deref(), Some("files"));
            Some(kind)
        }
        Change::Create(_) | Change::Update(_) => None,
    };
    changes(observed).into_iter().filter_map(kind).collect()
}

#[test]
fn a_program_that_is_no_longer_declared_is_pruned_and_its_guard_comes_last() {
    let mut removed = Observed { children: applied(with_program(1)).children, ..plain() };
    assert_eq!(pruned(&removed), [ChildKind::ServiceAccount, ChildKind::Service, ChildKind::Deployment]);
    removed.children.retain(|child| {
        child.upstream().is_none()
            || !matches!(child.kind, ChildKind::ServiceAccount | ChildKind::Service | ChildKind::Deployment)
    });
    assert_eq!(pruned(&removed), [ChildKind::NetworkPolicy], "its pods have gone");
}

#[test]
fn a_program_runs_on_until_a_pod_serves_without_it() {
    let before = applied(with_program(1));
    let waiting = Observed { children: before.children.clone(), accepted: before.accepted, ..plain() };
    assert_eq!(pruned(&waiting), []);
    let unknown = Observed { children: before.children, accepted: None, ..plain() };
    assert_eq!(pruned(&unknown), []);
}
