//! The custom resources of one namespace, and which change concerns whom.

use super::compilation::{Compilation, Snapshot};
use kube::{
    ResourceExt,
    core::{Selector, SelectorExt},
};
use mcpfleet_crds::v1alpha1::{McpServer, McpTool, ProviderRoute, Selection};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

type Labels = BTreeMap<String, String>;

#[derive(Debug, Default)]
pub struct Namespace {
    pub(super) servers: BTreeMap<String, Entry>,
    pub(super) tools: BTreeMap<String, Arc<McpTool>>,
    pub(super) routes: BTreeMap<String, Arc<ProviderRoute>>,
}

/// A server with what is derived from it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) object: Arc<McpServer>,
    tools: Option<Selector>,
    routes: Option<Selector>,
    /// Moves when an input of the compile changes.
    pub(super) version: u64,
    pub(super) compiled: Option<Compiled>,
}

/// A compile and the version of its inputs.
#[derive(Clone, Debug)]
pub(super) struct Compiled {
    pub(super) version: u64,
    pub(super) compilation: Arc<Compilation>,
}

/// Kinds that a server selects.
#[derive(Clone, Copy, Debug)]
pub(super) enum Selects {
    Tools,
    Routes,
}

impl Entry {
    pub(super) fn new(object: Arc<McpServer>, version: u64, compiled: Option<Compiled>) -> Self {
        // One that cannot be evaluated selects nothing; compile reports it.
        let parse =
            |selection: &Option<Selection>| Selector::try_from(selection.as_ref()?.selector.clone()).ok();
        let (tools, routes) = (parse(&object.spec.tools), parse(&object.spec.models));
        Self { object, tools, routes, version, compiled }
    }

    pub(super) fn selects(&self, kind: Selects, labels: &Labels) -> bool {
        let selector = match kind {
            Selects::Tools => &self.tools,
            Selects::Routes => &self.routes,
        };
        selector.as_ref().is_some_and(|selector| selector.matches(labels))
    }

    fn refers_to(&self, names: &BTreeSet<String>) -> bool {
        self.object
            .spec
            .upstreams
            .iter()
            .filter_map(|u| u.server_ref.as_ref())
            .any(|target| names.contains(&target.name))
    }
}

impl Namespace {
    /// Servers that select something with one of these labels; their compile is outdated from now on.
    pub(super) fn outdate_selecting(
        &mut self,
        kind: Selects,
        before: Option<&Labels>,
        after: Option<&Labels>,
    ) -> Vec<String> {
        let mut touched = Vec::new();
        for (name, entry) in &mut self.servers {
            if [before, after].into_iter().flatten().any(|labels| entry.selects(kind, labels)) {
                entry.version += 1;
                touched.push(name.clone());
            }
        }
        touched
    }

    /// Servers that refer to `name`, directly or through others, and those that list their neighbours; their compile is
    /// outdated from now on.
    pub(super) fn outdate_referring(&mut self, name: &str) -> Vec<String> {
        let mut reached = BTreeSet::from([name.to_owned()]);
        loop {
            let more: Vec<String> = self
                .servers
                .iter()
                .filter(|(name, entry)| !reached.contains(*name) && entry.refers_to(&reached))
                .map(|(name, _)| name.clone())
                .collect();
            if more.is_empty() {
                break;
            }
            reached.extend(more);
        }
        let listing = self.servers.iter().filter(|(_, entry)| entry.object.spec.registry.is_some());
        reached.extend(listing.map(|(name, _)| name.clone()));
        reached.remove(name);
        for name in &reached {
            if let Some(entry) = self.servers.get_mut(name) {
                entry.version += 1;
            }
        }
        reached.into_iter().collect()
    }

    /// What `name` is compiled from now, unless that is what version `known` was compiled from.
    pub(super) fn snapshot(&self, name: &str, known: Option<u64>) -> Option<Snapshot> {
        let entry = self.servers.get(name).filter(|entry| known != Some(entry.version))?;
        let tools = self.tools.values().filter(|tool| entry.selects(Selects::Tools, tool.labels()));
        let routes = self.routes.values().filter(|route| entry.selects(Selects::Routes, route.labels()));
        let spec = &entry.object.spec;
        let refers =
            spec.registry.is_some() || spec.upstreams.iter().any(|upstream| upstream.server_ref.is_some());
        let servers = self.servers.values().filter(|_| refers).map(|entry| entry.object.clone());
        Some(Snapshot {
            version: entry.version,
            server: entry.object.clone(),
            tools: tools.cloned().collect(),
            routes: routes.cloned().collect(),
            servers: servers.collect(),
        })
    }

    /// Servers that select something with these labels.
    pub(super) fn selecting(&self, kind: Selects, labels: &Labels) -> Vec<String> {
        let selecting = self.servers.iter().filter(|(_, entry)| entry.selects(kind, labels));
        selecting.map(|(name, _)| name.clone()).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.servers.is_empty() && self.tools.is_empty() && self.routes.is_empty()
    }
}
