//! The three kinds of users, as far as they differ in the [`World`](super::World).

use super::{
    Key,
    namespace::{Entry, Labels, Namespace, Selects},
    objects::Touched,
    state::State,
};
use kube::{Resource, ResourceExt};
use mcpfleet_crds::{
    compile::Kind,
    v1alpha1::{McpServer, McpTool, ProviderRoute},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{fmt::Debug, sync::Arc};

/// A kind of ours.
pub trait Custom:
    Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
    + Clone
    + Debug
    + Serialize
    + DeserializeOwned
    + Send
    + Sync
    + sealed::Held
    + 'static
{
    /// Which one.
    const KIND: Kind;
}

impl Custom for McpServer {
    const KIND: Kind = Kind::McpServer;
}

impl Custom for McpTool {
    const KIND: Kind = Kind::McpTool;
}

impl Custom for ProviderRoute {
    const KIND: Kind = Kind::ProviderRoute;
}

/// Where the kind is kept. Out of reach for other modules: only [`Objects`](super::Objects) changes anything.
mod sealed {
    use super::{Arc, Key, Namespace, State, Touched};

    pub trait Held: Sized {
        fn get(namespace: &Namespace, name: &str) -> Option<Arc<Self>>;
        fn names(namespace: &Namespace) -> Vec<String>;
        /// `changed`: others have to look at it.
        fn insert(state: &mut State, key: &Key, object: Arc<Self>, changed: bool) -> Touched;
        fn remove(state: &mut State, key: &Key) -> Touched;
    }
}

impl sealed::Held for McpServer {
    fn get(namespace: &Namespace, name: &str) -> Option<Arc<Self>> {
        namespace.servers.get(name).map(|entry| entry.object.clone())
    }

    fn names(namespace: &Namespace) -> Vec<String> {
        namespace.servers.keys().cloned().collect()
    }

    fn insert(state: &mut State, key: &Key, object: Arc<Self>, changed: bool) -> Touched {
        let before = take(state, key);
        let labels = before.as_ref().map(|entry| entry.object.labels().clone());
        let (version, compiled) = before.map_or((0, None), |entry| (entry.version, entry.compiled));
        let entry = Entry::new(object.clone(), version + u64::from(changed), compiled);
        state.links.put(&object);
        namespace(state, key).servers.insert(key.name.clone(), entry);
        if changed { leading(state, key, labels.as_ref(), Some(object.labels())) } else { Touched::default() }
    }

    fn remove(state: &mut State, key: &Key) -> Touched {
        let removed = take(state, key);
        let labels = removed.as_ref().map(|entry| entry.object.labels().clone());
        let mut touched = leading(state, key, labels.as_ref(), None);
        if let Some(compiled) = removed.and_then(|entry| entry.compiled) {
            touched.add_members(&compiled.compilation);
        }
        touched
    }
}

fn namespace<'a>(state: &'a mut State, key: &Key) -> &'a mut Namespace {
    state.namespaces.entry(key.namespace.clone()).or_default()
}

fn take(state: &mut State, key: &Key) -> Option<Entry> {
    let entry = state.namespaces.get_mut(&key.namespace)?.servers.remove(&key.name)?;
    state.links.remove(&entry.object);
    Some(entry)
}

/// Servers from which references led to this one before the change, or do after it, and those that list it.
fn leading(state: &mut State, key: &Key, before: Option<&Labels>, after: Option<&Labels>) -> Touched {
    let labels: Vec<&Labels> = [before, after].into_iter().flatten().collect();
    let mut servers = state.leading_to(key, &labels);
    servers.extend(state.listing(key, &labels));
    state.outdate(&servers);
    Touched { servers, ..Touched::default() }
}

impl sealed::Held for McpTool {
    fn get(namespace: &Namespace, name: &str) -> Option<Arc<Self>> {
        namespace.tools.get(name).cloned()
    }

    fn names(namespace: &Namespace) -> Vec<String> {
        namespace.tools.keys().cloned().collect()
    }

    fn insert(state: &mut State, key: &Key, object: Arc<Self>, changed: bool) -> Touched {
        let namespace = namespace(state, key);
        let before = namespace.tools.insert(key.name.clone(), object.clone());
        if !changed {
            return Touched::default();
        }
        selecting(namespace, Selects::Tools, key, before.as_deref(), Some(&object))
    }

    fn remove(state: &mut State, key: &Key) -> Touched {
        let namespace = namespace(state, key);
        let before = namespace.tools.remove(&key.name);
        selecting(namespace, Selects::Tools, key, before.as_deref(), None)
    }
}

impl sealed::Held for ProviderRoute {
    fn get(namespace: &Namespace, name: &str) -> Option<Arc<Self>> {
        namespace.routes.get(name).cloned()
    }

    fn names(namespace: &Namespace) -> Vec<String> {
        namespace.routes.keys().cloned().collect()
    }

    fn insert(state: &mut State, key: &Key, object: Arc<Self>, changed: bool) -> Touched {
        let namespace = namespace(state, key);
        let before = namespace.routes.insert(key.name.clone(), object.clone());
        if !changed {
            return Touched::default();
        }
        selecting(namespace, Selects::Routes, key, before.as_deref(), Some(&object))
    }

    fn remove(state: &mut State, key: &Key) -> Touched {
        let namespace = namespace(state, key);
        let before = namespace.routes.remove(&key.name);
        selecting(namespace, Selects::Routes, key, before.as_deref(), None)
    }
}

/// Servers that selected the object before the change, or do after it: its labels may be what has changed.
fn selecting<K: ResourceExt>(
    namespace: &mut Namespace,
    kind: Selects,
    key: &Key,
    before: Option<&K>,
    after: Option<&K>,
) -> Touched {
    let labels = |object: Option<&K>| -> Option<Labels> { object.map(|object| object.labels().clone()) };
    let names = namespace.outdate_selecting(kind, labels(before).as_ref(), labels(after).as_ref());
    let servers = names.into_iter().map(|name| Key::new(&key.namespace, name)).collect();
    Touched { servers, ..Touched::default() }
}
