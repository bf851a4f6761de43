//! Who names what: the way back from something to the servers whose upstreams name it.

use super::Key;
use mcpfleet_crds::{
    foreign::{Target, TargetKind},
    v1alpha1::McpServer,
};
use std::collections::{BTreeMap, BTreeSet};

/// The declared references of all servers, whether or not what they name exists.
#[derive(Debug, Default)]
pub(super) struct Links {
    referrers: BTreeMap<Target, BTreeSet<Key>>,
}

impl Links {
    pub(super) fn put(&mut self, server: &McpServer) {
        for target in Target::all_of(server) {
            self.referrers.entry(target).or_default().insert(Key::of(server));
        }
    }

    pub(super) fn remove(&mut self, server: &McpServer) {
        for target in Target::all_of(server) {
            let Some(referrers) = self.referrers.get_mut(&target) else { continue };
            referrers.remove(&Key::of(server));
            if referrers.is_empty() {
                self.referrers.remove(&target);
            }
        }
    }

    /// Servers that name `target`.
    pub(super) fn to<'a>(&'a self, target: &Target) -> impl Iterator<Item = &'a Key> + use<'a> {
        self.referrers.get(target).into_iter().flatten()
    }

    /// References from other namespaces into this one.
    pub(super) fn across_into<'a>(
        &'a self,
        namespace: &'a str,
    ) -> impl Iterator<Item = (&'a Target, &'a Key)> {
        let first = Target::new(namespace, TargetKind::Server, "");
        let here = self.referrers.range(first..).take_while(move |(target, _)| target.namespace == namespace);
        here.flat_map(|(target, from)| from.iter().map(move |from| (target, from)))
            .filter(move |(_, from)| from.namespace != namespace)
    }

    /// Every reference.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Target, &Key)> {
        self.referrers.iter().flat_map(|(target, from)| from.iter().map(move |from| (target, from)))
    }
}
