//! The custom resources of all namespaces.

use super::{
    Key,
    compilation::Compilation,
    custom::Custom,
    foreign::{External, Presence},
    namespace::{Compiled, Namespace, Selects},
    shelf::is_older,
    state::State,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{ResourceExt, core::error_boundary::InvalidObject};
use mcpfleet_crds::{
    compile::{Kind, ObjectKey, Sight},
    foreign::{Optional, PREFIX},
    v1alpha1::McpServer,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// An object that cannot be read, such as one that was stored before its definition changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Malformed {
    /// Its metadata.
    pub metadata: ObjectMeta,
    /// What is wrong.
    pub error: String,
}

/// Objects whose reconcile a change asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Touched {
    pub servers: BTreeSet<Key>,
    pub tools: BTreeSet<Key>,
    pub routes: BTreeSet<Key>,
}

impl Touched {
    /// Nothing but one object.
    pub fn only(kind: Kind, key: Key) -> Self {
        let mut touched = Self::default();
        touched.add(kind, key);
        touched
    }

    /// Adds an object.
    pub fn add(&mut self, kind: Kind, key: Key) {
        match kind {
            Kind::McpServer => self.servers.insert(key),
            Kind::McpTool => self.tools.insert(key),
            Kind::ProviderRoute => self.routes.insert(key),
        };
    }

    /// Adds the members of a compile.
    pub fn add_members(&mut self, compilation: &Compilation) {
        for ObjectKey { kind, namespace, name } in compilation.report.verdicts.keys() {
            self.add(*kind, Key::new(namespace, name));
        }
    }

    fn add_all(&mut self, other: Self) {
        self.servers.extend(other.servers);
        self.tools.extend(other.tools);
        self.routes.extend(other.routes);
    }
}

/// All custom resources, and what they refer to.
#[derive(Debug, Default)]
pub struct Objects {
    state: Mutex<State>,
}

impl Objects {
    /// Nothing yet, of what `sight` says is seen.
    pub fn seeing(sight: Sight) -> Self {
        Self { state: Mutex::new(State { sight: Arc::new(sight), ..State::default() }) }
    }

    /// Keeps an object unless a newer state of it is known.
    pub fn put<K: Custom>(&self, object: K) -> Touched {
        let key = Key::of(&object);
        let mut state = self.state();
        state.malformed.remove(&(K::KIND, key.clone()));
        let known = state.namespaces.get(&key.namespace).and_then(|known| K::get(known, &key.name));
        if known.as_deref().is_some_and(|known| is_older(&object, known)) {
            return Touched::only(K::KIND, key);
        }
        let changed = known.as_deref().is_none_or(|known| concerns_others(&object, known));
        let mut touched = K::insert(&mut state, &key, Arc::new(object), changed);
        touched.add(K::KIND, key);
        touched
    }

    /// Keeps only what can be read of an object, which serves nobody in that state.
    pub fn put_malformed<K: Custom>(&self, invalid: InvalidObject) -> Touched {
        let InvalidObject { error, metadata } = invalid;
        let key = Key::new(
            metadata.namespace.clone().unwrap_or_default(),
            metadata.name.clone().unwrap_or_default(),
        );
        let mut touched = self.remove::<K>(&key);
        self.state().malformed.insert((K::KIND, key.clone()), Malformed { metadata, error });
        touched.add(K::KIND, key);
        touched
    }

    /// Forgets an object.
    pub fn remove<K: Custom>(&self, key: &Key) -> Touched {
        let mut state = self.state();
        state.malformed.remove(&(K::KIND, key.clone()));
        if !state.namespaces.contains_key(&key.namespace) {
            return Touched::default();
        }
        let mut touched = K::remove(&mut state, key);
        touched.add(K::KIND, key.clone());
        if state.namespaces.get(&key.namespace).is_some_and(Namespace::is_empty) {
            state.namespaces.remove(&key.namespace);
        }
        touched
    }

    /// After a new list: forgets what is not in it.
    pub fn retain<K: Custom>(&self, scope: Option<&str>, listed: &HashSet<Key>) -> Touched {
        let mut touched = Touched::default();
        for key in self.keys::<K>() {
            if scope.is_none_or(|namespace| namespace == key.namespace) && !listed.contains(&key) {
                touched.add_all(self.remove::<K>(&key));
            }
        }
        touched
    }

    /// An object.
    pub fn get<K: Custom>(&self, key: &Key) -> Option<Arc<K>> {
        K::get(self.state().namespaces.get(&key.namespace)?, &key.name)
    }

    /// What is known of an object that cannot be read.
    pub fn malformed(&self, kind: Kind, key: &Key) -> Option<Malformed> {
        self.state().malformed.get(&(kind, key.clone())).cloned()
    }

