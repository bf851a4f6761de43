//! What to report of a tool or route: pure.

use super::Member;
use crate::{
    condition::{Verdict, bounded},
    fleet::Summary,
    server::missing_sentence,
    world::Compilation,
};
use mcpfleet_crds::{
    compile::{self, Finding, ObjectKey, Severity},
    v1alpha1::{ConditionStatus, Membership},
};
use std::sync::Arc;

/// A server that selects it.
#[derive(Clone, Debug)]
pub struct Host {
    /// The server's name.
    pub name: String,
    /// What the server compiles to.
    pub compilation: Arc<Compilation>,
    /// What its pods say.
    pub summary: Summary,
    /// It is scaled to zero.
    pub idle: bool,
    /// Its pods had time to connect.
    pub asked: bool,
}

/// What to report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdicts {
    /// One for each server that selects it, by name.
    pub servers: Vec<Membership>,
    /// Its condition.
    pub ready: Verdict,
}

/// Weighs what each server that selects it makes of it.
pub fn judge<K: Member>(object: &K, hosts: &[Host]) -> Verdicts {
    let mut servers: Vec<Membership> = hosts.iter().map(|host| membership(object, host)).collect();
    servers.sort_by(|a, b| a.name.cmp(&b.name));
    let ready = ready(object, &servers);
    Verdicts { servers, ready }
}

fn ready<K: Member>(object: &K, servers: &[Membership]) -> Verdict {
    let report = object.check();
    let errors: Vec<&Finding> = report.errors().collect();
    if let Some(first) = errors.first() {
        let sentences: Vec<String> = errors.iter().map(|finding| finding.sentence()).collect();
        return Verdict::new("Ready", false, first.reason.as_str(), sentences.join(". "));
    }
    if servers.is_empty() {
        let message =
            "no McpServer of this namespace selects it; give it the labels that a server's selector asks for";
        return Verdict::new("Ready", false, "NotSelected", message);
    }
    for status in [ConditionStatus::False, ConditionStatus::Unknown] {
        if let Some(worst) = servers.iter().find(|membership| membership.serving == status) {
            let message = format!("McpServer {}: {}", worst.name, worst.message);
            return Verdict::new("Ready", status, &worst.reason, message);
        }
    }
    Verdict::new("Ready", true, "Served", "every server that selects it serves it")
}

fn membership<K: Member>(object: &K, host: &Host) -> Membership {
    let name = host.name.clone();
    let entry = move |serving: ConditionStatus, reason: &str, message: String| Membership {
        name,
        serving,
        reason: reason.into(),
        message: bounded(message),
    };
    let key = object.object_key();
    let report = &host.compilation.report;
    if let Some(finding) = refusal(report, &key) {
        return entry(ConditionStatus::False, finding.reason.as_str(), finding.sentence());
    }
    if host.compilation.product.is_none() {
        let message = "the server itself is refused, its status says why; what ran before runs on";
        return entry(ConditionStatus::Unknown, "ServerRefused", message.into());
    }
    let user = object.credential_user();
    let missing: Vec<String> = host.summary.missing_for(&user).map(missing_sentence).collect();
    if !missing.is_empty() {
        return entry(ConditionStatus::False, "SecretMissing", missing.join(". "));
    }
    if host.idle || host.summary.has_arrived() {
        return entry(ConditionStatus::True, "Served", String::new());
    }
    let before = last_membership(object, &host.name);
    match before {
        // It is served since before whatever is on its way now.
        Some(before) if before.serving == ConditionStatus::True => before.clone(),
        // Nothing is known yet after a start of the operator.
        Some(before) if !host.asked => before.clone(),
        _ => entry(ConditionStatus::Unknown, "Propagating", "no pod serves it yet, or not every pod".into()),
    }
}

fn refusal<'a>(report: &'a compile::Report, key: &'a ObjectKey) -> Option<&'a Finding> {
    report.about(key).find(|finding| finding.severity == Severity::Error)
}

/// What was reported of this server for this very generation.
fn last_membership<'a, K: Member>(object: &'a K, server: &str) -> Option<&'a Membership> {
    let last = object.last_status().filter(|last| last.observed_generation == object.meta().generation)?;
    last.servers.iter().find(|membership| membership.name == server)
}
