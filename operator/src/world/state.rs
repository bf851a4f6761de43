//! Everything that is known, and which change concerns whom.
//!
//! Tools and routes concern servers of their namespace, by labels. Servers, Services and what else upstreams name concern
//! those that name them, wherever they are, and those that lead to these: a circle may open or close.

use super::{
    Key,
    compilation::Snapshot,
    foreign::Foreign,
    links::Links,
    namespace::{Entry, Labels, Namespace, Selects},
    objects::Malformed,
};
use kube::ResourceExt;
use mcpfleet_crds::{
    compile::{Kind, Sight},
    foreign::{Optional, ReferenceGrant, Target, TargetKind},
    v1alpha1::McpServer,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

#[derive(Debug, Default)]
pub struct State {
    pub(super) namespaces: HashMap<String, Namespace>,
    pub(super) malformed: BTreeMap<(Kind, Key), Malformed>,
    pub(super) links: Links,
    pub(super) foreign: Foreign,
    pub(super) sight: Arc<Sight>,
}

impl State {
    pub(super) fn entry(&self, server: &Key) -> Option<&Entry> {
        self.namespaces.get(&server.namespace)?.servers.get(&server.name)
    }

    pub(super) fn entry_mut(&mut self, server: &Key) -> Option<&mut Entry> {
        self.namespaces.get_mut(&server.namespace)?.servers.get_mut(&server.name)
    }

    /// The compile of these servers is out of date from now on.
    pub(super) fn outdate(&mut self, servers: &BTreeSet<Key>) {
        for server in servers {
            if let Some(entry) = self.entry_mut(server) {
                entry.version += 1;
            }
        }
    }

    /// Servers from which references lead to `server`, which has these labels or had them; never itself.
    pub(super) fn leading_to(&self, server: &Key, labels: &[&Labels]) -> BTreeSet<Key> {
        let mut reached = BTreeSet::new();
        let mut open = self.referring(server, labels);
        while let Some(next) = open.pop() {
            if next == *server || reached.contains(&next) {
                continue;
            }
            if let Some(entry) = self.entry(&next) {
                open.extend(self.referring(&next, &[entry.object.labels()]));
                reached.insert(next);
            }
        }
        reached
    }

    /// Servers that list `server` as a neighbour, which has these labels or had them; never itself.
    pub(super) fn listing(&self, server: &Key, labels: &[&Labels]) -> BTreeSet<Key> {
        let Some(home) = self.namespaces.get(&server.namespace) else { return BTreeSet::new() };
        let listing = labels.iter().flat_map(|labels| home.selecting(Selects::Neighbours, labels));
        listing.filter(|name| *name != server.name).map(|name| Key::new(&server.namespace, name)).collect()
    }

    /// The same for several servers, themselves included.
    pub(super) fn with_leading_to(&self, servers: BTreeSet<Key>) -> BTreeSet<Key> {
        let mut all = servers.clone();
        for server in servers {
            let Some(entry) = self.entry(&server) else { continue };
            all.extend(self.leading_to(&server, &[entry.object.labels()]));
        }
        all
    }

    fn referring(&self, server: &Key, labels: &[&Labels]) -> Vec<Key> {
        let Key { namespace, name } = server;
        // A server's Service has its name.
        let named = [TargetKind::Server, TargetKind::Service].into_iter();
        let mut referring: Vec<Key> =
            named.flat_map(|kind| self.links.to(&Target::new(namespace, kind, name))).cloned().collect();
        if let Some(home) = self.namespaces.get(namespace) {
            let finding = labels.iter().flat_map(|labels| home.selecting(Selects::Servers, labels));
            referring.extend(finding.map(|name| Key::new(namespace, name)));
        }
        referring
    }

    /// Servers for which a change of a grant changes anything.
    pub(super) fn concerned_by_grant(
        &self,
        before: Option<&ReferenceGrant>,
        after: Option<&ReferenceGrant>,
    ) -> BTreeSet<Key> {
        let Some(namespace) = before.or(after).map(|grant| grant.namespace.as_str()) else {
            return BTreeSet::new();
        };
        let allows = |grant: Option<&ReferenceGrant>, from: &Key, target: &Target| {
            grant.is_some_and(|grant| grant.allows(&from.namespace, target))
        };
        let across = self.links.across_into(namespace);
        let concerned = across
            .filter(|(target, from)| allows(before, from, target) != allows(after, from, target))
            .map(|(_, from)| from.clone());
        self.with_leading_to(concerned.collect())
    }

    /// Servers that refer to something for which a kind is needed.
    pub(super) fn needing(&self, kind: Optional) -> BTreeSet<Key> {
        let needs = |target: &Target, from: &Key| match kind {
            Optional::LifecycleServer => target.kind == TargetKind::Lifecycle,
            Optional::ReferenceGrant => target.namespace != from.namespace,
        };
        let needing = self.links.all().filter(|(target, from)| needs(target, from));
        self.with_leading_to(needing.map(|(_, from)| from.clone()).collect())
    }

    /// What a server is compiled from now, unless that is what version `known` was compiled from.
    pub(super) fn snapshot(&self, server: &Key, known: Option<u64>) -> Option<Snapshot> {
        let home = self.namespaces.get(&server.namespace)?;
        let entry = home.servers.get(&server.name).filter(|entry| known != Some(entry.version))?;
        let tools = home.tools.values().filter(|tool| entry.selects(Selects::Tools, tool.labels()));
        let routes = home.routes.values().filter(|route| entry.selects(Selects::Routes, route.labels()));
        let servers = self.reachable(server);
        let granting: BTreeSet<String> =
            servers.iter().flat_map(|server| Target::all_of(server).map(|target| target.namespace)).collect();
        let named: Vec<Target> = Target::all_of(&entry.object).collect();
        Some(Snapshot {
            version: entry.version,
            server: entry.object.clone(),
            tools: tools.cloned().collect(),
            routes: routes.cloned().collect(),
            grants: granting
                .iter()
                .flat_map(|namespace| self.foreign.grants.of(namespace))
                .cloned()
                .collect(),
            services: self.services(server, entry, &named),
            lifecycle: self.foreign.lifecycle.named(TargetKind::Lifecycle, &named),
            servers,
            missing: self.foreign.missing.clone(),
            sight: self.sight.clone(),
        })
    }

    fn services(
        &self,
        server: &Key,
        entry: &Entry,
        named: &[Target],
    ) -> Vec<Arc<mcpfleet_crds::foreign::Service>> {
        let here = self.foreign.services.of(&server.namespace);
        let mut services = self.foreign.services.named(TargetKind::Service, named);
        services.extend(here.filter(|it| entry.selects(Selects::Services, &it.labels)).cloned());
        services
    }

    /// Servers that this one lists, apart from those that are `seen`.
    fn neighbours(&self, server: &Key, seen: &BTreeSet<Key>) -> Vec<Arc<McpServer>> {
        let (Some(home), Some(entry)) = (self.namespaces.get(&server.namespace), self.entry(server)) else {
            return Vec::new();
        };
        let listed = home.servers.iter().filter(|(name, it)| {
            entry.selects(Selects::Neighbours, it.object.labels())
                && !seen.contains(&Key::new(&server.namespace, name.as_str()))
        });
        listed.map(|(_, it)| it.object.clone()).collect()
    }

    /// The server, those that references lead to from it, and its neighbours. Whether they are granted, compile asks.
    fn reachable(&self, server: &Key) -> Vec<Arc<McpServer>> {
        let mut seen = BTreeSet::new();
        let mut open = vec![server.clone()];
        let mut reachable = Vec::new();
        while let Some(key) = open.pop() {
            let Some(entry) = self.entry(&key).filter(|_| seen.insert(key.clone())) else { continue };
            let named = Target::all_of(&entry.object).filter(|target| target.kind != TargetKind::Lifecycle);
            open.extend(named.map(|target| Key::new(target.namespace, target.name)));
            if let Some(home) = self.namespaces.get(&key.namespace) {
                let found = home.servers.iter();
                let found = found.filter(|(_, it)| entry.selects(Selects::Servers, it.object.labels()));
                open.extend(found.map(|(name, _)| Key::new(&key.namespace, name)));
            }
            reachable.push(entry.object.clone());
        }
        reachable.extend(self.neighbours(server, &seen));
        reachable
    }
}
