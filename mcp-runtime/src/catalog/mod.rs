//! Everything that requests are answered from, in one immutable [`Snapshot`].
//!
//! In: a configuration, its credentials and what upstreams offer. Out: tools by name, and the answers that do not
//! depend on the request, written once. A snapshot is made anew when one of the three changes; a request keeps the
//! one that it began with.

pub mod edition;
pub mod merge;
pub mod needs;
pub mod own;
pub mod view;

use crate::{
    credentials::Credentials,
    identity::{Gatekeeper, Principal, Right},
    telemetry::{MODELS, Metrics, OTHER, ToolMetrics},
    upstream::Roster,
};
use mcpfleet_config::{
    ConfigHash, CredentialRef, RuntimeConfig,
    status::{CredentialUser, MissingCredential},
};
use mcpfleet_protocol::{
    Era, Revision, Tool,
    answer::{
        self, CachePolicy, CacheScope, Implementation, ListChanges, ServerIdentity, discover,
        tools_capability,
    },
    header::ParamHeader,
    json::JsonText,
    server::AllowedOrigins,
};
use merge::{Merged, Target, Withheld};
use own::OwnTool;
use std::{collections::HashMap, sync::Arc, time::Duration};
use view::{Listed, Views};

/// How long clients may keep lists, in ms. Short, because a tool that was just applied should be seen.
const LIST_TTL_MS: u64 = 1_000;
/// For an upstream that has left the configuration while its tools are still listed.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

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
    other: Arc<ToolMetrics>,
    models: Arc<ToolMetrics>,
    answers: Answers,
    views: Views,
}

/// One tool, ready to be called.
#[derive(Debug)]
pub struct Entry {
    /// Where calls go.
    pub target: Target,
    /// Deadline of a call.
    pub timeout: Duration,
    /// Scopes that a caller needs, all of them.
    pub scopes: Vec<String>,
    /// Arguments that modern clients repeat in headers.
    pub mirrored: Vec<ParamHeader>,
    /// Counts its calls.
    pub metrics: Arc<ToolMetrics>,
}

/// Answers that are the same for everyone.
#[derive(Debug)]
struct Answers {
    initialize: JsonText,
    discover: JsonText,
}

impl Snapshot {
    /// Builds a snapshot.
    pub fn new(parts: Parts, metrics: &Arc<Metrics>) -> Self {
        let config = &parts.config;
        let server = config.server.to_string();
        let (merged, withheld) = merge::merge(&parts.own, &parts.roster.tools);
        let implementation = Implementation::new(server.clone(), env!("CARGO_PKG_VERSION"));
        let cache = cache_policy(&parts.gate);
        let answers = Answers::write(&implementation, list_changes(config), cache);
        let definitions: Vec<Tool> = merged.values().map(|tool| tool.definition.clone()).collect();
        let entry = |(name, tool): (String, Merged)| {
            let metrics = Arc::new(ToolMetrics::new(metrics, &server, &name));
            (name, Arc::new(Entry::new(tool, config, metrics)))
        };
        let tools: HashMap<String, Arc<Entry>> = merged.into_iter().map(entry).collect();
        let scopes =
            |tool: &Tool| tools.get(&tool.name).map(|entry| entry.scopes.clone()).unwrap_or_default();
        let listed = definitions.into_iter().map(|tool| Listed { scopes: scopes(&tool), tool }).collect();
        let views = Views::new(listed, implementation.clone(), cache);
        Self {
            implementation,
            origins: origins(config),
            withheld,
            tools,
            views,
            other: Arc::new(ToolMetrics::new(metrics, &server, OTHER)),
            models: Arc::new(ToolMetrics::new(metrics, &server, MODELS)),
            answers,
            parts,
        }
    }

    /// A tool by the name that clients use.
    pub fn tool(&self, name: &str) -> Option<&Arc<Entry>> {
        self.tools.get(name)
    }

    /// A tool that the caller may know of: one whose scopes it lacks is among them, for a client can ask for those.
    pub fn tool_for(&self, caller: &Principal, name: &str) -> Option<&Arc<Entry>> {
        self.tool(name).filter(|entry| caller.right(&entry.scopes, name) != Right::None)
    }

    /// How many tools are listed.
    pub fn tool_count(&self) -> u32 {
        u32::try_from(self.tools.len()).unwrap_or(u32::MAX)
    }

    /// Counts calls of tools that are not here.
    pub fn other(&self) -> &Arc<ToolMetrics> {
        &self.other
    }

