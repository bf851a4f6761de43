//! What every reconcile is given.

use crate::{
    autoscale::Autoscaler,
    certificates::Certificates,
    children::Defaults,
    events::Events,
    fleet::Fleet,
    metrics::Metrics,
    queue::Queue,
    sessions::SessionKeys,
    world::{Compilation, Key, Touched, World},
};
use kube::Client;
use std::{fmt, sync::Arc, time::Duration};

/// The first change of a burst waits this long for the rest of it.
const DEBOUNCE: Duration = Duration::from_millis(20);

/// Shared by all workers of one term of leadership.
#[allow(missing_docs)]
pub struct Context {
    pub client: Client,
    pub world: World,
    pub queues: Queues,
    pub fleet: Fleet,
    pub autoscaler: Autoscaler,
    pub events: Events,
    pub metrics: Arc<Metrics>,
    pub defaults: Defaults,
    pub certificates: Arc<Certificates>,
    pub session_keys: Arc<SessionKeys>,
}

/// A queue for each controller.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Queues {
    pub servers: Queue<Key>,
    pub tools: Queue<Key>,
    pub routes: Queue<Key>,
}

impl Default for Queues {
    fn default() -> Self {
        let queue = || Queue::new(DEBOUNCE);
        Self { servers: queue(), tools: queue(), routes: queue() }
    }
}

impl Context {
    /// Puts the objects that a change concerns into their queues.
    pub fn enqueue(&self, touched: Touched) {
        self.queues.servers.add(touched.servers);
        self.queues.tools.add(touched.tools);
        self.queues.routes.add(touched.routes);
    }

    /// What a server compiles to. When that is news, everyone whom it concerns is told.
    pub fn compile(&self, server: &Key) -> Option<Arc<Compilation>> {
        let (compilation, touched) = self.world.objects.compile(server)?;
        self.enqueue(touched);
        Some(compilation)
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("queues", &self.queues).finish_non_exhaustive()
    }
}
