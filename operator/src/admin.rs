//! `/metrics`, `/healthz` and `/readyz` of the operator itself. A follower is ready: it can take over.

use crate::metrics::Metrics;
use bytes::Bytes;
use http::{Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::net::TcpListener;

/// The admin server.
#[derive(Debug)]
pub struct Admin {
    listener: TcpListener,
    metrics: Arc<Metrics>,
    ready: Arc<AtomicBool>,
}

impl Admin {
    /// Binds the address.
    ///
    /// # Errors
    /// It is in use.
    pub async fn bind(
        address: SocketAddr,
        metrics: Arc<Metrics>,
        ready: Arc<AtomicBool>,
    ) -> std::io::Result<Self> {
        Ok(Self { listener: TcpListener::bind(address).await?, metrics, ready })
    }

    /// Serves until it is dropped.
    pub async fn serve(self) {
        loop {
            let (stream, _) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let (metrics, ready) = (self.metrics.clone(), self.ready.clone());
            let service = service_fn(move |request: Request<Incoming>| {
                let response = answer(request.uri().path(), &metrics, ready.load(Ordering::Relaxed));
                async move { Ok::<_, Infallible>(response) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(10))
                .serve_connection(TokioIo::new(stream), service);
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "an admin connection broke");
                }
            });
        }
    }
}

fn answer(path: &str, metrics: &Metrics, ready: bool) -> Response<Full<Bytes>> {
    match path {
        "/metrics" => match metrics.encode() {
            Ok(text) => {
                respond(StatusCode::OK, text, "application/openmetrics-text; version=1.0.0; charset=utf-8")
            }
            Err(error) => respond(StatusCode::INTERNAL_SERVER_ERROR, error.to_string(), "text/plain"),
        },
        "/healthz" => respond(StatusCode::OK, "ok".into(), "text/plain"),
        "/readyz" if ready => respond(StatusCode::OK, "ok".into(), "text/plain"),
        "/readyz" => respond(
            StatusCode::SERVICE_UNAVAILABLE,
            "the API server was not reached yet".into(),
            "text/plain",
        ),
        _ => respond(StatusCode::NOT_FOUND, "try /metrics, /healthz or /readyz".into(), "text/plain"),
    }
}

fn respond(status: StatusCode, text: String, kind: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static(kind));
    response
}
