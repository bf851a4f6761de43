//! Objects that are not ours and that servers can refer to, as much of them as a compile needs.

use super::{Key, namespace::Selects, state::State};
use mcpfleet_crds::foreign::{LifecycleServer, Optional, ReferenceGrant, Service, Target, TargetKind};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A kind that is not ours.
pub trait External: sealed::Held + Eq + Send + Sync + 'static {}

impl External for ReferenceGrant {}
impl External for Service {}
impl External for LifecycleServer {}

/// Whether a cluster knows a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Presence {
    Known,
    Missing,
}

#[derive(Debug, Default)]
pub struct Foreign {
    pub(super) grants: Kept<ReferenceGrant>,
    pub(super) services: Kept<Service>,
    pub(super) lifecycle: Kept<LifecycleServer>,
    pub(super) missing: BTreeSet<Optional>,
}

/// Objects of one kind.
#[derive(Debug)]
pub struct Kept<T> {
    by_key: BTreeMap<Key, Arc<T>>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { by_key: BTreeMap::new() }
    }
}

impl<T> Kept<T> {
    /// Those of a namespace.
    pub(super) fn of<'a>(&'a self, namespace: &'a str) -> impl Iterator<Item = &'a Arc<T>> {
        let here = self.by_key.range(Key::new(namespace, "")..);
        here.take_while(move |(key, _)| key.namespace == namespace).map(|(_, object)| object)
    }

    /// Those that targets of a kind name.
    pub(super) fn named(&self, kind: TargetKind, targets: &[Target]) -> Vec<Arc<T>> {
        let wanted = targets.iter().filter(|target| target.kind == kind);
        wanted
            .filter_map(|target| self.by_key.get(&Key::new(&target.namespace, &target.name)))
            .cloned()
            .collect()
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.by_key.keys()
    }

    /// Sets or forgets an object; returns what was there.
    pub(super) fn replace(&mut self, key: &Key, object: Option<&Arc<T>>) -> Option<Arc<T>> {
        match object {
            Some(object) => self.by_key.insert(key.clone(), object.clone()),
            None => self.by_key.remove(key),
        }
    }
}

/// Out of reach for other modules: only [`Objects`](super::Objects) changes anything.
mod sealed {
    use super::{BTreeSet, Foreign, Kept, Key, State};

    pub trait Held: Sized {
        fn key(&self) -> Key;
        fn kept(foreign: &mut Foreign) -> &mut Kept<Self>;
        /// Servers for which the change changes something.
        fn concerned(state: &State, before: Option<&Self>, after: Option<&Self>) -> BTreeSet<Key>;
    }
}

impl sealed::Held for ReferenceGrant {
    fn key(&self) -> Key {
        Key::new(&self.namespace, &self.name)
    }

    fn kept(foreign: &mut Foreign) -> &mut Kept<Self> {
        &mut foreign.grants
    }

    fn concerned(state: &State, before: Option<&Self>, after: Option<&Self>) -> BTreeSet<Key> {
        state.concerned_by_grant(before, after)
    }
}

impl sealed::Held for Service {
    fn key(&self) -> Key {
        Key::new(&self.namespace, &self.name)
    }

    fn kept(foreign: &mut Foreign) -> &mut Kept<Self> {
        &mut foreign.services
    }

    fn concerned(state: &State, before: Option<&Self>, after: Option<&Self>) -> BTreeSet<Key> {
        let Some(Self { namespace, name, .. }) = after.or(before) else { return BTreeSet::new() };
        let mut concerned: BTreeSet<Key> =
            state.links.to(&Target::new(namespace, TargetKind::Service, name)).cloned().collect();
        if let Some(home) = state.namespaces.get(namespace) {
            let states = [before, after].into_iter().flatten();
            let finding = states.flat_map(|service| home.selecting(Selects::Services, &service.labels));
            concerned.extend(finding.map(|name| Key::new(namespace, name)));
        }
        concerned
    }
}

impl sealed::Held for LifecycleServer {
    fn key(&self) -> Key {
        Key::new(&self.namespace, &self.name)
    }

    fn kept(foreign: &mut Foreign) -> &mut Kept<Self> {
        &mut foreign.lifecycle
    }

    fn concerned(state: &State, before: Option<&Self>, after: Option<&Self>) -> BTreeSet<Key> {
        let Some(Self { namespace, name, .. }) = after.or(before) else { return BTreeSet::new() };
        state.links.to(&Target::new(namespace, TargetKind::Lifecycle, name)).cloned().collect()
    }
}
