//! Who may hold streams: the leader. A follower says where the leader is.

use super::{Fleet, News};
use crate::{
    context::Context,
    metrics::Streaming,
    sessions::{self, Master},
    world::{Key, Touched},
};
use arc_swap::ArcSwapOption;
use kube::ResourceExt;
use mcpfleet_config::stream::{Epoch, SessionKey};
use mcpfleet_crds::{compile::Kind, v1alpha1::McpServer};
use std::{fmt, sync::Arc};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Shared by the listener, the election and the leader's work.
#[derive(Debug, Default)]
pub struct Gate {
    term: ArcSwapOption<Term>,
    leader: ArcSwapOption<String>,
}

/// One term of leadership, as far as streams go. They end with it.
pub struct Term {
    /// Its epoch.
    pub epoch: Epoch,
    /// Set when it is over.
    pub over: CancellationToken,
    context: Arc<Context>,
}

/// Closes the gate, and every stream, when dropped.
#[derive(Debug)]
pub struct Open {
    gate: Arc<Gate>,
    _over: DropGuard,
}

impl Gate {
    /// Takes streams from now on.
    pub fn open(self: &Arc<Self>, epoch: Epoch, context: Arc<Context>) -> Open {
        context.fleet.opened();
        let over = CancellationToken::new();
        let guard = over.clone().drop_guard();
        self.term.store(Some(Arc::new(Term { epoch, over, context })));
        Open { gate: self.clone(), _over: guard }
    }

    /// The term that this replica leads, if it does.
    pub fn term(&self) -> Option<Arc<Term>> {
        self.term.load_full()
    }

    /// The leader is there, as the Lease says.
    pub fn set_leader(&self, address: Option<String>) {
        if self.leader.load().as_deref() != address.as_ref() {
            self.leader.store(address.map(Arc::new));
        }
    }

    /// Address of the leader, `ip:port`.
    pub fn leader(&self) -> Option<Arc<String>> {
        self.leader.load_full()
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.gate.term.store(None);
    }
}

impl Term {
    /// The pods.
    pub fn fleet(&self) -> &Fleet {
        &self.context.fleet
    }

    /// Counts a stream until the answer is dropped.
    pub fn count_stream(&self) -> Streaming {
        self.context.metrics.count_stream()
    }

    /// Whether there is such a server.
    pub fn knows(&self, server: &Key) -> bool {
        self.context.world.objects.get::<McpServer>(server).is_some()
    }

    /// What the replicas of a server share; empty while there is nothing, or no such server.
    ///
    /// # Errors
    /// The crypto library failed.
    pub fn session_keys(&self, server: &Key) -> Result<Vec<SessionKey>, sessions::Error> {
        let server = self.context.world.objects.get::<McpServer>(server);
        let uid = server.and_then(|server| server.uid());
        uid.map_or(Ok(Vec::new()), |uid| self.context.session_keys.of(&uid))
    }

    /// Moves when that changes.
    pub fn session_keys_changed(&self) -> watch::Receiver<Arc<[Master]>> {
        self.context.session_keys.changed()
    }

    /// Has a server looked at, with its tools and routes, when there is news of its pods.
    pub fn tell(&self, server: &Key, news: News) {
        if news == News::Yes {
            touch(&self.context, server);
        }
    }
}

/// Has a server looked at, with its tools and routes: they report missing credentials, and whether they have
/// arrived in the pods.
pub(super) fn touch(context: &Context, server: &Key) {
    let mut touched = Touched::only(Kind::McpServer, server.clone());
    if let Some(compilation) = context.compile(server) {
        touched.add_members(&compilation);
    }
    context.enqueue(touched);
}

impl fmt::Debug for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Term").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}
