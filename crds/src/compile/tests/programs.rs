//! Upstreams that are programs: on a laptop a child of the runtime, in a cluster a workload behind a bridge.

use super::{
    fleets::{Fleet, server},
    properties::word,
};
use crate::{
    compile::{Bridge, Placement, Reason, stdio::object_name},
    v1alpha1::{EnvVar, EnvVarSource, Processes, SecretKeyRef, Stdio},
};
use k8s_openapi::api::core::v1::LocalObjectReference;
use mcpfleet_config::{self as config, CredentialRef, EnvValue, UpstreamTransport};
use proptest::{collection::vec, option, prelude::*, sample::select};

const FILES: &str = "upstreams: [{name: files, stdio: {image: 'files:1', command: [files-mcp, /data], \
    processes: PerSession, imagePullSecrets: [{name: pull}], env: [{name: TOKEN, valueFrom: {secretKeyRef: \
    {name: files, key: token}}}, {name: MODE, value: ro}]}}]";

fn files() -> Fleet {
    Fleet::of(server("shop", FILES))
}

fn variables() -> Vec<config::EnvVar> {
    let token = CredentialRef { secret: "files".into(), key: "token".into() };
    vec![
        config::EnvVar { name: "MODE".into(), value: EnvValue::Literal("ro".into()) },
        config::EnvVar { name: "TOKEN".into(), value: EnvValue::Credential(token) },
    ]
}

#[test]
fn in_a_cluster_a_program_is_a_workload_and_a_url() {
    let compiled = files().compile().unwrap();
    let url = "http://shop-files.agents.svc/mcp".to_owned();
    assert_eq!(
        compiled.config.upstreams[0].transport,
        UpstreamTransport::StreamableHttp { url, headers: Vec::new() }
    );
    let expected = Bridge {
        upstream: "files".into(),
        name: "shop-files".into(),
        image: "files:1".into(),
        command: vec!["files-mcp".into(), "/data".into()],
        env: variables(),
        processes: config::Processes::PerSession,
        resources: None,
        image_pull_secrets: vec!["pull".into()],
    };
    assert_eq!(compiled.bridges, [expected]);
    assert!(compiled.pod.credentials.is_empty(), "the server's own pods have nothing to do with its Secrets");
    assert_eq!(compiled.report.findings, []);
}

#[test]
fn on_a_laptop_the_runtime_starts_it() {
    let placement = Placement::Standalone { base_url: "http://127.0.0.1:8080".into() };
    let compiled = files().compile_at(&placement).unwrap();
    let command = vec!["files-mcp".into(), "/data".into()];
    assert_eq!(
        compiled.config.upstreams[0].transport,
        UpstreamTransport::Stdio { command, env: variables(), processes: config::Processes::PerSession }
    );
    assert_eq!(compiled.bridges, []);
}

#[test]
fn names_of_workloads_fit_and_stay_apart() {
    assert_eq!(object_name("shop", "files"), "shop-files");
    let long = |end: char| object_name(&"s".repeat(40), &format!("{}{end}", "u".repeat(40)));
    assert_ne!(long('a'), long('b'), "what is cut is told apart by a hash");
    assert_ne!(object_name("a", "b-c"), object_name("a-b", "c"), "each server has its own");
    for name in [long('a'), object_name(&format!("{}-", "s".repeat(52)), "upstream-and-more")] {
        assert!(name.len() <= 63 && !name.contains("--") && !name.ends_with('-'), "{name}");
    }
}

#[test]
fn a_program_that_cannot_run_is_refused_with_its_field() {
    let refused = |stdio: &str| {
        let spec = format!("upstreams: [{{name: x, stdio: {stdio}}}, {}", &FILES["upstreams: [".len()..]);
        let compiled = Fleet::of(server("shop", &spec)).compile().unwrap();
        assert_eq!(compiled.bridges.len(), 1, "the other one runs");
        let finding = compiled.report.errors().next().unwrap();
        (finding.field.clone(), finding.reason)
    };
    let at = |field: &str| format!("spec.upstreams[x].stdio.{field}");
    assert_eq!(refused("{image: i, command: ['']}"), (at("command"), Reason::InvalidContent));
    assert_eq!(refused("{image: 'a b', command: [c]}"), (at("image"), Reason::InvalidContent));
    let env = |variables: &str| refused(&format!("{{image: i, command: [c], env: [{variables}]}}"));
    assert_eq!(env("{name: 1A}"), (at("env[1A].name"), Reason::InvalidName));
    assert_eq!(env("{name: A}, {name: A}"), (at("env[A].name"), Reason::DuplicateName));
    let secret = "{name: ../etc, key: k}";
    assert_eq!(
        env(&format!("{{name: A, valueFrom: {{secretKeyRef: {secret}}}}}")),
        (at("env[A].valueFrom.secretKeyRef.name"), Reason::InvalidName)
    );
}

#[test]
fn the_first_of_a_name_is_the_one_that_runs() {
    let spec = "upstreams: [{name: a, stdio: {image: 'one:1', command: [c]}}, \
                {name: a, stdio: {image: 'two:1', command: [c]}}]";
    let compiled = Fleet::of(server("shop", spec)).compile().unwrap();
    let images: Vec<&str> = compiled.bridges.iter().map(|bridge| bridge.image.as_str()).collect();
    assert_eq!(images, ["one:1"]);
}

/// Programs, some of which nobody could run.
pub(super) fn program() -> impl Strategy<Value = Stdio> {
    let reference =
        (word(), word()).prop_map(|(name, key)| EnvVarSource { secret_key_ref: SecretKeyRef { name, key } });
    let variable = (word(), option::of(word()), option::of(reference))
        .prop_map(|(name, value, value_from)| EnvVar { name, value, value_from });
    let processes = select(vec![Processes::Shared, Processes::PerSession]);
    (word(), vec(word(), 0..3), vec(variable, 0..3), processes, vec(word(), 0..2)).prop_map(
        |(image, command, env, processes, secrets)| Stdio {
            image,
            command,
            env,
            processes,
            resources: None,
            image_pull_secrets: secrets.into_iter().map(|name| LocalObjectReference { name }).collect(),
        },
    )
}
