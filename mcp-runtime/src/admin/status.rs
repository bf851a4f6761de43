//! What the runtime says of itself, for the operator and for people.

use super::Admin;
use crate::{
    readiness::{Readiness, handshake::TLS_FAILED, verdict::Verdict},
    server::Server,
    source::Source,
    store::Health,
    transport::{Shared, listener::Form},
};
use mcpfleet_config::status::{PodStatus, Rejected, StoreStatus, TlsStatus, UpstreamStatus};
use std::collections::BTreeMap;

/// `/status`: one document in a pod, a map by `namespace/name` standalone.
pub fn document(admin: &Admin) -> String {
    let text = match &admin.source {
        Source::Config { .. } | Source::Given(_) => {
            serde_json::to_string(&only(&admin.shared, &admin.readiness))
        }
        Source::Manifests(_) => serde_json::to_string(&all(admin)),
    };
    text.unwrap_or_else(|_| "{}".into())
}

/// Every server, by `namespace/name`.
pub(super) fn all(admin: &Admin) -> BTreeMap<String, PodStatus> {
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
        let lost = snapshot.withheld.iter().filter(|tool| tool.upstream == upstream.name);
        let lost: Vec<String> = lost.map(|tool| format!("{} ({})", tool.tool, tool.reason)).collect();
        if !lost.is_empty() {
            let left_out = format!("names that are taken already, left out: {}", lost.join(", "));
            let told = upstream.message.iter().cloned().chain([left_out]).collect::<Vec<_>>();
            upstream.message = Some(bounded(&told.join("; ")));
        }
    }
    bound_withheld(&mut upstreams);
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

/// Most withheld tools that one status describes, of all upstreams together: it has to fit a message to the operator.
const MAX_WITHHELD: usize = 64;

fn bound_withheld(upstreams: &mut [UpstreamStatus]) {
    let mut room = MAX_WITHHELD;
    for upstream in upstreams {
        upstream.withheld.truncate(room);
        room -= upstream.withheld.len();
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
