//! The port that other replicas dial. Nobody has proved anything before the handshake is done, so that is bounded
//! ([`threshold`](super::threshold)).

use super::{
    CONNECTION_WINDOW, DIAL_TIMEOUT, Forwarded, HEADERS, PING, PONG, STREAMS, WELCOME, WINDOW,
    identity::Identity,
    threshold::{Guest, Threshold},
};
use crate::{model::Body, seal::Keyring};
use http::{Request, Response};
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::{convert::Infallible, io, pin::pin, sync::Arc, time::Duration};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Connections of replicas at once. Each opens one, and more only when that one is full.
const CONNECTIONS: usize = 1024;
/// How long a proof may take: no replica waits longer for ours.
const PATIENCE: Duration = DIAL_TIMEOUT;
/// Pause after a failed accept.
const PAUSE: Duration = Duration::from_millis(100);
/// Requests that a peer may cancel before we have looked at them. A replica is no attacker: its clients may all leave at
/// one moment.
const CANCELLED_UNSEEN: usize = 1024;

/// What every connection needs.
#[derive(Clone, Debug)]
pub struct Desk {
    /// By which replicas know each other.
    pub keys: Arc<Keyring>,
    /// Cancelled when no new requests are to be taken. Those in flight come to their end.
    pub stop: CancellationToken,
    /// Counts connections, so that their end can be waited for.
    pub tasks: TaskTracker,
}

/// Hands the requests of replicas to `answer`, each marked [`Forwarded`], until `desk.stop`.
pub async fn run<A, F>(listener: TcpListener, desk: Desk, answer: A)
where
    A: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Response<Body>, Infallible>> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let threshold = Arc::new(Threshold::default());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = desk.stop.cancelled() => return,
        };
        let (socket, guest) = match accepted {
            Ok((socket, from)) => (socket, threshold.enter(from.ip())),
            Err(error) => {
                tracing::warn!(%error, "a replica's connection cannot be accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let (places, answer, desk) = (places.clone(), answer.clone(), desk.clone());
        let tasks = desk.tasks.clone();
        tasks.spawn(async move {
            let Some(stream) = proved(socket, &desk, guest).await else { return };
            match places.try_acquire() {
                Ok(_place) => converse(stream, desk, answer).await,
                Err(_) => {
                    tracing::warn!(
                        limit = CONNECTIONS,
                        "connection of a replica refused: there are too many"
                    );
                }
            }
        });
    }
}

/// The stream of a dialler that has proved to be a replica.
async fn proved(socket: TcpStream, desk: &Desk, guest: Guest) -> Option<TlsStream<TcpStream>> {
    let handshake = tokio::select! {
        handshake = tokio::time::timeout(PATIENCE, shake_hands(socket, &desk.keys)) => handshake,
        () = guest.displaced.cancelled() => {
            tracing::debug!("who dialled the peer port has made room for others that have");
            return None;
        }
    };
    match handshake {
        Ok(Ok(stream)) => Some(stream),
        Ok(Err(error)) => {
            tracing::debug!(%error, "who dialled the peer port is no replica of this server");
            None
        }
        Err(_) => {
            tracing::debug!("who dialled the peer port has not proved in time to be a replica");
            None
        }
    }
}

async fn shake_hands(socket: TcpStream, keys: &Keyring) -> io::Result<TlsStream<TcpStream>> {
    socket.set_nodelay(true)?;
    let identity = Identity::of(keys).map_err(io::Error::other)?;
    let identity = identity.ok_or_else(|| io::Error::other("there are no session keys yet"))?;
    let tls = TlsAcceptor::from(Arc::new(identity.server().map_err(io::Error::other)?));
    let mut stream = tls.accept(socket).await?;
    stream.write_u8(WELCOME).await?;
    stream.flush().await?;
    Ok(stream)
}

/// Answers requests until the peer leaves, we stop, or the key by which it has proved itself is kept no longer.
async fn converse<A, F>(stream: TlsStream<TcpStream>, desk: Desk, answer: A)
where
    A: Fn(Request<Incoming>) -> F,
    F: Future<Output = Result<Response<Body>, Infallible>> + Send + 'static,
{
    let key = stream.get_ref().1.peer_certificates().and_then(|keys| keys.first()).cloned();
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Forwarded);
        answer(request)
    });
    let mut connection = pin!(builder().serve_connection(TokioIo::new(stream), service));
    let mut changed = desk.keys.changed();
    // Keys may have changed during the handshake.
    changed.mark_changed();
    let mut open = true;
    loop {
        tokio::select! {
            end = connection.as_mut() => {
                if let Err(error) = end {
                    tracing::debug!(%error, "connection of a replica ended");
                }
                return;
            }
            () = desk.stop.cancelled(), if open => {
                open = false;
                connection.as_mut().graceful_shutdown();
            }
            change = changed.changed() => {
                let identity = Identity::of(&desk.keys).ok().flatten();
                let known = identity.zip(key.as_ref()).is_some_and(|(identity, key)| identity.trusts(key));
                if change.is_err() || !known {
                    tracing::debug!("connection of a replica cut: its session key is kept no longer");
                    return;
                }
            }
        }
    }
}

fn builder() -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .keep_alive_timeout(PONG)
        .max_concurrent_streams(STREAMS)
        .max_pending_accept_reset_streams(CANCELLED_UNSEEN)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(WINDOW as usize)
        .max_header_list_size(HEADERS);
    builder
}
