//! A server of the test: a script answers, a ledger keeps what came.

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    task::JoinSet,
};

pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// An answer, or the connection's death.
pub(crate) type Answer = Result<Response<Body>, io::Error>;

/// One request as it came over the wire.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    ledger: Ledger,
    stop: Option<watch::Sender<()>>,
    gone: Option<tokio::task::JoinHandle<()>>,
}

#[derive(Clone)]
struct Ledger {
    seen: Arc<Mutex<Vec<Seen>>>,
    count: watch::Sender<usize>,
}

impl Server {
    /// Starts on a free port.
    pub(crate) async fn start<F, W>(script: F) -> Self
    where
        F: Fn(Seen) -> W + Send + Sync + 'static,
        W: Future<Output = Answer> + Send + 'static,
    {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), script).await
    }

    pub(crate) async fn start_at<F, W>(address: SocketAddr, script: F) -> Self
    where
        F: Fn(Seen) -> W + Send + Sync + 'static,
        W: Future<Output = Answer> + Send + 'static,
    {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let ledger = Ledger { seen: Arc::default(), count: watch::Sender::new(0) };
        let (stop, stopped) = watch::channel(());
        let gone = tokio::spawn(accept(listener, ledger.clone(), Arc::new(script), stopped));
        Self { address, ledger, stop: Some(stop), gone: Some(gone) }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Everything that came so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.ledger.seen.lock().unwrap().clone()
    }

    /// Waits until what came fulfils `enough`.
    pub(crate) async fn seen_until(&self, enough: impl Fn(&[Seen]) -> bool) -> Vec<Seen> {
        let mut count = self.ledger.count.subscribe();
        loop {
            count.borrow_and_update();
            let seen = self.seen();
            if enough(&seen) {
                return seen;
            }
            count.changed().await.unwrap();
        }
    }

    /// Closes the port and every connection, and waits until they are closed.
    pub(crate) async fn stop(mut self) {
        self.stop = None;
        self.gone.take().unwrap().await.unwrap();
    }
}

async fn accept<F, W>(listener: TcpListener, ledger: Ledger, script: Arc<F>, mut stopped: watch::Receiver<()>)
where
    F: Fn(Seen) -> W + Send + Sync + 'static,
    W: Future<Output = Answer> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        let socket = tokio::select! {
            accepted = listener.accept() => accepted.unwrap().0,
            _ = stopped.changed() => break,
        };
        let (ledger, script) = (ledger.clone(), script.clone());
        connections.spawn(async move {
            let service = service_fn(|request| serve(request, &ledger, script.as_ref()));
            // A script that kills the connection makes this an error: that is what it is for.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
        });
    }
    drop(listener);
    connections.shutdown().await;
}

async fn serve<F, W>(request: Request<Incoming>, ledger: &Ledger, script: &F) -> Answer
where
    F: Fn(Seen) -> W,
    W: Future<Output = Answer>,
{
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let seen = Seen { method: head.method, uri: head.uri, headers: head.headers, body };
    ledger.seen.lock().unwrap().push(seen.clone());
    ledger.count.send_modify(|count| *count += 1);
    script(seen).await
}

/// A whole answer.
pub(crate) fn full(status: u16, media: &str, body: impl Into<Bytes>) -> Response<Body> {
    let body = Full::new(body.into()).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    if !media.is_empty() {
        response.headers_mut().insert("content-type", media.parse().unwrap());
    }
    response
}

/// An answer whose body the test sends piece by piece; an error kills the connection, dropping the sender ends it well.
pub(crate) fn streamed(media: &str) -> (mpsc::Sender<io::Result<Bytes>>, Response<Body>) {
    let (sender, receiver) = mpsc::channel::<io::Result<Bytes>>(1);
    let pieces =
        stream::unfold(receiver, |mut receiver| async move { Some((receiver.recv().await?, receiver)) });
    let body = StreamBody::new(pieces.map(|piece| piece.map(Frame::data))).boxed_unsync();
    let mut response = full(200, media, "");
    *response.body_mut() = body;
    (sender, response)
}

/// The connection dies without an answer.
pub(crate) fn dies() -> Answer {
    Err(io::Error::other("scripted"))
}

/// A port on which nobody listens, at an address from which nobody else connects.
pub(crate) async fn closed_port() -> SocketAddr {
    TcpListener::bind("127.0.0.2:0").await.unwrap().local_addr().unwrap()
}
