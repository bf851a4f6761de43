//! Connections to peers: a few each, opened when they are needed and closed when they are not.

use super::{
    PeerError, Unreached,
    connection::{Connection, Driver, Failed},
    dial::dial,
    identity::Identity,
};
use crate::{model::Body, seal::Keyring};
use bytes::Bytes;
use http::{
    Request, Response, Uri,
    header::HOST,
    uri::{Authority, PathAndQuery, Scheme},
};
use http_body_util::Full;
use std::{
    collections::HashMap,
    fmt,
    net::SocketAddr,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::{MissedTickBehavior, interval},
};

/// Most other replicas that are asked who holds a session.
pub const MAX_OTHERS: usize = 256;
/// Connections to one peer. Together they carry eight thousand requests.
const CONNECTIONS: usize = 64;
/// Connections that are tried for one request, when they end before it was sent.
const TRIES: usize = 3;
/// A connection that carried nothing for this long is closed; it may take twice as long.
const IDLE: Duration = Duration::from_mins(1);

/// The other replicas of this server.
pub struct Peers {
    keys: Arc<Keyring>,
    own: SocketAddr,
    others: Mutex<Arc<[SocketAddr]>>,
    hosts: Mutex<HashMap<SocketAddr, Host>>,
}

/// One of them.
#[derive(Debug, Default)]
struct Host {
    connections: Vec<Arc<Connection>>,
    /// A dial under way; everybody waits for the same one.
    dialling: Option<watch::Receiver<Dialled>>,
}

/// What came of a dial; `None` while it lasts.
type Dialled = Option<Result<(), Unreached>>;

/// How to get at a connection.
enum Way {
    Open(Arc<Connection>, OwnedSemaphorePermit),
    Dial(watch::Receiver<Dialled>),
}

impl Peers {
    /// Peers that know each other by `keys`; they reach this process at `own`.
    pub fn new(keys: Arc<Keyring>, own: SocketAddr) -> Arc<Self> {
        Arc::new(Self { keys, own, others: Mutex::new(Arc::from([])), hosts: Mutex::default() })
    }

    /// Where other replicas reach this one.
    pub fn own_address(&self) -> SocketAddr {
        self.own
    }

    /// The other replicas that there are, as far as somebody has said; in order. None: nobody has.
    pub fn others(&self) -> Vec<SocketAddr> {
        self.others.lock().unwrap_or_else(PoisonError::into_inner).to_vec()
    }

    /// These replicas there are, this one perhaps among them; at most [`MAX_OTHERS`] of them count.
    pub fn set_others(&self, mut all: Vec<SocketAddr>) {
        all.retain(|address| *address != self.own);
        all.sort_unstable();
        all.dedup();
        all.truncate(MAX_OTHERS);
        *self.others.lock().unwrap_or_else(PoisonError::into_inner) = all.into();
    }

    /// Has the replica at `to` (`ip:port`) answer `request`, and gives its answer as soon as its head is there; the body
    /// follows as it is read. Dropping the future or the body cancels the request there.
    ///
    /// # Errors
    /// [`PeerError`]: only of an [`Interrupted`](PeerError::Interrupted) one anything was sent.
    pub async fn forward(
        self: &Arc<Self>,
        to: &str,
        request: Request<Bytes>,
    ) -> Result<Response<Body>, PeerError> {
        let unreachable = |why| PeerError::Unreachable { peer: to.to_owned(), why };
        let address: SocketAddr = to.parse().map_err(|_| unreachable(Unreached::NoAddress))?;
        let mut request = addressed(request.map(Full::new), address);
        for _ in 0..TRIES {
            let (connection, place) = loop {
                match self.way(address)? {
                    Way::Open(connection, place) => break (connection, place),
                    Way::Dial(mut dialled) => arrived(&mut dialled).await.map_err(unreachable)?,
                }
            };
            match connection.send(place, request).await {
                Ok(response) => return Ok(response),
                Err(Failed::NotSent(unsent)) => request = *unsent,
                Err(Failed::Interrupted(error)) => {
                    return Err(PeerError::Interrupted { peer: address, why: error.to_string() });
                }
            }
            self.forget(address, &connection);
        }
        Err(unreachable(Unreached::Closing))
    }

