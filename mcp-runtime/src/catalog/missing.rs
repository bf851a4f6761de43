//! Tools that are not here now and that clients may ask for all the same: what a call to one says. Pure.

use crate::upstream::{Absence, MissingTool, Roster};
use mcpfleet_config::{
    RuntimeConfig, Upstream,
    pin::DefinitionPart,
    status::{UpstreamState, UpstreamStatus},
};
use std::collections::HashMap;

/// Most upstreams that instructions name.
const MAX_NAMED: usize = 8;

/// By the names that they had.
#[derive(Debug, Default)]
pub struct MissingTools(HashMap<String, MissingTool>);

/// A tool that is not here now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Whose it is.
    pub upstream: String,
    /// Why it cannot be called, and what to do, for a model.
    pub message: String,
}

impl MissingTools {
    pub(super) fn of(roster: &Roster) -> Self {
        Self(roster.missing.iter().map(|tool| (tool.exposed_name.clone(), tool.clone())).collect())
    }

    /// What to say of a tool that is not in the list.
    pub(super) fn find(&self, name: &str, config: &RuntimeConfig, roster: &Roster) -> Option<Missing> {
        if let Some(MissingTool { upstream, why: Absence::Changed(parts), .. }) = self.0.get(name) {
            return Some(Missing { upstream: upstream.clone(), message: withheld(name, upstream, parts) });
        }
        let known = self.0.get(name).map(|tool| tool.upstream.as_str());
        // One that has not answered since we were started has told no names: its prefix is all that there is.
        let upstream = known.or_else(|| silent(name, config, roster))?;
        let status = roster.status.iter().find(|status| status.name == upstream)?;
        Some(Missing { upstream: upstream.to_owned(), message: gone(name, status) })
    }
}

fn withheld(name: &str, upstream: &str, parts: &[DefinitionPart]) -> String {
    let parts: Vec<&str> = parts.iter().map(|part| part.as_str()).collect();
    format!(
        "tool {name:?} of upstream {upstream:?} is withheld: its definition ({}) has changed since it was approved. \
         Whoever runs this server has to approve it again (mcp-runtime pin); do without it until then",
        parts.join(", ")
    )
}

fn gone(name: &str, status: &UpstreamStatus) -> String {
    let since = status.since.as_deref().map(|since| format!(" since {since}")).unwrap_or_default();
    format!(
        "tool {name:?} is not here now: upstream {:?} has not answered{since}. It is asked again by itself, so try \
         later, or do without it",
        status.name
    )
}

fn silent<'a>(name: &str, config: &RuntimeConfig, roster: &'a Roster) -> Option<&'a str> {
    let prefixed = |status: &&UpstreamStatus| {
        let declared = config.upstreams.iter().find(|upstream| upstream.name == status.name);
        declared.is_some_and(|upstream| !upstream.prefix.is_empty() && name.starts_with(&upstream.prefix))
    };
    let heard = |name: &str| roster.about.iter().any(|(heard, _)| heard == name);
    let silent = roster.status.iter().filter(|status| is_gone(status) && !heard(&status.name));
    silent.filter(prefixed).map(|status| status.name.as_str()).next()
}

fn is_gone(status: &UpstreamStatus) -> bool {
    status.state == UpstreamState::Unreachable
}

/// Whether all callers may know of an upstream. Instructions are the same for all of them.
pub(super) fn is_for_everybody(config: &RuntimeConfig, upstream: &str) -> bool {
    !config.upstreams.iter().any(|declared| declared.name == upstream && !declared.scopes.is_empty())
}

/// What the instructions of the server say of upstreams that do not answer; nothing when all do. Without their errors:
/// those are for whoever runs the server.
pub(super) fn instructions(config: &RuntimeConfig, roster: &Roster) -> Option<String> {
    let gone =
        roster.status.iter().filter(|status| is_gone(status) && is_for_everybody(config, &status.name));
    let gone: Vec<&UpstreamStatus> = gone.collect();
    let first = gone.iter().take(MAX_NAMED).map(|status| {
        let declared = config.upstreams.iter().find(|upstream| upstream.name == status.name);
        describe(status, declared)
    });
    let named: Vec<String> = first.collect();
    let more = gone.len().saturating_sub(MAX_NAMED);
    let more = if more > 0 { format!("; and those of {more} more") } else { String::new() };
    (!named.is_empty()).then(|| {
        format!(
            "Some tools cannot be used now, because the servers behind them do not answer: {}{more}. They come back by \
             themselves; do without them, or try later.",
            named.join("; ")
        )
    })
}

fn describe(status: &UpstreamStatus, declared: Option<&Upstream>) -> String {
    let prefix = declared.map(|upstream| upstream.prefix.as_str()).filter(|prefix| !prefix.is_empty());
    let names = prefix.map(|prefix| format!(" (names that begin with {prefix})")).unwrap_or_default();
    let since = status.since.as_deref().map(|since| format!(", since {since}")).unwrap_or_default();
    format!("those of {}{names}{since}", status.name)
}

#[cfg(test)]
mod tests;
