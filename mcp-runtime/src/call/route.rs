//! Where a request goes, by the catalogue that it began with. Pure.

use super::{CallError, Named};
use crate::{
    catalog::{Found, Snapshot, merge::Target},
    exchange::Ask,
    telemetry::ToolMetrics,
    upstream::Repeat,
};
use serde_json::{Value, json, value::RawValue, value::to_raw_value};
use std::{sync::Arc, time::Duration};

/// For what no object gives a deadline: prompts, resources and completions of our own.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// Longest piece of a name that an error repeats, in characters.
const SHOWN: usize = 80;

/// One request, routed.
#[derive(Debug)]
pub struct Routed {
    /// Who carries it out.
    pub target: Target,
    /// What it is asked, by its own names.
    pub ask: Ask,
    /// Scopes that the caller needs.
    pub scopes: Vec<String>,
    /// Longest that it may take.
    pub timeout: Duration,
    /// Whether its upstream may be sent it again.
    pub repeat: Repeat,
    /// Counts it.
    pub metrics: Arc<ToolMetrics>,
}

/// Routes a request.
///
/// # Errors
/// [`CallError::Unknown`], [`CallError::InvalidArguments`] for a reference that cannot be read.
pub fn route(snapshot: &Snapshot, ask: &Ask) -> Result<Routed, CallError> {
    match ask {
        Ask::CallTool { name, arguments } => {
            let Some(entry) = snapshot.tool(name) else { return absent(snapshot, name, ask) };
            let ask = Ask::CallTool { name: own_name(&entry.target, name), arguments: arguments.clone() };
            Ok(Routed {
                target: entry.target.clone(),
                ask,
                scopes: entry.scopes.clone(),
                timeout: entry.timeout,
                repeat: entry.repeat,
                metrics: entry.metrics.clone(),
            })
        }
        Ask::GetPrompt { name, arguments } => {
            let found = snapshot.prompt(name).ok_or_else(|| missing(snapshot, Named::Prompt, name))?;
            let ask = Ask::GetPrompt { name: found.key.clone(), arguments: arguments.clone() };
            Ok(routed(snapshot, found, ask))
        }
        Ask::ReadResource { uri } => {
            let found = snapshot.resource(uri).ok_or_else(|| missing(snapshot, Named::Resource, uri))?;
            let ask = Ask::ReadResource { uri: uri.clone() };
            Ok(routed(snapshot, found, ask))
        }
        Ask::Complete { reference, argument, context } => {
            let (found, reference) = referred(snapshot, reference)?;
            let ask = Ask::Complete { reference, argument: argument.clone(), context: context.clone() };
            Ok(routed(snapshot, found, ask))
        }
        Ask::Task { upstream, id, .. } => {
            let target = Target::Upstream { upstream: upstream.clone(), key: id.clone() };
            let scopes = snapshot.upstream_scopes(upstream);
            Ok(routed(snapshot, Found { target, key: id.clone(), scopes }, ask.clone()))
        }
    }
}

/// A tool that is not here now: whoever might call it is told why. It goes the way of a call all the same, so that nobody
/// else learns of it.
fn absent(snapshot: &Snapshot, name: &str, ask: &Ask) -> Result<Routed, CallError> {
    let found = snapshot.missing(name).ok_or_else(|| missing(snapshot, Named::Tool, name))?;
    Ok(Routed {
        target: Target::Missing { message: found.message },
        ask: ask.clone(),
        scopes: snapshot.upstream_scopes(&found.upstream),
        timeout: DEFAULT_TIMEOUT,
        repeat: Repeat::default(),
        metrics: snapshot.other().clone(),
    })
}

fn routed(snapshot: &Snapshot, found: Found, ask: Ask) -> Routed {
    let timeout = match &found.target {
        Target::Upstream { upstream, .. } => snapshot.upstream_timeout(upstream),
        _ => DEFAULT_TIMEOUT,
    };
    let metrics = snapshot.method_metrics(ask.method()).clone();
    Routed { target: found.target, ask, scopes: found.scopes, timeout, repeat: Repeat::default(), metrics }
}

/// The prompt or resource that a completion is for, and the reference by its server's own name
/// (2025-11-25, server/utilities/completion, "Reference Types").
fn referred(snapshot: &Snapshot, reference: &RawValue) -> Result<(Found, Box<RawValue>), CallError> {
    let refuse = |what: &str| CallError::InvalidArguments {
        tool: "completion/complete".into(),
        problems: format!("at /ref: {what}"),
    };
    let mut members: Value =
        serde_json::from_str(reference.get()).map_err(|error| refuse(&error.to_string()))?;
    let text = |key: &str| members.get(key).and_then(Value::as_str).map(ToOwned::to_owned);
    let found = match text("type").as_deref() {
        Some("ref/prompt") => {
            let name = text("name").ok_or_else(|| refuse("a ref/prompt needs a name"))?;
            let found = snapshot.prompt(&name).ok_or_else(|| unknown(Named::Reference, &name))?;
            members["name"] = json!(found.key);
            found
        }
        Some("ref/resource") => {
            let uri = text("uri").ok_or_else(|| refuse("a ref/resource needs a uri"))?;
            snapshot.template(&uri).ok_or_else(|| unknown(Named::Reference, &uri))?
        }
        _ => return Err(refuse("its type is neither ref/prompt nor ref/resource")),
    };
    let reference = to_raw_value(&members).map_err(|error| refuse(&error.to_string()))?;
    Ok((found, reference))
}

fn own_name(target: &Target, name: &str) -> String {
    match target {
        Target::Upstream { key, .. } => key.clone(),
        _ => name.to_owned(),
    }
}

/// What is not there may only not be there yet.
fn missing(snapshot: &Snapshot, kind: Named, name: &str) -> CallError {
    if snapshot.parts.roster.is_settled() {
        return unknown(kind, name);
    }
    let message =
        "this server has just started and has not heard of all its upstreams yet; try again in a moment";
    CallError::Unavailable { message: message.into() }
}

/// With as much of the name as fits a message: it is the client's own, and as long as it likes.
fn unknown(kind: Named, name: &str) -> CallError {
    CallError::Unknown { kind, name: name.chars().take(SHOWN).collect() }
}
