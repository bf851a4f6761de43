//! A session's own stream: of a legacy server the GET beside its POSTs (2025-11-25, transports, "Listening for Messages
//! from the Server"), or the only one there is (2024-11-05, transports, "HTTP with SSE").
//!
//! What comes is handed out by [`Delivery`].

use super::{
    ClientError, Endpoint, backoff,
    body::{self, Events},
    delivery::Delivery,
    inbox::Inbox,
    outlet::Outlet,
    outside::{Mouth, Outside},
    session::Side,
};
use crate::upstream::{bell::Bell, task::StopOnDrop};
use http::{HeaderMap, HeaderValue};
use mcpfleet_protocol::client::{LegacyPeer, Peer};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

/// How long an opening session waits for its own stream: what the server sends before it stands can be lost, but a server
/// that says nothing until it has something to say must not hold up the call.
const OPENING: Duration = Duration::from_millis(500);

/// A stream that ends sooner, and has said nothing, counts as a failure.
const LASTING: Duration = Duration::from_secs(30);

/// Whether a session's own stream stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listening {
    Opening,
    Open,
    /// The server has none, or it is gone.
    Absent,
}

/// Whoever reads a stream.
pub(super) struct Reader {
    pub(super) endpoint: Endpoint,
    pub(super) delivery: Delivery,
    pub(super) listening: watch::Sender<Listening>,
}

impl Reader {
    /// Reads the one stream of HTTP+SSE to its end, and with it the session's.
    pub(super) async fn read_only_stream(self, mut events: Events) {
        let _ = self.read(&mut events).await;
        self.listening.send_replace(Listening::Absent);
        self.delivery.close();
    }

    /// Keeps a GET open, for as long as the server wants one.
    async fn keep_listening(self, peer: LegacyPeer) {
        let (mut last_id, mut failures) = (None::<String>, 0_u32);
        loop {
            let mut retry = None;
            match self.open(&peer, last_id.as_deref()).await {
                Ok(Some(mut events)) => {
                    if self.listening.send_replace(Listening::Open) != Listening::Opening {
                        // What changed in between was said to nobody.
                        self.delivery.bell.lists_changed();
                    }
                    let since = Instant::now();
                    let read = self.read(&mut events).await;
                    let lasted = read == Read::Something || since.elapsed() >= LASTING;
                    failures = if lasted { 0 } else { failures.saturating_add(1) };
                    last_id = events.last_id().filter(|id| !id.is_empty()).map(ToOwned::to_owned).or(last_id);
                    retry = events.retry();
                }
                Ok(None) => break,
                Err(_) => failures = failures.saturating_add(1),
            }
            self.listening.send_replace(Listening::Absent);
            let pause = backoff(failures);
            sleep(retry.map_or(pause, |retry| retry.clamp(pause, backoff(u32::MAX)))).await;
        }
        if self.listening.send_replace(Listening::Absent) != Listening::Opening {
            // It had one: the session may be gone, which the next list finds out.
            self.delivery.bell.lists_changed();
        }
    }

    /// The stream; `None` when the server has none to give.
    async fn open(&self, peer: &LegacyPeer, last_id: Option<&str>) -> Result<Option<Events>, ClientError> {
        let response = self.endpoint.get(listen_headers(peer, last_id)).await?;
        let status = response.status();
        if status.is_server_error() {
            return Err(ClientError::Status(status));
        }
        Ok(body::is_event_stream(status, response.headers()).then(|| Events::new(response)))
    }

    async fn read(&self, events: &mut Events) -> Read {
        let mut read = Read::Nothing;
        while let Ok(Some(message)) = events.message(&self.endpoint).await {
            read = Read::Something;
            self.delivery.deliver(message).await;
        }
        read
    }
}

/// What came of a stream.
#[derive(PartialEq, Eq)]
enum Read {
    Something,
    Nothing,
}

/// Headers of a GET that opens a stream, or goes on with one (2025-11-25, transports, "Resumability and Redelivery").
pub(super) fn listen_headers(peer: &LegacyPeer, last_id: Option<&str>) -> HeaderMap {
    let mut headers = peer.listen();
    // One that is no header value cannot be named: the stream begins anew.
    if let Some(Ok(id)) = last_id.map(HeaderValue::from_str) {
        headers.insert("last-event-id", id);
    }
    headers
}

/// Opens a GET beside the POSTs of a session, and waits a moment until it stands.
pub(super) async fn open(endpoint: &Endpoint, peer: &LegacyPeer, bell: &Arc<Bell>, outside: Outside) -> Side {
    let inbox = Arc::new(Inbox::default());
    let (sender, mut listening) = watch::channel(Listening::Opening);
    let reader = Reader {
        endpoint: endpoint.clone(),
        delivery: Delivery {
            mouth: Mouth { outlet: Outlet::Url(endpoint.clone()), peer: Peer::Legacy(peer.clone()) },
            outside,
            inbox: inbox.clone(),
            bell: bell.clone(),
        },
        listening: sender,
    };
    let task = tokio::spawn(reader.keep_listening(peer.clone()));
    let _ = timeout(OPENING, listening.wait_for(|listening| *listening != Listening::Opening)).await;
    Side { inbox, listening, _reader: StopOnDrop(task) }
}
