//! The three kinds of users, as far as they differ in the [`World`](super::World).

use super::{
    Key,
    namespace::{Entry, Namespace, Selects},
    objects::Touched,
};
use kube::{Resource, ResourceExt};
use mcpfleet_crds::{
    compile::Kind,
    v1alpha1::{McpServer, McpTool, ProviderRoute},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{collections::BTreeMap, fmt::Debug, sync::Arc};

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
    use super::{Arc, Key, Namespace, Touched};

    pub trait Held: Sized {
        fn get(namespace: &Namespace, name: &str) -> Option<Arc<Self>>;
        fn names(namespace: &Namespace) -> Vec<String>;
        /// `changed`: others have to look at it.
        fn insert(namespace: &mut Namespace, key: &Key, object: Arc<Self>, changed: bool) -> Touched;
        fn remove(namespace: &mut Namespace, key: &Key) -> Touched;
    }
}

impl sealed::Held for McpServer {
    fn get(namespace: &Namespace, name: &str) -> Option<Arc<Self>> {
        namespace.servers.get(name).map(|entry| entry.object.clone())
    }

    fn names(namespace: &Namespace) -> Vec<String> {
        namespace.servers.keys().cloned().collect()
    }

    fn insert(namespace: &mut Namespace, key: &Key, object: Arc<Self>, changed: bool) -> Touched {
        let before = namespace.servers.remove(&key.name);
        let (version, compiled) = before.map_or((0, None), |entry| (entry.version, entry.compiled));
        let entry = Entry::new(object, version + u64::from(changed), compiled);
        namespace.servers.insert(key.name.clone(), entry);
        if changed { referring(namespace, key) } else { Touched::default() }
    }

    fn remove(namespace: &mut Namespace, key: &Key) -> Touched {
        let removed = namespace.servers.remove(&key.name);
        let mut touched = referring(namespace, key);
        if let Some(compiled) = removed.and_then(|entry| entry.compiled) {
            touched.add_members(&compiled.compilation);
        }
        touched
    }
}

fn referring(namespace: &mut Namespace, key: &Key) -> Touched {
    servers(key, namespace.outdate_referring(&key.name))
}

fn servers(key: &Key, names: Vec<String>) -> Touched {
    let servers = names.into_iter().map(|name| Key::new(&key.namespace, name)).collect();
    Touched { servers, ..Touched::default() }
}

impl sealed::Held for McpTool {
    fn get(namespace: &Namespace, name: &str) -> Option<Arc<Self>> {
        namespace.tools.get(name).cloned()
    }

    fn names(namespace: &Namespace) -> Vec<String> {
        namespace.tools.keys().cloned().collect()
    }

    fn insert(namespace: &mut Namespace, key: &Key, object: Arc<Self>, changed: bool) -> Touched {
        let before = namespace.tools.insert(key.name.clone(), object.clone());
        if !changed {
            return Touched::default();
        }
        selecting(namespace, Selects::Tools, key, before.as_deref(), Some(&object))
    }

    fn remove(namespace: &mut Namespace, key: &Key) -> Touched {
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

    fn insert(namespace: &mut Namespace, key: &Key, object: Arc<Self>, changed: bool) -> Touched {
        let before = namespace.routes.insert(key.name.clone(), object.clone());
        if !changed {
            return Touched::default();
        }
        selecting(namespace, Selects::Routes, key, before.as_deref(), Some(&object))
    }

    fn remove(namespace: &mut Namespace, key: &Key) -> Touched {
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
    let labels = |object: Option<&K>| -> Option<BTreeMap<String, String>> {
        object.map(|object| object.labels().clone())
    };
    servers(key, namespace.outdate_selecting(kind, labels(before).as_ref(), labels(after).as_ref()))
}
