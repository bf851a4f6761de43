//! Everything that requests are answered from, in one immutable [`Snapshot`].
//!
//! In: a configuration, its credentials and what upstreams offer. Out: tools by name, and the answers that do not
//! depend on the request, written once. A snapshot is made anew when one of the three changes; a request keeps the
//! one that it began with.

pub mod about;
pub mod directory;
pub mod edition;
mod entry;
pub mod guidance;
pub mod lists;
pub mod merge;
pub mod missing;
pub mod needs;
pub mod offers;
pub mod own;
pub mod own_prompt;
pub mod own_resource;
pub mod task_tools;
mod tasks;

pub use directory::Found;
pub use entry::Entry;

use crate::{
    credentials::Credentials,
    identity::{Gatekeeper, Principal, Right},
    search::Finder,
    telemetry::{MODELS, Metrics, OTHER, ToolMetrics},
    upstream::Roster,
};
use about::{identity, implementation, keeps, list_changes};
use directory::Directory;
use lists::{Listed, Lists, View, latest};
use mcpfleet_config::{ConfigHash, RuntimeConfig};
use mcpfleet_protocol::{
    Era, ListChanges, Revision, ServerCapabilities, Tool,
    answer::{self, CachePolicy, CacheScope, Implementation, ServerIdentity, discover_keeping},
    client::ListKind,
    json::JsonText,
    server::AllowedOrigins,
};
use merge::Withheld;
use missing::{Missing, MissingTools};
use offers::Offers;
use own::OwnTool;
use std::{borrow::Cow, collections::HashMap, sync::Arc, time::Duration};
use task_tools::{TaskTool, TaskTools};

/// How long clients may keep lists, and what the server says of itself, in ms. Short, because a tool that was just applied
/// should be seen.
const TTL_MS: u64 = 1_000;
/// What is carried out and is no tool call; no tool can have a name with a `/`.
const METHODS: [&str; 6] =
    ["prompts/get", "resources/read", "completion/complete", "tasks/get", "tasks/update", "tasks/cancel"];

/// What a snapshot is made of.
#[derive(Clone, Debug)]
pub struct Parts {
    /// What to serve.
    pub config: Arc<RuntimeConfig>,
    /// Hash of `config`.
    pub hash: ConfigHash,
    /// Secret values that `config` names.
    pub credentials: Arc<Credentials>,
    /// `config`'s tools.
    pub own: Arc<[Arc<OwnTool>]>,
    /// `config`'s prompts and resources.
    pub offers: Arc<Offers>,
    /// What upstreams offer.
    pub roster: Arc<Roster>,
    /// Who is let in.
    pub gate: Arc<Gatekeeper>,
}

/// One server at one moment.
#[derive(Debug)]
pub struct Snapshot {
    /// What it was made of.
    pub parts: Parts,
    /// Who the server says it is.
    pub implementation: Implementation,
    /// Browser pages that may call.
    pub origins: AllowedOrigins,
    /// Tools of upstreams that lost their name to another.
    pub withheld: Vec<Withheld>,
    tools: HashMap<String, Arc<Entry>>,
    missing: MissingTools,
    directory: Directory,
    lists: Lists,
    finder: Option<Arc<Finder>>,
    identity: ServerIdentity,
    discover: JsonText,
    other: Arc<ToolMetrics>,
    models: Arc<ToolMetrics>,
    /// Requests that are carried out and are no tool calls, by method.
    methods: HashMap<&'static str, Arc<ToolMetrics>>,
}

