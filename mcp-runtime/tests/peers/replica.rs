//! One replica: keys, a listener whose answers the test scripts, and what it needs to ask others.

use bytes::Bytes;
use futures::{FutureExt as _, Stream, StreamExt as _, stream};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Incoming;
use mcpfleet_config::stream::SessionKey;
use mcpfleet_runtime::{
    model::Body,
    peer::{
        PeerError, Peers, Unreached,
        listener::{self, Desk},
    },
    seal::Keyring,
};
use std::{convert::Infallible, io, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Generous: a loaded machine is slow.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Replica {
    pub(crate) address: SocketAddr,
    pub(crate) keys: Arc<Keyring>,
    pub(crate) peers: Arc<Peers>,
    desk: Desk,
}

/// Answers a request.
pub(crate) type Script =
    Arc<dyn Fn(Request<Incoming>) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>> + Send + Sync>;

pub(crate) fn key(epoch: u8) -> SessionKey {
    SessionKey { epoch: epoch.into(), secret: [epoch; 32] }
}

pub(crate) fn keys(epochs: &[u8]) -> Vec<SessionKey> {
    epochs.iter().copied().map(key).collect()
}

impl Replica {
    /// One that has the keys of `epochs`, and answers by `script`.
    pub(crate) async fn start<S, W>(epochs: &[u8], script: S) -> Self
    where
        S: Fn(Request<Incoming>) -> W + Clone + Send + Sync + 'static,
        W: Future<Output = Response<Body>> + Send + 'static,
    {
        let keyring = Keyring::random().unwrap();
        keyring.set(&keys(epochs)).unwrap();
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let desk = Desk { keys: keyring.clone(), stop: CancellationToken::new(), tasks: TaskTracker::new() };
        let answer = move |request| script(request).map(Ok::<_, Infallible>);
        tokio::spawn(listener::run(socket, desk.clone(), answer));
        Self { address, peers: Peers::new(keyring.clone(), address), keys: keyring, desk }
    }

    /// The same, by a script that is a value.
    pub(crate) async fn scripted(epochs: &[u8], script: Script) -> Self {
        Self::start(epochs, move |request| script(request)).await
    }

    /// Connections of others.
    pub(crate) fn connections(&self) -> usize {
        self.desk.tasks.len()
    }

    /// Waits until nobody is connected.
    pub(crate) async fn until_alone(&self) {
        while self.connections() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// One that says hello.
    pub(crate) async fn greeting(epochs: &[u8]) -> Self {
        Self::start(epochs, |_| async { text("hello") }).await
    }

    pub(crate) async fn ask(&self, other: &Self, path: &str) -> Result<Response<Body>, PeerError> {
        self.ask_at(other.address, path).await
    }

    pub(crate) async fn ask_at(&self, address: SocketAddr, path: &str) -> Result<Response<Body>, PeerError> {
        patiently(self.peers.forward(&address.to_string(), request(path))).await
    }

    /// Why there is no way to the other.
    pub(crate) async fn unreached(&self, other: &Self) -> Unreached {
        match self.ask(other, "/mcp").await {
            Err(PeerError::Unreachable { peer, why }) => {
                assert_eq!(peer, other.address.to_string());
                why
            }
            Err(error) => panic!("{error:?}"),
            Ok(response) => panic!("it answers: {response:?}"),
        }
    }

    /// Stops, and waits until nothing is in flight.
    pub(crate) async fn stop(&self) {
        self.desk.stop.cancel();
        self.desk.tasks.close();
        patiently(self.desk.tasks.wait()).await;
    }
}

pub(crate) fn request(path: &str) -> Request<Bytes> {
    Request::post(path).body(Bytes::from_static(b"{}")).unwrap()
}

pub(crate) fn text(text: &'static str) -> Response<Body> {
    Response::new(Full::from(text).map_err(|never| match never {}).boxed_unsync())
}

pub(crate) fn streamed(chunks: impl Stream<Item = Bytes> + Send + 'static) -> Response<Body> {
    let frames = chunks.map(|chunk| Ok::<_, io::Error>(Frame::data(chunk)));
    Response::new(StreamBody::new(frames).boxed_unsync())
}

/// An answer whose head comes and whose body does not.
pub(crate) fn endless() -> Response<Body> {
    streamed(stream::pending())
}

pub(crate) async fn read(response: Response<Body>) -> Bytes {
    patiently(response.into_body().collect()).await.unwrap().to_bytes()
}

/// The next chunk.
pub(crate) async fn chunk(body: &mut Body) -> Result<Bytes, io::Error> {
    let frame = patiently(body.frame()).await.unwrap();
    frame.map(|frame| frame.into_data().unwrap())
}

pub(crate) async fn patiently<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| panic!("waited in vain"))
}
