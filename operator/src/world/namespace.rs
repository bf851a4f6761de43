//! The custom resources of one namespace, and which change concerns whom.

use super::compilation::Compilation;
use kube::core::{Selector, SelectorExt};
use mcpfleet_crds::v1alpha1::{McpServer, McpTool, ProviderRoute, Selection};
use std::{collections::BTreeMap, sync::Arc};

pub(super) type Labels = BTreeMap<String, String>;

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
    servers: Option<Selector>,
    services: Option<Selector>,
    neighbours: Option<Selector>,
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
    /// By `upstreamSelector`.
    Servers,
    Services,
    /// By `registry`.
    Neighbours,
}

impl Entry {
    pub(super) fn new(object: Arc<McpServer>, version: u64, compiled: Option<Compiled>) -> Self {
        // One that cannot be evaluated selects nothing; compile reports it.
        let parse =
            |selection: &Option<Selection>| Selector::try_from(selection.as_ref()?.selector.clone()).ok();
        let (tools, routes) = (parse(&object.spec.tools), parse(&object.spec.models));
        let upstreams = object.spec.upstream_selector.as_ref();
        let servers = upstreams.and_then(|wanted| parse(&wanted.servers));
        let services = upstreams.and_then(|wanted| parse(&wanted.services));
        let neighbours = parse(&object.spec.registry);
        Self { object, tools, routes, servers, services, neighbours, version, compiled }
    }

    pub(super) fn selects(&self, kind: Selects, labels: &Labels) -> bool {
        let selector = match kind {
            Selects::Tools => &self.tools,
            Selects::Routes => &self.routes,
            Selects::Servers => &self.servers,
            Selects::Services => &self.services,
            Selects::Neighbours => &self.neighbours,
        };
        selector.as_ref().is_some_and(|selector| selector.matches(labels))
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

    /// Servers that select something with these labels.
    pub(super) fn selecting(&self, kind: Selects, labels: &Labels) -> Vec<String> {
        let selecting = self.servers.iter().filter(|(_, entry)| entry.selects(kind, labels));
        selecting.map(|(name, _)| name.clone()).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.servers.is_empty() && self.tools.is_empty() && self.routes.is_empty()
    }
}
