//! Which tools of an upstream are served, and as what: filters, pins, overrides, names, in this order. Pure.
//!
//! Whatever is called goes through what is listed here, so what is left out of the list cannot be called either.

use super::{
    approved::{Approved, Verdict, definition},
    notes::Notes,
    offer::{Absence, MissingTool, UpstreamTool},
};
use mcpfleet_config::{
    ToolAnnotations, ToolOverride, Upstream, UpstreamAccess, UpstreamTools, status::WithheldTool, tool_name,
};
use mcpfleet_protocol::{Revision, Tool, json::JsonText};
use serde_json::{Map, Value, value::RawValue};
use std::collections::{BTreeMap, BTreeSet};

/// What became of a list of tools.
#[derive(Debug, Default)]
pub(super) struct Choice {
    /// Those that are served, in the upstream's order.
    pub(super) served: Vec<UpstreamTool>,
    /// Those that clients may remember and that are kept back, under the names that they had.
    pub(super) missing: Vec<MissingTool>,
    /// The same, for those who run the server.
    pub(super) withheld: Vec<WithheldTool>,
}

/// Chooses among `listed`. Filters leave out without a word: it is what they are for.
pub(super) fn choose(
    upstream: &Upstream,
    listed: &[Tool],
    approved: &mut Approved,
    notes: &mut Notes,
) -> Choice {
    let mut choice = Choice::default();
    let mut candidates = Vec::new();
    approved.forget_unpinned(&upstream.tools);
    for tool in listed.iter().filter(|tool| upstream.tools.takes(&tool.name)) {
        let tool = match approved.judge(&upstream.tools, tool) {
            Verdict::Unpinned => tool.clone(),
            Verdict::Fits(tool) => *tool,
            Verdict::Differs(withheld) => {
                let why = Absence::Changed(withheld.changed.clone());
                let (name, upstream) = (exposed_name(upstream, &tool.name), upstream.name.clone());
                choice.missing.push(MissingTool { upstream, exposed_name: name, why });
                choice.withheld.push(withheld);
                continue;
            }
        };
        let candidate = Candidate::new(upstream, tool);
        if candidate.is_allowed(upstream.tools.access) {
            candidates.push(candidate);
        }
    }
    notes.missing(&upstream.tools, &listed.iter().map(|tool| tool.name.as_str()).collect());
    choice.served = name(upstream, candidates, notes);
    choice
}

/// The definitions that pins can be about: of the tools that would be served if there were no pins.
pub(super) fn pinnable(upstream: &Upstream, listed: &[Tool]) -> Vec<Map<String, Value>> {
    let taken = listed.iter().filter(|tool| upstream.tools.takes(&tool.name));
    let allowed =
        taken.filter(|tool| Candidate::new(upstream, (*tool).clone()).is_allowed(upstream.tools.access));
    allowed.filter_map(definition).collect()
}

/// A tool that filters and pins let through, under its new name.
struct Candidate {
    tool: Tool,
    /// The upstream's name of it.
    name: String,
    naming: Naming,
}

/// Where a name comes from. Whoever writes an override means that name: it goes before what a prefix makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Naming {
    Override,
    Prefix,
}

impl Candidate {
    fn new(upstream: &Upstream, mut tool: Tool) -> Self {
        let wanted = upstream.tools.overrides.get(&tool.name);
        if let Some(wanted) = wanted {
            apply(wanted, &mut tool);
        }
        let renamed = wanted.is_some_and(|wanted| wanted.rename.is_some());
        let naming = if renamed { Naming::Override } else { Naming::Prefix };
        let exposed = exposed_name(upstream, &tool.name);
        let name = std::mem::replace(&mut tool.name, exposed);
        Self { tool, name, naming }
    }

    fn is_allowed(&self, access: UpstreamAccess) -> bool {
        match access {
            UpstreamAccess::Any => true,
            UpstreamAccess::ReadOnly => {
                hints(&self.tool).get("readOnlyHint").is_some_and(|hint| *hint == Value::Bool(true))
            }
        }
    }
}

