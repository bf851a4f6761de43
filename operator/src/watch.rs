//! The watches: each feeds the world and tells the queues whom a change concerns.

mod foreign;

use crate::{
    children::{OPERATOR, digest_data},
    context::Context,
    world::{Custom, Key, Shelf, Touched, World},
};
use futures::{Stream, StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api, Resource, ResourceExt,
    core::{DeserializeGuard, NamespaceResourceScope},
    runtime::{
        WatchStreamExt,
        watcher::{self, Event},
    },
};
use serde::de::DeserializeOwned;
use std::{collections::HashSet, fmt::Debug, pin::pin, sync::Arc};
use tokio::{sync::oneshot, task::JoinSet};

/// Objects in one page of a list.
const PAGE: u32 = 50;
/// Annotation of `kubectl apply` that repeats the whole object.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Starts every watch of a scope, and one signal each for its first complete list.
pub fn start(
    context: &Arc<Context>,
    scope: Option<&str>,
    tasks: &mut JoinSet<()>,
) -> Vec<oneshot::Receiver<()>> {
    use mcpfleet_crds::{
        foreign::{LifecycleServer, Optional, ReferenceGrant},
        v1alpha1::{McpServer, McpTool, ProviderRoute},
    };
    let mut start = Starter { context, scope, tasks, complete: Vec::new() };
    start.custom::<McpServer>();
    start.custom::<McpTool>();
    start.custom::<ProviderRoute>();
    start.shelf(|world| &world.children.service_accounts, child_touched, |_| ());
    start.shelf(
        |world| &world.children.config_maps,
        child_touched,
        |config: &mut ConfigMap| digest_data(config),
    );
    start.shelf(|world| &world.children.services, child_touched, |_| ());
    start.shelf(|world| &world.children.network_policies, child_touched, |_| ());
    start.shelf(|world| &world.children.budgets, child_touched, |_| ());
    start.shelf(|world| &world.children.deployments, child_touched, |_| ());
    start.shelf(|world| &world.slices, child_touched, |_| ());
    start.services();
    start.optional::<ReferenceGrant>(Optional::ReferenceGrant, ReferenceGrant::read);
    start.optional::<LifecycleServer>(Optional::LifecycleServer, LifecycleServer::read);
    start.complete
}

fn child_touched(context: &Context, server: Key) {
    context.queues.servers.add([server]);
}

struct Starter<'a> {
    context: &'a Arc<Context>,
    scope: Option<&'a str>,
    tasks: &'a mut JoinSet<()>,
    complete: Vec<oneshot::Receiver<()>>,
}

impl Starter<'_> {
    fn custom<K: Custom>(&mut self) {
        let (done, complete) = oneshot::channel();
        self.complete.push(complete);
        let feed = CustomFeed { context: self.context.clone(), scope: self.scope.map(Into::into) };
        let events = watch::<DeserializeGuard<K>>(self.api(), watcher::Config::default());
        self.tasks.spawn(async move {
            follow(K::KIND.as_str(), events, &mut Some(done), |step| feed.take(step)).await;
        });
    }

    fn shelf<K>(&mut self, select: fn(&World) -> &Shelf<K>, touched: fn(&Context, Key), trim: fn(&mut K))
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + Debug
            + DeserializeOwned
            + Send
            + Sync
            + 'static,
    {
        let (done, complete) = oneshot::channel();
        self.complete.push(complete);
        let context = self.context.clone();
        let feed = ShelfFeed { context, scope: self.scope.map(Into::into), select, touched };
        // EndpointSlices carry the labels of their Service.
        let ours = watcher::Config::default().labels(&format!("app.kubernetes.io/managed-by={OPERATOR}"));
        let events = watch::<K>(self.api(), ours).modify(trim);
        self.tasks.spawn(async move {
            follow(&K::kind(&()), events, &mut Some(done), |step| feed.take(step)).await;
        });
    }

    fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        let client = self.context.client.clone();
        match self.scope {
            Some(namespace) => Api::namespaced(client, namespace),
            None => Api::all(client),
        }
    }
}