    /// Counts model calls.
    pub fn models(&self) -> &Arc<ToolMetrics> {
        &self.models
    }

    /// Drops the metric series of tools that `next` no longer has.
    pub fn forget_missing_in(&self, next: &Self) {
        let gone = self.tools.iter().filter(|(name, _)| !next.tools.contains_key(*name));
        gone.for_each(|(_, entry)| entry.metrics.forget());
    }

    /// The result of `tools/list` for a caller who may use everything.
    pub fn list(&self, era: Era) -> &JsonText {
        self.views.whole().of(era)
    }

    /// The result of `tools/list` for this caller: the tools that it may use.
    pub fn list_for(&self, caller: &Principal, era: Era) -> JsonText {
        self.views.of(caller).of(era).clone()
    }

    /// Whether clients are told that the list has changed.
    pub fn list_changes(&self) -> ListChanges {
        list_changes(&self.parts.config)
    }

    /// The result of `server/discover`.
    pub fn discover(&self) -> &JsonText {
        &self.answers.discover
    }

    /// The result of `initialize`.
    pub fn initialize(&self, negotiated: Revision) -> JsonText {
        match negotiated {
            Revision::LATEST_LEGACY => self.answers.initialize.clone(),
            other => answer::initialize(&identity(&self.implementation, self.list_changes()), other),
        }
    }

    /// Entries of the keys' Secret that are there and cannot be read.
    fn unusable_keys(&self) -> impl Iterator<Item = MissingCredential> {
        let secret = self.parts.config.access.keys().unwrap_or_default();
        self.parts.gate.unusable_keys().map(|(key, _)| MissingCredential {
            credential: CredentialRef { secret: secret.to_owned(), key: key.to_owned() },
            used_by: vec![CredentialUser::Access],
        })
    }

    /// Credentials that are named and not there, with what does not work for want of them.
    pub fn missing_credentials(&self) -> Vec<MissingCredential> {
        let missing = self.parts.credentials.missing();
        let users = needs::credential_users(&self.parts.config);
        let of = |(credential, used_by)| MissingCredential { credential, used_by };
        let named = users.into_iter().filter(|(credential, _)| missing.contains(credential)).map(of);
        named.chain(self.unusable_keys()).collect()
    }
}

/// Lists that depend on the caller are the caller's own (2026-07-28, caching, "cacheScope").
fn cache_policy(gate: &Gatekeeper) -> CachePolicy {
    let scope = if gate.is_open() { CacheScope::Public } else { CacheScope::Private };
    CachePolicy { ttl_ms: LIST_TTL_MS, scope }
}

impl Entry {
    fn new(tool: Merged, config: &RuntimeConfig, metrics: Arc<ToolMetrics>) -> Self {
        let (timeout, scopes) = match &tool.target {
            Target::Own(own) => (Duration::from_millis(own.config.timeout_ms), own.config.scopes.clone()),
            Target::Upstream { upstream, .. } => config
                .upstreams
                .iter()
                .find(|known| known.name == *upstream)
                .map_or((DEFAULT_TIMEOUT, Vec::new()), |known| {
                    (Duration::from_millis(known.timeout_ms), known.scopes.clone())
                }),
        };
        // A tool with a broken annotation is one that modern clients leave out by themselves.
        let mirrored = tool.definition.param_headers().unwrap_or_default();
        Self { target: tool.target, timeout, scopes, mirrored, metrics }
    }
}

impl Answers {
    fn write(implementation: &Implementation, changes: ListChanges, cache: CachePolicy) -> Self {
        let identity = identity(implementation, changes);
        Self {
            initialize: answer::initialize(&identity, Revision::LATEST_LEGACY),
            discover: discover(&identity, cache),
        }
    }
}

fn identity(implementation: &Implementation, changes: ListChanges) -> ServerIdentity {
    ServerIdentity {
        info: implementation.clone(),
        capabilities: tools_capability(changes),
        instructions: None,
    }
}

/// A server that may keep no streams promises no notifications.
fn list_changes(config: &RuntimeConfig) -> ListChanges {
    match config.admission.max_streams {
        0 => ListChanges::Silent,
        _ => ListChanges::Announced,
    }
}

/// An origin that cannot be read lets nobody in: left out, not widened.
fn origins(config: &RuntimeConfig) -> AllowedOrigins {
    let listed = config.listener.allowed_origins.iter().map(String::as_str);
    let readable = listed.filter(|origin| AllowedOrigins::new([*origin]).is_ok());
    AllowedOrigins::new(readable).unwrap_or_default()
}