    fn way(self: &Arc<Self>, address: SocketAddr) -> Result<Way, PeerError> {
        let mut hosts = self.hosts();
        let host = hosts.entry(address).or_default();
        host.connections.retain(|connection| !connection.is_closed());
        let open = host.connections.iter().find_map(|connection| Some((connection, connection.place()?)));
        if let Some((connection, place)) = open {
            return Ok(Way::Open(connection.clone(), place));
        }
        if let Some(dialling) = &host.dialling {
            return Ok(Way::Dial(dialling.clone()));
        }
        if host.connections.len() >= CONNECTIONS {
            return Err(PeerError::Busy { peer: address });
        }
        let (told, dialled) = watch::channel(None);
        host.dialling = Some(dialled.clone());
        // A task of its own: whoever asked first may leave.
        let peers = self.clone();
        tokio::spawn(async move {
            let outcome = dial(address, &peers.keys).await;
            told.send_replace(Some(peers.dialled(address, outcome)));
        });
        Ok(Way::Dial(dialled))
    }

    fn dialled(
        self: &Arc<Self>,
        address: SocketAddr,
        outcome: Result<(Connection, Driver), Unreached>,
    ) -> Result<(), Unreached> {
        let mut hosts = self.hosts();
        let host = hosts.entry(address).or_default();
        host.dialling = None;
        let outcome = outcome.map(|(connection, driver)| {
            let connection = Arc::new(connection);
            host.connections.push(connection.clone());
            tokio::spawn(attend(Arc::downgrade(self), address, Arc::downgrade(&connection), driver));
        });
        if host.connections.is_empty() {
            hosts.remove(&address);
        }
        outcome
    }

    /// Sends nothing more over a connection; what is in flight comes to its end.
    fn forget(&self, address: SocketAddr, connection: &Arc<Connection>) {
        let mut hosts = self.hosts();
        let Some(host) = hosts.get_mut(&address) else { return };
        host.connections.retain(|other| !Arc::ptr_eq(other, connection));
        if host.connections.is_empty() && host.dialling.is_none() {
            hosts.remove(&address);
        }
    }

    fn hosts(&self) -> MutexGuard<'_, HashMap<SocketAddr, Host>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn arrived(dialled: &mut watch::Receiver<Dialled>) -> Result<(), Unreached> {
    match dialled.wait_for(Option::is_some).await {
        Ok(outcome) => outcome.clone().unwrap_or(Ok(())),
        Err(_) => Err(Unreached::Connect("the process is ending".into())),
    }
}

/// Drives a connection until it ends, is idle, or was proved by a key that seals no longer.
async fn attend(peers: Weak<Peers>, address: SocketAddr, connection: Weak<Connection>, driver: Driver) {
    let Some(mut changed) = peers.upgrade().map(|peers| peers.keys.changed()) else { return };
    // Keys may have changed while we dialled.
    changed.mark_changed();
    let mut driver = pin!(driver);
    let mut looks = interval(IDLE);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before = None;
    loop {
        let worn = tokio::select! {
            end = driver.as_mut() => return ended(&peers, address, &connection, end),
            _ = looks.tick() => {
                let now = connection.upgrade().and_then(|connection| connection.at_rest());
                now.is_some() && std::mem::replace(&mut before, now) == now
            }
            change = changed.changed() => change.is_err() || is_stale(&peers, &connection),
        };
        let (Some(peers), Some(connection)) = (peers.upgrade(), connection.upgrade()) else { break };
        if worn {
            peers.forget(address, &connection);
            break;
        }
    }
    // Nobody sends over it any more, and it ends with what is in flight.
    drop(driver.await);
}

fn ended(peers: &Weak<Peers>, address: SocketAddr, connection: &Weak<Connection>, end: hyper::Result<()>) {
    if let Err(error) = end {
        tracing::debug!(%error, peer = %address, "connection to a replica ended");
    }
    if let (Some(peers), Some(connection)) = (peers.upgrade(), connection.upgrade()) {
        peers.forget(address, &connection);
    }
}

fn is_stale(peers: &Weak<Peers>, connection: &Weak<Connection>) -> bool {
    let (Some(peers), Some(connection)) = (peers.upgrade(), connection.upgrade()) else { return true };
    let identity = Identity::of(&peers.keys).ok().flatten();
    !identity.is_some_and(|identity| connection.proved_by(identity.public()))
}

/// HTTP/2 wants a whole URI: the authority that the client named, or else the peer's.
fn addressed(mut request: Request<Full<Bytes>>, peer: SocketAddr) -> Request<Full<Bytes>> {
    let named = request.headers().get(HOST).and_then(|host| Authority::try_from(host.as_bytes()).ok());
    let mut parts = request.uri().clone().into_parts();
    let peer = || Authority::try_from(peer.to_string()).ok();
    parts.authority = parts.authority.or(named).or_else(peer);
    parts.scheme = Some(Scheme::HTTP);
    parts.path_and_query.get_or_insert(PathAndQuery::from_static("/"));
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
    *request.version_mut() = http::Version::HTTP_2;
    request
}

impl fmt::Debug for Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peers").field("own", &self.own).finish_non_exhaustive()
    }
}