    /// Objects of a kind, those that cannot be read included.
    pub fn keys<K: Custom>(&self) -> Vec<Key> {
        let state = self.state();
        let readable = state.namespaces.iter().flat_map(|(namespace, objects)| {
            K::names(objects).into_iter().map(move |name| Key::new(namespace, name))
        });
        let unreadable =
            state.malformed.keys().filter(|(kind, _)| *kind == K::KIND).map(|(_, key)| key.clone());
        readable.chain(unreadable).collect()
    }

    /// Number of objects of a kind.
    pub fn count<K: Custom>(&self) -> usize {
        let state = self.state();
        let malformed = state.malformed.keys().filter(|(kind, _)| *kind == K::KIND).count();
        state.namespaces.values().map(|namespace| K::names(namespace).len()).sum::<usize>() + malformed
    }

    /// Servers of a namespace that select tools or routes with these labels.
    pub fn selecting(
        &self,
        kind: Kind,
        namespace: &str,
        labels: &BTreeMap<String, String>,
    ) -> Vec<Arc<McpServer>> {
        let state = self.state();
        let Some(namespace) = state.namespaces.get(namespace) else { return Vec::new() };
        let selects = match kind {
            Kind::McpTool => Selects::Tools,
            Kind::ProviderRoute => Selects::Routes,
            Kind::McpServer => return Vec::new(),
        };
        let names = namespace.selecting(selects, labels);
        names.iter().filter_map(|name| Some(namespace.servers.get(name)?.object.clone())).collect()
    }

    /// What a server compiles to, and whom a change of that concerns: empty when it was known already.
    pub fn compile(&self, server: &Key) -> Option<(Arc<Compilation>, Touched)> {
        let (snapshot, before) = {
            let state = self.state();
            let known = state.entry(server)?.compiled.clone();
            let snapshot = state.snapshot(server, known.as_ref().map(|known| known.version));
            match (snapshot, known) {
                (None, Some(known)) => return Some((known.compilation, Touched::default())),
                (None, None) => return None,
                (Some(snapshot), known) => (snapshot, known),
            }
        };
        // Outside the lock: a compile takes milliseconds, and watches must go on meanwhile.
        let compilation = Arc::new(snapshot.compile());
        let mut touched = Touched::only(Kind::McpServer, server.clone());
        touched.add_members(&compilation);
        if let Some(before) = before {
            touched.add_members(&before.compilation);
        }
        let compiled = Compiled { version: snapshot.version, compilation: compilation.clone() };
        let mut state = self.state();
        // Another worker may have compiled a later version meanwhile, or the server is another one by now.
        if let Some(entry) =
            state.entry_mut(server).filter(|entry| entry.object.uid() == snapshot.server.uid())
        {
            let known = entry.compiled.as_ref().map(|known| known.version);
            if known.is_none_or(|known| known < compiled.version) {
                entry.compiled = Some(compiled);
            }
        }
        Some((compilation, touched))
    }

    /// Keeps an object that is not ours.
    pub fn put_foreign<F: External>(&self, object: F) -> Touched {
        self.replace_foreign::<F>(&object.key(), Some(&Arc::new(object)))
    }

    /// Forgets an object that is not ours.
    pub fn remove_foreign<F: External>(&self, key: &Key) -> Touched {
        self.replace_foreign::<F>(key, None)
    }

    /// After a new list: forgets what is not in it.
    pub fn retain_foreign<F: External>(&self, scope: Option<&str>, listed: &HashSet<Key>) -> Touched {
        let known: Vec<Key> = F::kept(&mut self.state().foreign).keys().cloned().collect();
        let mut touched = Touched::default();
        for key in known {
            if scope.is_none_or(|namespace| namespace == key.namespace) && !listed.contains(&key) {
                touched.add_all(self.remove_foreign::<F>(&key));
            }
        }
        touched
    }

    /// Whether the cluster knows a kind by now.
    pub fn set_presence(&self, kind: Optional, presence: Presence) -> Touched {
        let mut state = self.state();
        let changed = match presence {
            Presence::Known => state.foreign.missing.remove(&kind),
            Presence::Missing => state.foreign.missing.insert(kind),
        };
        if !changed {
            return Touched::default();
        }
        let servers = state.needing(kind);
        state.outdate(&servers);
        Touched { servers, ..Touched::default() }
    }

    fn replace_foreign<F: External>(&self, key: &Key, object: Option<&Arc<F>>) -> Touched {
        let mut state = self.state();
        let before = F::kept(&mut state.foreign).replace(key, object);
        if before.as_ref() == object {
            return Touched::default();
        }
        let servers = F::concerned(&state, before.as_deref(), object.map(Arc::as_ref));
        state.outdate(&servers);
        Touched { servers, ..Touched::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether anyone else has to look at a change. Status updates, our own first of all, are nobody's concern.
fn concerns_others<K: Custom>(now: &K, before: &K) -> bool {
    now.uid() != before.uid()
        || now.meta().generation != before.meta().generation
        || now.labels() != before.labels()
        || now.annotations().get(PREFIX) != before.annotations().get(PREFIX)
        || now.meta().deletion_timestamp.is_some() != before.meta().deletion_timestamp.is_some()
}