/// A watch that retries with its own backoff, without the bulk that nobody reads.
fn watch<K>(
    api: Api<K>,
    config: watcher::Config,
) -> impl Stream<Item = watcher::Result<Event<K>>> + Send + use<K>
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
{
    // Pages of the first list are parsed whole: small ones keep the peak, and so the memory, small.
    watcher::watcher(api, config.page_size(PAGE)).default_backoff().modify(|object| {
        object.managed_fields_mut().clear();
        if let Some(annotations) = &mut object.meta_mut().annotations {
            annotations.remove(LAST_APPLIED);
        }
    })
}

/// A change of what is known.
enum Step<K> {
    Put(K),
    Remove(K),
    /// A complete list was read: nothing else exists.
    Listed(HashSet<Key>),
}

/// Runs a watch to its end, which only some have.
async fn follow<K: ResourceExt>(
    kind: &str,
    events: impl Stream<Item = watcher::Result<Event<K>>>,
    first: &mut Option<oneshot::Sender<()>>,
    take: impl Fn(Step<K>),
) {
    let mut listed = HashSet::new();
    let mut events = pin!(events.inspect_err(|error| tracing::warn!(%error, kind, "watch failed")));
    while let Some(event) = events.next().await {
        let Ok(event) = event else { continue };
        match event {
            Event::Init => listed.clear(),
            Event::InitApply(object) => {
                listed.insert(Key::of(&object));
                take(Step::Put(object));
            }
            Event::InitDone => {
                take(Step::Listed(std::mem::take(&mut listed)));
                // Nobody listens any more when leadership ended meanwhile.
                let _ = first.take().map(|first| first.send(()));
            }
            Event::Apply(object) => take(Step::Put(object)),
            Event::Delete(object) => take(Step::Remove(object)),
        }
    }
}

struct CustomFeed {
    context: Arc<Context>,
    scope: Option<String>,
}

impl CustomFeed {
    fn take<K: Custom>(&self, step: Step<DeserializeGuard<K>>) {
        let objects = &self.context.world.objects;
        let touched = match step {
            Step::Put(DeserializeGuard(Ok(object))) => objects.put(object),
            Step::Put(DeserializeGuard(Err(invalid))) => {
                self.context.metrics.count_malformed(K::KIND.as_str());
                objects.put_malformed::<K>(invalid)
            }
            Step::Remove(object) => objects.remove::<K>(&Key::of(&object)),
            Step::Listed(listed) => objects.retain::<K>(self.scope.as_deref(), &listed),
        };
        self.context.metrics.set_objects(K::KIND.as_str(), objects.count::<K>());
        self.context.enqueue(touched);
    }
}

struct ShelfFeed<K> {
    context: Arc<Context>,
    scope: Option<String>,
    select: fn(&World) -> &Shelf<K>,
    touched: fn(&Context, Key),
}

impl<K: ResourceExt> ShelfFeed<K> {
    fn take(&self, step: Step<K>) {
        let objects = (self.select)(&self.context.world);
        let servers = match step {
            Step::Put(object) => objects.put(object).into_iter().collect(),
            Step::Remove(object) => objects.remove(&object).into_iter().collect(),
            Step::Listed(listed) => objects.retain(self.scope.as_deref(), &listed),
        };
        for server in servers {
            (self.touched)(&self.context, server);
        }
    }
}

/// Everything that exists, for the first look after the stores are complete.
pub fn everything(world: &World) -> Touched {
    use mcpfleet_crds::v1alpha1::{McpServer, McpTool, ProviderRoute};
    let keys = &world.objects;
    Touched {
        servers: keys.keys::<McpServer>().into_iter().collect(),
        tools: keys.keys::<McpTool>().into_iter().collect(),
        routes: keys.keys::<ProviderRoute>().into_iter().collect(),
    }
}