impl Snapshot {
    /// Builds a snapshot.
    pub fn new(parts: Parts, metrics: &Arc<Metrics>) -> Self {
        let config = &parts.config;
        let server = config.server.to_string();
        let (mut merged, mut withheld) = merge::merge(&parts.own, &parts.roster.tools);
        if config.tool_search.is_some() {
            withheld.extend(merge::reserve(&mut merged));
        }
        withheld.extend(task_tools::make_room(&mut merged, config));
        let (directory, lost) = Directory::merge(&parts.offers, &parts.roster, config);
        withheld.extend(lost);
        let implementation = implementation(config, &parts.roster);
        // What depends on the caller is the caller's own (2026-07-28, caching, "cacheScope").
        let scope = if parts.gate.is_open() { CacheScope::Public } else { CacheScope::Private };
        let identity = identity(&implementation, config, &parts.offers, &parts.roster);
        let mut listed: Vec<(Tool, Arc<Entry>)> = merged
            .into_iter()
            .map(|(name, tool)| {
                let metrics = Arc::new(ToolMetrics::new(metrics, &server, &name));
                (tool.definition.clone(), Arc::new(Entry::new(tool, config, metrics)))
            })
            .collect();
        // The names are in order already; what is to be chosen first stands first.
        listed.sort_by_key(|(_, entry)| entry.rank);
        let tools = listed.iter().map(|(tool, entry)| (tool.name.clone(), entry.clone())).collect();
        let discovered = tasks::offered(&identity, &parts.roster, &listed);
        let listed: Listed = listed.into();
        let finder = config.tool_search.clone().map(|settings| {
            let metrics = |name| Arc::new(ToolMetrics::new(metrics, &server, name));
            Arc::new(Finder::new(settings, listed.clone(), |helper| {
                Entry::of_helper(helper, metrics(helper.name()))
            }))
        });
        let task_tools = TaskTools::new(&listed, config);
        let lists = Lists::new(
            CachePolicy { ttl_ms: TTL_MS, scope },
            (listed, task_tools),
            finder.clone(),
            [
                directory.prompts.values().cloned().collect(),
                directory.resources.values().cloned().collect(),
                directory.templates.values().cloned().collect(),
            ],
        );
        Self {
            origins: origins(config),
            withheld,
            tools,
            missing: MissingTools::of(&parts.roster),
            directory,
            lists,
            finder,
            discover: discover_keeping(
                &discovered,
                CachePolicy { ttl_ms: TTL_MS, scope },
                keeps(config, &parts.roster),
            ),
            identity,
            implementation,
            other: Arc::new(ToolMetrics::new(metrics, &server, OTHER)),
            models: Arc::new(ToolMetrics::new(metrics, &server, MODELS)),
            methods: METHODS.map(|it| (it, Arc::new(ToolMetrics::new(metrics, &server, it)))).into(),
            parts,
        }
    }

    /// A tool by the name that clients use.
    pub fn tool(&self, name: &str) -> Option<&Arc<Entry>> {
        let helper = || self.finder.as_ref().and_then(|finder| finder.helper(name));
        self.tools.get(name).or_else(helper)
    }

    /// What finds tools; `None` where all are listed.
    pub fn finder(&self) -> Option<&Arc<Finder>> {
        self.finder.as_ref()
    }

    /// Every tool that a caller may use, search aside.
    pub fn usable(&self, caller: &Principal) -> impl Iterator<Item = &(Tool, Arc<Entry>)> {
        self.lists.usable(caller)
    }

    /// A tool that the caller may know of: one whose scopes it lacks is among them, for a client can ask for those.
    /// A tool that starts another stands for that.
    pub fn tool_for(&self, caller: &Principal, name: &str) -> Option<&Arc<Entry>> {
        let name = self.lists.task_tools.started_by(name).unwrap_or(name);
        self.tool(name).filter(|entry| caller.right(&entry.scopes, name) != Right::None)
    }

    /// What to say of a tool that is not in the list and that a client may ask for all the same.
    pub fn missing(&self, name: &str) -> Option<Missing> {
        self.missing.find(name, &self.parts.config, &self.parts.roster)
    }

    /// What a call of `name` does with tasks, if that is what it is for and the caller may know of it.
    pub fn task_tool(&self, name: &str, caller: &Principal) -> Option<TaskTool> {
        let found = self.lists.task_tools.find(name)?;
        let known = match &found {
            TaskTool::Start { tool, .. } => self.tool_for(caller, tool).is_some(),
            TaskTool::Status | TaskTool::Cancel => self.lists.task_tools.concern(caller, &self.lists.tools),
        };
        known.then_some(found)
    }

