//! The port that runtimes dial: TLS, HTTP/2, one request a connection. Bounded against dialers that are slow or silent:
//! nobody has proved anything before the token was reviewed.

use super::{
    Gate,
    review::Review,
    session::{self, Body},
};
use crate::certificates::Certificates;
use http::{
    HeaderValue, Method, Request, Response, StatusCode,
    header::{AUTHORIZATION, LOCATION, RETRY_AFTER},
};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use mcpfleet_config::stream::PATH;
use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_rustls::TlsAcceptor;

/// Connections at once.
const CONNECTIONS: usize = 16_384;
/// How long a handshake, and a request after it, may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Window of a stream, in bytes: a report fits, and a thousand pods that say nothing cost little.
const WINDOW: u32 = 64 * 1024;

/// The port.
#[derive(Debug)]
pub struct Listener<R> {
    socket: TcpListener,
    desk: Arc<Desk<R>>,
}

/// What every connection needs.
#[derive(Debug)]
struct Desk<R> {
    certificates: Arc<Certificates>,
    gate: Arc<Gate>,
    review: R,
}

impl<R: Review> Listener<R> {
    /// Binds the address.
    ///
    /// # Errors
    /// It is in use.
    pub async fn bind(
        address: SocketAddr,
        certificates: Arc<Certificates>,
        gate: Arc<Gate>,
        review: R,
    ) -> std::io::Result<Self> {
        let socket = TcpListener::bind(address).await?;
        Ok(Self { socket, desk: Arc::new(Desk { certificates, gate, review }) })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// None in practice.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Serves until it is dropped.
    pub async fn serve(self) {
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let Ok(place) = places.clone().acquire_owned().await else { return };
            let stream = match self.socket.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let desk = self.desk.clone();
            tokio::spawn(async move {
                desk.connection(stream).await;
                drop(place);
            });
        }
    }
}

impl<R: Review> Desk<R> {
    async fn connection(self: Arc<Self>, stream: TcpStream) {
        // Before the first certificate there is nothing to say: the runtime dials again.
        let Some(tls) = self.certificates.server_config() else { return };
        // A line is small and is to arrive at once.
        drop(stream.set_nodelay(true));
        let handshake = tokio::time::timeout(PATIENCE, TlsAcceptor::from(tls).accept(stream)).await;
        let Ok(Ok(stream)) = handshake else { return };
        let asked = Arc::new(Semaphore::new(0));
        let service = {
            let (desk, asked) = (self.clone(), asked.clone());
            service_fn(move |request| {
                asked.add_permits(1);
                let desk = desk.clone();
                async move { Ok::<_, Infallible>(desk.answer(request).await) }
            })
        };
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .max_concurrent_streams(2)
            .max_send_buf_size(WINDOW as usize)
            .serve_connection(TokioIo::new(stream), service);
        let silent = async {
            let asked = tokio::time::timeout(PATIENCE, asked.acquire()).await;
            if asked.is_ok() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            end = connection => if let Err(error) = end {
                tracing::debug!(%error, "a connection of a runtime ended");
            },
            () = silent => {}
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        if request.uri().path() != PATH || request.method() != Method::POST {
            return refuse(StatusCode::NOT_FOUND, &format!("there is only POST {PATH}"));
        }
        let Some(term) = self.gate.term() else { return self.redirect() };
        let token = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let Some(token) = token.and_then(|value| value.strip_prefix("Bearer ")) else {
            return refuse(StatusCode::UNAUTHORIZED, "a bearer token is needed");
        };
        match self.review.review(token).await {
            Err(refused) => {
                tracing::info!(%refused, "a stream is refused");
                refuse(refused.status(), &refused.to_string())
            }
            Ok(peer) if !term.knows(&peer.server) => {
                refuse(StatusCode::FORBIDDEN, &format!("there is no McpServer {}", peer.server))
            }
            Ok(peer) => session::open(term, peer, request.into_body()),
        }
    }

    /// Where the leader is, or that nobody leads.
    fn redirect(&self) -> Response<Body> {
        let location = self.gate.leader().and_then(|leader| format!("https://{leader}{PATH}").parse().ok());
        let Some(location) = location else {
            let mut response = refuse(StatusCode::SERVICE_UNAVAILABLE, "no replica leads yet");
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
            return response;
        };
        let mut response = refuse(StatusCode::TEMPORARY_REDIRECT, "another replica leads");
        response.headers_mut().insert(LOCATION, location);
        response
    }
}

fn refuse(status: StatusCode, why: &str) -> Response<Body> {
    let body = Full::from(format!("{why}\n")).map_err(|never: Infallible| match never {});
    let mut response = Response::new(body.boxed_unsync());
    *response.status_mut() = status;
    response
}
