//! What the runtime says of itself, for the operator and for people.

use super::Admin;
use crate::{
    readiness::{Readiness, handshake::TLS_FAILED, verdict::Verdict},
    server::Server,
    source::Source,
    store::Health,
    transport::{Shared, listener::Form},
};
use mcpfleet_config::status::{PodStatus, Rejected, StoreStatus, TlsStatus, UpstreamState};
use std::{collections::BTreeMap, fmt::Write};

/// `/status`: one document in a pod, a map by `namespace/name` standalone.
pub fn document(admin: &Admin) -> String {
    let text = match &admin.source {
        Source::Config { .. } => serde_json::to_string(&only(&admin.shared, &admin.readiness)),
        Source::Manifests(_) => serde_json::to_string(&all(admin)),
    };
    text.unwrap_or_else(|_| "{}".into())
}

/// `/healthz`: the same, in sentences.
pub fn sentences(admin: &Admin) -> String {
    let mut out = String::new();
    for (name, status) in all(admin) {
        // Writing to a String does not fail.
        let _ = describe(&mut out, &name, &status);
    }
    match admin.readiness.last() {
        Verdict::Ready => out.push_str("ready\n"),
        Verdict::NotReady(reason) => {
            let _ = writeln!(out, "not ready: {reason}");
        }
    }
    out
}

fn describe(out: &mut String, name: &str, status: &PodStatus) -> std::fmt::Result {
    let hash = status.config_hash.as_ref().map_or("none", |hash| hash.short());
    let revision = status.config_revision;
    writeln!(out, "{name}: {} tools, configuration {hash}, revision {revision}", status.tools)?;
    if let Some(rejected) = &status.rejected {
        writeln!(out, "  refused a newer configuration: {}", rejected.message)?;
    }
    for missing in &status.missing_credentials {
        writeln!(out, "  missing: {}", missing.credential)?;
    }
    for upstream in &status.upstreams {
        let state = match upstream.state {
            UpstreamState::Connecting => "connecting",
            UpstreamState::Connected => "connected",
            UpstreamState::Unreachable => "unreachable",
        };
        let why = upstream.message.as_deref().map(|why| format!(" ({why})")).unwrap_or_default();
        writeln!(out, "  upstream {}: {state}, {} tools{why}", upstream.name, upstream.tools)?;
    }
    if let Some(why) = status.store.as_ref().and_then(|store| store.message.as_ref()) {
        writeln!(out, "  store: does not serve, going on without it ({why})")?;
    }
    match status.tls.as_ref().and_then(|tls| tls.message.as_ref()) {
        Some(message) => writeln!(out, "  certificate: {message}"),
        None => Ok(()),
    }
}

fn all(admin: &Admin) -> BTreeMap<String, PodStatus> {
    let (shared, readiness) = (&admin.shared, &admin.readiness);
    let servers = shared.fleet.all();
    servers.iter().map(|(name, server)| (name.clone(), of(shared, readiness, server))).collect()
}

/// State of a process that serves one server, or none yet.
pub fn only(shared: &Shared, readiness: &Readiness) -> PodStatus {
    match shared.fleet.all().values().next() {
        Some(server) => of(shared, readiness, server),
        None => nothing(shared, readiness),
    }
}

fn of(shared: &Shared, readiness: &Readiness, server: &Server) -> PodStatus {
    let snapshot = server.snapshot();
    let mut upstreams = snapshot.parts.roster.status.clone();
    for upstream in &mut upstreams {
        let lost: Vec<&str> = snapshot
            .withheld
            .iter()
            .filter(|tool| tool.upstream == upstream.name)
            .map(|tool| tool.tool.as_str())
            .collect();
        if !lost.is_empty() && upstream.message.is_none() {
            let left_out = format!("names that are taken already, left out: {}", lost.join(", "));
            upstream.message = Some(bounded(&left_out));
        }
    }
    PodStatus {
        store: store(&server.store.health()),
        config_hash: Some(snapshot.parts.hash.clone()),
        config_revision: server.revision(),
        rejected: rejected(server.rejected.load().as_deref().cloned().or_else(|| shared.fleet.refused())),
        tools: snapshot.tool_count(),
        missing_credentials: snapshot.missing_credentials(),
        upstreams,
        ..nothing(shared, readiness)
    }
}

/// A runtime that serves nothing yet.
fn nothing(shared: &Shared, readiness: &Readiness) -> PodStatus {
    let not_ready_reason = match readiness.last() {
        Verdict::Ready => None,
        Verdict::NotReady(reason) => Some(reason),
    };
    PodStatus {
        ready: not_ready_reason.is_none(),
        not_ready_reason,
        tls: tls(readiness),
        rejected: rejected(shared.fleet.refused()),
        ..PodStatus::default()
    }
}

fn store(health: &Health) -> Option<StoreStatus> {
    match health {
        Health::Own => None,
        Health::Shared => Some(StoreStatus { serves: true, message: None }),
        Health::Gone { why } => Some(StoreStatus { serves: false, message: Some(bounded(why)) }),
    }
}

fn tls(readiness: &Readiness) -> Option<TlsStatus> {
    match readiness.form() {
        Some(Form::Tls(tls)) => {
            let mut status = tls.status();
            // Loaded, and still not one that clients would accept.
            if let (None, Verdict::NotReady(reason)) = (&status.message, readiness.last())
                && reason.contains(TLS_FAILED)
            {
                status.message = Some(reason);
            }
            Some(status)
        }
        _ => None,
    }
}

/// Longest text in a status, in characters: what an upstream or a bad configuration says has no bound of its own.
const MAX_TEXT: usize = 500;

fn bounded(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((at, _)) => format!("{}...", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn rejected(rejected: Option<Rejected>) -> Option<Rejected> {
    rejected.map(|rejected| Rejected { message: bounded(&rejected.message), ..rejected })
}