/// The name that clients see: an override's, whole, or else prefix and name.
fn exposed_name(upstream: &Upstream, name: &str) -> String {
    let renamed = upstream.tools.overrides.get(name).and_then(|wanted| wanted.rename.clone());
    renamed.unwrap_or_else(|| format!("{}{name}", upstream.prefix))
}

fn apply(wanted: &ToolOverride, tool: &mut Tool) {
    if wanted.title.is_some() {
        tool.title.clone_from(&wanted.title);
    }
    if wanted.description.is_some() {
        tool.description.clone_from(&wanted.description);
    }
    if let Some(annotations) = wanted.annotations {
        // Clients of before 2025-06-18 show the title that stands among the hints: with it an override would not be seen.
        let mut all = hints(tool);
        all.extend(overridden(annotations));
        tool.annotations = Some(JsonText::from(&Value::Object(all)));
    }
    if let (Some(title), Some(_)) = (&wanted.title, hints(tool).get("title")) {
        let mut all = hints(tool);
        all.insert("title".into(), Value::from(title.as_str()));
        tool.annotations = Some(JsonText::from(&Value::Object(all)));
    }
}

/// What stands in `annotations`; nothing when it cannot be read.
fn hints(tool: &Tool) -> Map<String, Value> {
    let text = tool.annotations.as_ref().map_or("{}", JsonText::as_str);
    serde_json::from_str(text).unwrap_or_default()
}

fn overridden(hints: ToolAnnotations) -> impl Iterator<Item = (String, Value)> {
    let all = [
        ("readOnlyHint", hints.read_only_hint),
        ("destructiveHint", hints.destructive_hint),
        ("idempotentHint", hints.idempotent_hint),
        ("openWorldHint", hints.open_world_hint),
    ];
    all.into_iter().filter_map(|(name, hint)| Some((name.to_owned(), Value::Bool(hint?))))
}

/// Gives each name to one tool: to one that an override renames before any other, and then to the first in the list.
fn name(upstream: &Upstream, candidates: Vec<Candidate>, notes: &mut Notes) -> Vec<UpstreamTool> {
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.sort_by_key(|at| candidates.get(*at).map(|candidate| candidate.naming));
    let mut claims: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for at in order {
        if let Some(candidate) = candidates.get(at) {
            claims.entry(candidate.tool.name.clone()).or_insert_with(|| (at, candidate.name.clone()));
        }
    }
    let mut served = Vec::with_capacity(candidates.len());
    for (at, candidate) in candidates.into_iter().enumerate() {
        let exposed_name = candidate.tool.name.clone();
        if let Some(reason) = tool_name::refusal(&exposed_name) {
            notes.left_out(format!("tool {exposed_name:?} {reason}"));
            continue;
        }
        match claims.get(&exposed_name) {
            Some((winner, _)) if *winner == at => {}
            Some((_, other)) if *other != candidate.name => {
                notes.left_out(format!("tool {:?}: {other:?} has the name {exposed_name:?}", candidate.name));
                continue;
            }
            _ => {
                notes.left_out(format!("tool {exposed_name:?} is listed twice"));
                continue;
            }
        }
        // The modern form is the fuller one; what a legacy client must not see is left out when it asks.
        let text = candidate.tool.write(Revision::LATEST_MODERN).as_str().to_owned();
        if let Ok(definition) = RawValue::from_string(text) {
            let (upstream, name) = (upstream.name.clone(), candidate.name);
            served.push(UpstreamTool { upstream, name, exposed_name, definition });
        }
    }
    served
}

impl Notes {
    /// Tells of what is said of tools that there are not. Of those that filters leave out anyway, whoever checks the
    /// configuration has told already.
    fn missing(&mut self, tools: &UpstreamTools, listed: &BTreeSet<&str>) {
        let lacks = |name: &&String| !listed.contains(name.as_str()) && tools.takes(name);
        for name in tools.overrides.keys().filter(lacks) {
            self.remark(format!("override of {name:?}: it has no such tool"));
        }
        for name in tools.pins.iter().flat_map(BTreeMap::keys).filter(lacks) {
            self.remark(format!("pin of {name:?}: it has no such tool any more"));
        }
    }
}

#[cfg(test)]
mod tests;
