//! Watches of what is not ours and can be referred to: Services, and kinds that a cluster may lack.
//!
//! Of each object only what a compile needs is kept, so that what else changes in it concerns nobody.

use super::{Starter, Step, follow, watch};
use crate::{
    context::Context,
    world::{External, Key, Presence},
};
use futures::{StreamExt, future::ready};
use k8s_openapi::api::core::v1;
use kube::{
    Api, Client, ResourceExt,
    api::{ApiResource, DynamicObject},
    runtime::watcher,
};
use mcpfleet_crds::foreign::{Optional, Service};
use std::{collections::HashSet, sync::Arc, time::Duration};
use tokio::sync::oneshot;

/// Pause between two looks for a kind that the cluster lacks.
const LOOK: Duration = Duration::from_secs(30);
/// Pause after a look that failed.
const RETRY: Duration = Duration::from_secs(2);

impl Starter<'_> {
    /// Every Service, since every one can be named.
    pub(super) fn services(&mut self) {
        let (done, complete) = oneshot::channel();
        self.complete.push(complete);
        let feed =
            Feed { context: self.context.clone(), scope: self.scope.map(Into::into), read: Service::read };
        let events = watch::<v1::Service>(self.api(), watcher::Config::default());
        self.tasks.spawn(async move {
            follow("Service", events, &mut Some(done), |step| feed.take(step)).await;
        });
    }

    /// A kind that the cluster may lack now and know later, or the other way round.
    pub(super) fn optional<F: External>(&mut self, kind: Optional, read: fn(&DynamicObject) -> F) {
        let (done, complete) = oneshot::channel();
        self.complete.push(complete);
        let feed = Feed { context: self.context.clone(), scope: self.scope.map(Into::into), read };
        self.tasks.spawn(async move { feed.look_for(kind, done).await });
    }
}

/// Into the world, as much of each object as `read` takes.
struct Feed<K, F> {
    context: Arc<Context>,
    scope: Option<String>,
    read: fn(&K) -> F,
}

impl<K: ResourceExt, F: External> Feed<K, F> {
    fn take(&self, step: Step<K>) {
        let objects = &self.context.world.objects;
        let touched = match step {
            Step::Put(object) => objects.put_foreign((self.read)(&object)),
            Step::Remove(object) => objects.remove_foreign::<F>(&Key::of(&object)),
            Step::Listed(listed) => objects.retain_foreign::<F>(self.scope.as_deref(), &listed),
        };
        self.context.enqueue(touched);
    }
}

impl<F: External> Feed<DynamicObject, F> {
    /// Watches while the cluster knows the kind and lets it be read, and looks for it now and then while not.
    async fn look_for(&self, kind: Optional, first: oneshot::Sender<()>) {
        let mut first = Some(first);
        loop {
            match find(&self.context.client, kind).await {
                Ok(Some(resource)) => self.follow(kind, &resource, &mut first).await,
                Ok(None) => {}
                Err(error) if is_refusal(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, kind = kind.kind(), "cannot be looked for");
                    tokio::time::sleep(RETRY).await;
                    continue;
                }
            }
            self.take(Step::Listed(HashSet::new()));
            self.context.enqueue(self.context.world.objects.set_presence(kind, Presence::Missing));
            let _ = first.take().map(|first| first.send(()));
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Ends when the API server does not know the kind any more, or refuses to show it.
    async fn follow(&self, kind: Optional, resource: &ApiResource, first: &mut Option<oneshot::Sender<()>>) {
        let client = self.context.client.clone();
        let api: Api<DynamicObject> = match &self.scope {
            Some(namespace) => Api::namespaced_with(client, namespace, resource),
            None => Api::all_with(client, resource),
        };
        let events = watch(api, watcher::Config::default());
        let events = events.take_while(|event| ready(!event.as_ref().is_err_and(is_absent)));
        follow(kind.kind(), events, first, |step| {
            let listed = matches!(step, Step::Listed(_));
            self.take(step);
            if listed {
                self.context.enqueue(self.context.world.objects.set_presence(kind, Presence::Known));
            }
        })
        .await;
    }
}

fn is_absent(error: &watcher::Error) -> bool {
    use watcher::Error::{InitialListFailed, WatchStartFailed};
    matches!(error, InitialListFailed(error) | WatchStartFailed(error) if is_refusal(error))
}

fn is_refusal(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if matches!(status.code, 403 | 404))
}

/// The newest version of a kind that both sides know; one request while its group is unknown.
async fn find(client: &Client, kind: Optional) -> kube::Result<Option<ApiResource>> {
    let groups = client.list_api_groups().await?.groups;
    let Some(group) = groups.into_iter().find(|group| group.name == kind.group()) else { return Ok(None) };
    for version in kind.versions() {
        if !group.versions.iter().any(|known| known.version == *version) {
            continue;
        }
        let api_version = format!("{}/{version}", kind.group());
        let resources = client.list_api_group_resources(&api_version).await?.resources;
        let found = resources.into_iter().find(|it| it.kind == kind.kind() && !it.name.contains('/'));
        if let Some(found) = found {
            return Ok(Some(ApiResource {
                group: kind.group().into(),
                version: (*version).into(),
                api_version,
                kind: kind.kind().into(),
                plural: found.name,
            }));
        }
    }
    Ok(None)
}