    /// What takes the place of tools whose calls are tasks.
    pub fn task_tools(&self) -> &Arc<TaskTools> {
        &self.lists.task_tools
    }

    /// How many tools are listed.
    pub fn tool_count(&self) -> u32 {
        u32::try_from(self.tools.len()).unwrap_or(u32::MAX)
    }

    /// Counts calls of tools that are not here.
    pub fn other(&self) -> &Arc<ToolMetrics> {
        &self.other
    }

    /// Counts requests of a method that is not `tools/call`.
    pub fn method_metrics(&self, method: &'static str) -> &Arc<ToolMetrics> {
        self.methods.get(method).unwrap_or(&self.other)
    }

    /// Counts model calls.
    pub fn models(&self) -> &Arc<ToolMetrics> {
        &self.models
    }

    /// Drops the metric series of tools that `next` no longer has.
    pub fn forget_missing_in(&self, next: &Self) {
        let gone = self.tools.iter().filter(|(name, _)| !next.tools.contains_key(*name));
        gone.for_each(|(_, entry)| entry.metrics.forget());
        if next.finder.is_none() {
            let helpers = self.finder.iter().flat_map(|finder| finder.helpers());
            helpers.for_each(|(_, entry)| entry.metrics.forget());
        }
    }

    /// A prompt by the name that clients use.
    pub fn prompt(&self, name: &str) -> Option<Found> {
        self.directory.prompt(name)
    }

    /// Who gives a resource.
    pub fn resource(&self, uri: &str) -> Option<Found> {
        self.directory.resource(uri, &self.parts.offers)
    }

    /// Who completes a resource template.
    pub fn template(&self, text: &str) -> Option<Found> {
        self.directory.template(text, &self.parts.offers)
    }

    /// How long a request to an upstream may take.
    pub fn upstream_timeout(&self, upstream: &str) -> Duration {
        entry::upstream_timeout(&self.parts.config, upstream)
    }

    /// Scopes that everything of an upstream needs.
    pub fn upstream_scopes(&self, upstream: &str) -> Vec<String> {
        directory::scopes(&self.parts.config, upstream)
    }

    /// The list that a caller sees.
    pub fn list(
        &self,
        (kind, view): (ListKind, View),
        revision: Revision,
        caller: &Principal,
    ) -> Cow<'_, JsonText> {
        self.lists.for_caller((kind, view), revision, &self.implementation, caller)
    }

    /// The whole list as the newest clients of an era see it.
    pub fn whole(&self, kind: ListKind, era: Era) -> &JsonText {
        self.lists.whole(kind, latest(era), &self.implementation)
    }

    /// Whether clients of an era would read a list as `other` has it.
    pub fn lists_alike(&self, other: &Self, kind: ListKind, era: Era) -> bool {
        let revision = latest(era);
        let everything = self.lists.everything(kind, revision, &self.implementation);
        self.whole(kind, era) == other.whole(kind, era)
            && everything == other.lists.everything(kind, revision, &other.implementation)
    }

    /// What the server offers.
    pub fn capabilities(&self) -> &ServerCapabilities {
        &self.identity.capabilities
    }

    /// Whether clients are told that a list has changed.
    pub fn list_changes(&self) -> ListChanges {
        list_changes(&self.parts.config)
    }

    /// The result of `server/discover`.
    pub fn discover(&self) -> &JsonText {
        &self.discover
    }

    /// The result of `initialize`.
    pub fn initialize(&self, negotiated: Revision) -> JsonText {
        answer::initialize(&self.identity, negotiated)
    }
}

/// An origin that cannot be read lets nobody in: left out, not widened.
fn origins(config: &RuntimeConfig) -> AllowedOrigins {
    let listed = config.listener.allowed_origins.iter().map(String::as_str);
    let readable = listed.filter(|origin| AllowedOrigins::new([*origin]).is_ok());
    AllowedOrigins::new(readable).unwrap_or_default()
}
