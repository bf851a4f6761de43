//! Tells everyone what changed: modern listeners by a channel, legacy sessions on their own streams.

use rmcp::model::ResourceUpdatedNotificationParam;
use rmcp::service::{Peer, RoleServer, SubscriptionContext};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::broadcast;

/// What changed.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Tools,
    Prompts,
    /// The content of the resource of this URI.
    Resource(String),
}

/// The resources that one legacy session subscribed to.
pub(crate) type Watched = Arc<Mutex<HashSet<String>>>;

struct Session {
    peer: Peer<RoleServer>,
    watched: Watched,
}

/// Who is to be told.
pub(crate) struct Bus {
    listeners: broadcast::Sender<Change>,
    sessions: Mutex<Vec<Session>>,
}

impl Default for Bus {
    fn default() -> Self {
        Self { listeners: broadcast::channel(256).0, sessions: Mutex::default() }
    }
}

impl Bus {
    /// A legacy session that wants to hear of changes.
    pub(crate) fn join(&self, peer: Peer<RoleServer>, watched: Watched) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|session| !session.peer.is_transport_closed());
        sessions.push(Session { peer, watched });
    }

    /// Changes from now on, for a modern listener.
    pub(crate) fn listen(&self) -> broadcast::Receiver<Change> {
        self.listeners.subscribe()
    }

    /// Tells all. A client that does not read holds up no other.
    pub(crate) fn announce(&self, change: &Change) {
        // No listener is no error.
        drop(self.listeners.send(change.clone()));
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        for session in sessions.iter().filter(|session| !session.peer.is_transport_closed()) {
            if let Change::Resource(uri) = change
                && !session.watched.lock().unwrap_or_else(PoisonError::into_inner).contains(uri)
            {
                continue;
            }
            tokio::spawn(tell(session.peer.clone(), change.clone()));
        }
    }
}

async fn tell(peer: Peer<RoleServer>, change: Change) {
    let told = match change {
        Change::Tools => peer.notify_tool_list_changed().await,
        Change::Prompts => peer.notify_prompt_list_changed().await,
        Change::Resource(uri) => {
            peer.notify_resource_updated(ResourceUpdatedNotificationParam::new(uri)).await
        }
    };
    // The session may end at any time; then there is nobody to tell.
    drop(told);
}

/// Forwards changes to one `subscriptions/listen` stream until it is closed.
pub(crate) async fn forward(mut changes: broadcast::Receiver<Change>, stream: &SubscriptionContext) {
    loop {
        let change = tokio::select! {
            () = stream.cancelled() => return,
            change = changes.recv() => change,
        };
        let sink = stream.sink();
        // A type that the client did not ask for is refused by the sink: that is the filter.
        let sent = match change {
            Ok(Change::Tools) => sink.notify_tool_list_changed().await,
            Ok(Change::Prompts) => sink.notify_prompt_list_changed().await,
            Ok(Change::Resource(uri)) => sink.notify_resource_updated(uri).await,
            Err(broadcast::error::RecvError::Lagged(_)) => continue,
            Err(broadcast::error::RecvError::Closed) => return,
        };
        drop(sent);
    }
}
