//! Accepts connections, and drains them.

use super::{Shared, connection, leave, tls::Tls};
use futures::FutureExt;
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long a TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause after a failed accept: out of file descriptors, there is nothing to do but wait for some.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// From the last accept to the goodbye: a request that is on the wire already is answered, with `Connection: close`.
const SETTLE: Duration = Duration::from_millis(250);

/// What the listener speaks, for the life of the process.
#[derive(Clone, Debug)]
pub enum Form {
    /// HTTP in the clear.
    Plain,
    /// HTTPS only; without a usable certificate connections are closed.
    Tls(Arc<Tls>),
}

/// Bounds of one listener.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once; more wait in the kernel's backlog.
    pub connections: usize,
    /// How long calls in flight may go on after the listener has closed.
    pub drain: Duration,
}

/// Whether everything in flight was finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// It was.
    All,
    /// Time ran out on some.
    Cut,
}

/// Accepts until `stop`, then drains.
pub async fn run(
    listener: TcpListener,
    form: Form,
    shared: Arc<Shared>,
    limits: Limits,
    stop: CancellationToken,
) -> Drained {
    let slots = Arc::new(Semaphore::new(limits.connections));
    let open = Connections { form, shared, closing: CancellationToken::new(), tasks: TaskTracker::new() };
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &slots) => accepted,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, slot)) => open.start(stream, Some(slot)),
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    open.drain(listener, limits.drain).await
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let slot = slots.clone().acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, slot))
}

struct Connections {
    form: Form,
    shared: Arc<Shared>,
    closing: CancellationToken,
    tasks: TaskTracker,
}

impl Connections {
    fn start(&self, stream: TcpStream, slot: Option<OwnedSemaphorePermit>) {
        let (form, shared, closing) = (self.form.clone(), self.shared.clone(), self.closing.clone());
        self.tasks.spawn(async move {
            // Answers are small and written at once: waiting for more costs 40 ms.
            if stream.set_nodelay(true).is_ok() {
                match form {
                    Form::Plain => connection::serve(stream, shared, closing).await,
                    Form::Tls(tls) => encrypted(stream, &tls, shared, closing).await,
                }
            }
            drop(slot);
        });
    }

    async fn drain(self, listener: TcpListener, patience: Duration) -> Drained {
        let deadline = Instant::now() + patience;
        self.shared.begin_drain();
        // Whoever is in the kernel's backlog would be reset by the close.
        while let Some(Ok((stream, _))) = listener.accept().now_or_never() {
            self.start(stream, None);
        }
        drop(listener);
        tracing::info!("listener closed; finishing calls in flight");
        tokio::time::sleep_until(deadline.min(Instant::now() + SETTLE)).await;
        self.closing.cancel();
        self.tasks.close();
        self.shared.detached.close();
        let all = async {
            self.tasks.wait().await;
            self.shared.detached.wait().await;
            leave::nothing_waits(&self.shared).await;
        };
        let drained = match tokio::time::timeout_at(deadline, all).await {
            Ok(()) => Drained::All,
            Err(_) => Drained::Cut,
        };
        if drained == Drained::Cut {
            let (connections, calls) = (self.tasks.len(), self.shared.detached.len());
            let waiting = leave::waiting(&self.shared);
            tracing::warn!(connections, calls, waiting, "drain timeout: what is still in flight is cut");
        }
        leave::finish(&self.shared).await;
        drained
    }
}

async fn encrypted(stream: TcpStream, tls: &Tls, shared: Arc<Shared>, closing: CancellationToken) {
    let Some(acceptor) = tls.acceptor() else { return };
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => connection::serve(stream, shared, closing).await,
        Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
        Err(_) => tracing::debug!("TLS handshake timed out"),
    }
}

/// Where this process reaches its own listener.
pub fn own_address(bound: SocketAddr) -> SocketAddr {
    let ip = match bound.ip() {
        ip if !ip.is_unspecified() => ip,
        std::net::IpAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
        std::net::IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, bound.port())
}
