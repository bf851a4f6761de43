//! Objects of one kind, by the server that they belong to.

use super::Key;
use kube::ResourceExt;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

type Groups<K> = HashMap<Key, BTreeMap<String, Arc<K>>>;

/// Objects that a watch feeds, and our own writes: so a reconcile that follows a write on its heels sees it.
#[derive(Debug)]
pub struct Shelf<K> {
    groups: Mutex<Groups<K>>,
    /// Name of the server that an object belongs to.
    server: fn(&K) -> Option<String>,
}

impl<K: ResourceExt> Shelf<K> {
    /// An empty shelf; objects without a server are passed over.
    pub fn new(server: fn(&K) -> Option<String>) -> Self {
        Self { groups: Mutex::default(), server }
    }

    /// Keeps an object unless a newer state of it is known. Returns the server that it belongs to.
    pub fn put(&self, object: K) -> Option<Key> {
        let server = Key::new(object.namespace()?, (self.server)(&object)?);
        let mut groups = self.groups();
        let group = groups.entry(server.clone()).or_default();
        let name = object.name_any();
        if group.get(&name).is_none_or(|known| !is_older(&object, known.as_ref())) {
            group.insert(name, Arc::new(object));
        }
        Some(server)
    }

    /// Forgets an object. Returns the server that it belonged to.
    pub fn remove(&self, object: &K) -> Option<Key> {
        let server = Key::new(object.namespace()?, (self.server)(object)?);
        let mut groups = self.groups();
        let group = groups.get_mut(&server)?;
        group.remove(&object.name_any());
        if group.is_empty() {
            groups.remove(&server);
        }
        Some(server)
    }

    /// After a new list: forgets what is not in it. Returns the servers that lost something.
    pub fn retain(&self, scope: Option<&str>, listed: &HashSet<Key>) -> Vec<Key> {
        let mut lost = Vec::new();
        self.groups().retain(|server, group| {
            if scope.is_some_and(|namespace| namespace != server.namespace) {
                return true;
            }
            let before = group.len();
            group.retain(|name, _| listed.contains(&Key::new(&server.namespace, name)));
            if group.len() < before {
                lost.push(server.clone());
            }
            !group.is_empty()
        });
        lost
    }

    /// Objects of a server, by name.
    pub fn of(&self, server: &Key) -> Vec<Arc<K>> {
        self.groups().get(server).map(|group| group.values().cloned().collect()).unwrap_or_default()
    }

    fn groups(&self) -> MutexGuard<'_, Groups<K>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether `left` is an older state of the same object. Resource versions of one object can be ordered where
/// they are numbers; elsewhere the last word counts.
pub(super) fn is_older<K: ResourceExt>(left: &K, right: &K) -> bool {
    let version = |object: &K| object.resource_version()?.parse::<u64>().ok();
    left.uid() == right.uid() && version(left).zip(version(right)).is_some_and(|(l, r)| l < r)
}
