//! Compiles what manifests declare, and gathers everything that there is to say about it. Pure.

use super::{
    lock::{self, Lock},
    manifests::{Locked, Manifests},
    problem::{Problem, Severity},
};
use crate::catalog::needs::credential_users;
use mcpfleet_config::{WHOLE_SECRET, status::CredentialUser};
use mcpfleet_crds::compile::{
    self, Compiled, Inputs, Kind, ObjectKey, Placement, Reason, Refused, Report, Surroundings, check_route,
    check_tool,
};
use std::collections::{BTreeMap, BTreeSet};

/// What became of the manifests.
#[derive(Debug)]
pub struct Checked {
    /// Each server, by `namespace/name`.
    pub servers: BTreeMap<String, Result<Compiled, Refused>>,
    /// Everything to say: by file, line and field.
    pub problems: Vec<Problem>,
}

impl Checked {
    /// Whether anything is not served that is declared.
    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(|problem| problem.severity == Severity::Error)
    }
}

/// Compiles every server, and looks at tools and routes that no server selects.
pub fn check(manifests: &Manifests, placement: &Placement) -> Checked {
    let tools: Vec<_> = manifests.tools.values().collect();
    let routes: Vec<_> = manifests.routes.values().collect();
    let servers: Vec<_> = manifests.servers.values().collect();
    let grants: Vec<_> = manifests.grants.iter().collect();
    let services: Vec<_> = manifests.services.iter().collect();
    let mut problems = manifests.problems.clone();
    let mut selected = BTreeSet::new();
    let mut outcomes = BTreeMap::new();
    for (key, server) in &manifests.servers {
        let surroundings = Surroundings::of_manifests(&grants, &services);
        let inputs =
            Inputs { server, tools: &tools, routes: &routes, servers: &servers, surroundings, placement };
        let mut outcome = compile::compile(&inputs);
        if let (Ok(compiled), Locked::Read(lock), Placement::Standalone { .. }) =
            (&mut outcome, &manifests.lock, placement)
        {
            problems.extend(apply(lock, compiled).map(|problem| placed(manifests, key, problem)));
        }
        let report = match &outcome {
            Ok(compiled) => {
                problems.extend(undeclared_secrets(manifests, key, compiled));
                &compiled.report
            }
            Err(refused) => &refused.report,
        };
        selected.extend(report.verdicts.keys().cloned());
        problems.extend(findings(manifests, report));
        outcomes.insert(format!("{}/{}", key.namespace, key.name), outcome);
    }
    problems.extend(unselected(manifests, &selected));
    problems.sort();
    problems.dedup();
    Checked { servers: outcomes, problems }
}

/// Pins by a lock file what is not pinned by its spec. A lock that was read leaves a configuration valid.
fn apply(lock: &Lock, compiled: &mut Compiled) -> Option<Problem> {
    let mut config = compiled.config.clone();
    let pinned = lock.apply(&mut config);
    let encoded = config.validate().map_err(|error| error.to_string());
    match encoded.and_then(|()| config.encode().map_err(|error| error.to_string())) {
        Ok(encoded) => {
            let told = pinned.iter().map(|name| format!("spec.upstreams[{name}].tools.pins"));
            let told: BTreeSet<String> = told.collect();
            let findings = &mut compiled.report.findings;
            findings.retain(|it| it.reason != Reason::PinsMissing || !told.contains(&it.field));
            (compiled.config, compiled.encoded) = (config, encoded);
            None
        }
        Err(reason) => {
            Some(Problem::error(lock::UNUSABLE, reason, "write it anew with mcp-runtime pin --write"))
        }
    }
}

fn findings(manifests: &Manifests, report: &Report) -> Vec<Problem> {
    let place = |object: &ObjectKey| manifests.places.get(object);
    report.findings.iter().map(|finding| Problem::of_finding(finding, place(&finding.object))).collect()
}

fn unselected(manifests: &Manifests, selected: &BTreeSet<ObjectKey>) -> Vec<Problem> {
    let tools = manifests.tools.iter().map(|(key, tool)| (key, check_tool(tool)));
    let routes = manifests.routes.iter().map(|(key, route)| (key, check_route(route)));
    let mut problems = Vec::new();
    for (key, report) in tools.chain(routes).filter(|(key, _)| !selected.contains(*key)) {
        problems.extend(findings(manifests, &report));
        // Files of tools alone are a library, not a mistake.
        if !manifests.servers.is_empty() {
            let remedy = "label it as a server's selector asks, in the server's namespace";
            problems.push(placed(
                manifests,
                key,
                Problem::warning("NotSelected", "no server selects it", remedy),
            ));
        }
    }
    problems
}

fn undeclared_secrets(manifests: &Manifests, server: &ObjectKey, compiled: &Compiled) -> Vec<Problem> {
    const REMEDY: &str =
        "declare the Secret, create it in the cluster, or set MCPFLEET_SECRET_<SECRET>_<KEY>";
    let namespace = &server.namespace;
    let declared = manifests.secrets_of(namespace);
    let mut problems = Vec::new();
    for (credential, users) in credential_users(&compiled.config) {
        let whole = credential.key == WHOLE_SECRET;
        if declared.contains_key(&credential)
            || (whole && manifests.has_secret(namespace, &credential.secret))
        {
            continue;
        }
        let what = if whole { format!("Secret {}", credential.secret) } else { credential.to_string() };
        let message = format!("{what} is in no manifest of namespace {namespace}");
        for user in users {
            let (object, field) = place_of(&user, server);
            let problem = Problem::warning("SecretNotFound", message.clone(), REMEDY).field(field);
            problems.push(placed(manifests, &object, problem));
        }
    }
    if let Some(secret) = &compiled.pod.tls_secret
        && !manifests.has_secret(namespace, secret)
    {
        let message = format!("Secret {secret} is in no manifest of namespace {namespace}");
        let remedy = "create it in the cluster; standalone the certificate comes from --tls-dir";
        let problem = Problem::warning("SecretNotFound", message, remedy).field("spec.tls.secretRef.name");
        problems.push(placed(manifests, server, problem));
    }
    problems
}

fn place_of(user: &CredentialUser, server: &ObjectKey) -> (ObjectKey, String) {
    let namespace = server.namespace.clone();
    match user {
        CredentialUser::Tool(name) => (
            ObjectKey { kind: Kind::McpTool, namespace, name: name.clone() },
            "spec.backend.http.auth".into(),
        ),
        CredentialUser::Upstream(name) => (server.clone(), format!("spec.upstreams[{name}].remote.auth")),
        CredentialUser::Store => (server.clone(), "spec.store.redis.secretRef".into()),
        CredentialUser::Access => (server.clone(), "spec.auth.keys.secretRef".into()),
        CredentialUser::Route(name) => (
            ObjectKey { kind: Kind::ProviderRoute, namespace, name: name.clone() },
            "spec.providers[].auth".into(),
        ),
    }
}

fn placed(manifests: &Manifests, object: &ObjectKey, problem: Problem) -> Problem {
    let problem = problem.about(object);
    match manifests.places.get(object) {
        Some((file, line)) => problem.at(file, *line),
        None => problem,
    }
}
