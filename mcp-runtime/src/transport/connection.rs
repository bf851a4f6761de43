//! One connection: HTTP/1.1 or h2, bounded against clients that are slow or silent.

use super::{Shared, routes};
use http::{Request, Version};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

/// How long a client may take to send a head, or stay idle between requests on HTTP/1.1.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How often a quiet HTTP/2 client is asked whether it is still there.
const H2_PING: Duration = Duration::from_secs(30);
/// Streams at once on one HTTP/2 connection.
const H2_STREAMS: u32 = 256;

/// What a client has shown of itself.
#[derive(Default)]
struct Spoken {
    any: AtomicBool,
    over_h2: CancellationToken,
}

impl Spoken {
    fn note(&self, version: Version) {
        self.any.store(true, Ordering::Relaxed);
        if version == Version::HTTP_2 {
            self.over_h2.cancel();
        }
    }
}

/// Waits until the client is to be told that it should go. Over HTTP/1.1 each answer says so; and whoever has not asked
/// yet would lose a request that is on the wire.
async fn dismissed(leaving: &CancellationToken, spoken: &Spoken) {
    leaving.cancelled().await;
    spoken.over_h2.cancelled().await;
}

/// Serves a connection to its end. After `closing` it finishes what is in flight and closes.
pub async fn serve<I>(io: I, shared: Arc<Shared>, closing: CancellationToken)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let spoken = Arc::new(Spoken::default());
    let leaving = shared.retreat.leaving();
    let service = {
        let spoken = spoken.clone();
        service_fn(move |request: Request<Incoming>| {
            spoken.note(request.version());
            routes::handle(shared.clone(), request)
        })
    };
    let builder = builder();
    let mut connection = pin!(builder.serve_connection(TokioIo::new(io), service));
    let mut patience = pin!(tokio::time::sleep(HEAD_TIMEOUT));
    let (mut waiting, mut open, mut told) = (true, true, false);
    loop {
        tokio::select! {
            end = connection.as_mut() => {
                if let Err(error) = end {
                    tracing::debug!(%error, "connection ended");
                }
                return;
            }
            () = closing.cancelled(), if open => {
                open = false;
                connection.as_mut().graceful_shutdown();
            }
            () = dismissed(&leaving, &spoken), if open && !told => {
                told = true;
                connection.as_mut().graceful_shutdown();
            }
            // The head timeout begins with the first byte; one who never sends any is shown out here.
            () = patience.as_mut(), if waiting => {
                waiting = false;
                if !spoken.any.load(Ordering::Relaxed) {
                    return;
                }
            }
        }
    }
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).pipeline_flush(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(H2_STREAMS)
        .keep_alive_interval(H2_PING)
        .keep_alive_timeout(H2_PING);
    builder
}
