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
    sync::{Semaphore, watch},
};
use tokio_rustls::TlsAcceptor;

/// Connections at once.
const CONNECTIONS: usize = 16_384;
/// Of these, connections that have not proved anything yet.
const UNPROVED: usize = 512;
/// Tokens that are reviewed at once.
const REVIEWS: usize = 32;
/// How long whoever is refused has to read why.
const FAREWELL: Duration = Duration::from_secs(1);
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
    unproved: Semaphore,
    reviews: Semaphore,
}

/// What became of a connection's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Nothing,
    Refused,
    Opened,
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
        let (unproved, reviews) = (Semaphore::new(UNPROVED), Semaphore::new(REVIEWS));
        Ok(Self { socket, desk: Arc::new(Desk { certificates, gate, review, unproved, reviews }) })
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
        let Ok(unproved) = self.unproved.acquire().await else { return };
        // A line is small and is to arrive at once.
        drop(stream.set_nodelay(true));
        let handshake = tokio::time::timeout(PATIENCE, TlsAcceptor::from(tls).accept(stream)).await;
        let Ok(Ok(stream)) = handshake else { return };
        let (tell, mut asked) = watch::channel(Asked::Nothing);
        let service = {
            let (desk, tell) = (self.clone(), Arc::new(tell));
            service_fn(move |request| {
                let (desk, tell) = (desk.clone(), tell.clone());
                async move {
                    let response = desk.answer(request).await;
                    let opened = response.status() == StatusCode::OK;
                    tell.send_replace(if opened { Asked::Opened } else { Asked::Refused });
                    Ok::<_, Infallible>(response)
                }
            })
        };
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .max_concurrent_streams(1)
            .max_send_buf_size(WINDOW as usize)
            .serve_connection(TokioIo::new(stream), service);
        let shown_out = async {
            drop(tokio::time::timeout(PATIENCE, asked.wait_for(|asked| *asked != Asked::Nothing)).await);
            if *asked.borrow() == Asked::Opened {
                drop(unproved);
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(FAREWELL).await;
        };
        tokio::select! {
            end = connection => if let Err(error) = end {
                tracing::debug!(%error, "a connection of a runtime ended");
            },
            () = shown_out => {}
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
        let Ok(_turn) = self.reviews.acquire().await else {
            return refuse(StatusCode::SERVICE_UNAVAILABLE, "this replica is ending");
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
