//! The admin port: probes, metrics, status. Read-only, plain HTTP, a socket of its own: it must answer when the data
//! listener does not.
//!
//! | path | for | says |
//! |---|---|---|
//! | `/livez` | liveness probe | the process runs |
//! | `/startupz` | startup probe | the first configuration was looked at, good or bad |
//! | `/readyz` | readiness probe | a client would be served; if not, why |
//! | `/metrics` | Prometheus | OpenMetrics text |
//! | `/status` | people and scripts: what the operator is told too | [`mcpfleet_config::status::PodStatus`] |
//! | `/healthz` | people | how each server and each upstream is, as JSON; always 200 |

mod health;
pub mod status;

use crate::{
    model::Body,
    readiness::{Readiness, verdict::Verdict},
    source::Source,
    store::Health,
    transport::{
        Shared,
        answer::{full, json, with_type},
    },
};
use http::{HeaderValue, Method, Request, Response, StatusCode, header::ALLOW};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json as value;
use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpListener, sync::Semaphore};

/// Connections at once: kubelet, Prometheus, the operator and a person or two.
const CONNECTIONS: usize = 64;
/// How long a client may take to say what it wants.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// What the admin port can tell.
#[derive(Debug)]
pub struct Admin {
    /// The data side.
    pub shared: Arc<Shared>,
    /// Its readiness.
    pub readiness: Arc<Readiness>,
    /// Whether one server or several are served.
    pub source: Source,
    /// Set when the first configuration was looked at.
    pub started: AtomicBool,
}

/// Serves the admin port as long as the process lives.
pub async fn serve(listener: TcpListener, admin: Arc<Admin>) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(slot) = slots.clone().acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let admin = admin.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(admin.clone(), request));
            let mut builder = http1::Builder::new();
            builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
            // A client that hangs up halfway is its own business.
            drop(builder.serve_connection(TokioIo::new(stream), service).await);
            drop(slot);
        });
    }
}

async fn answer(admin: Arc<Admin>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = with_type(StatusCode::METHOD_NOT_ALLOWED, TEXT, full("this port is read-only\n"));
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return Ok(response);
    }
    Ok(match request.uri().path() {
        "/livez" => with_type(StatusCode::OK, TEXT, full("ok\n")),
        "/startupz" => started(&admin),
        "/readyz" => ready(admin.readiness.probe().await),
        "/metrics" => with_type(StatusCode::OK, OPEN_METRICS, full(metrics(&admin))),
        "/status" => json(StatusCode::OK, status::document(&admin)),
        "/healthz" => json(StatusCode::OK, health::document(&admin)),
        _ => {
            let there = "/livez /startupz /readyz /metrics /status /healthz\n";
            with_type(StatusCode::NOT_FOUND, TEXT, full(there))
        }
    })
}

/// What is counted as it happens, and what is looked up now.
fn metrics(admin: &Admin) -> String {
    for (name, server) in admin.shared.fleet.all().iter() {
        let serves = match server.store.health() {
            Health::Own => None,
            Health::Shared => Some(true),
            Health::Gone { .. } => Some(false),
        };
        admin.shared.metrics.store(name, serves);
    }
    admin.shared.metrics.render()
}

fn started(admin: &Admin) -> Response<Body> {
    if admin.started.load(Ordering::Relaxed) {
        with_type(StatusCode::OK, TEXT, full("ok\n"))
    } else {
        with_type(StatusCode::SERVICE_UNAVAILABLE, TEXT, full("starting\n"))
    }
}

fn ready(verdict: Verdict) -> Response<Body> {
    match verdict {
        Verdict::Ready => json(StatusCode::OK, value!({"ready": true}).to_string()),
        Verdict::NotReady(reason) => {
            json(StatusCode::SERVICE_UNAVAILABLE, value!({"ready": false, "reason": reason}).to_string())
        }
    }
}
