//! HTTP services behind the example fleets. Each keeps a ledger of the requests that reached it, at
//! `GET /ledger`: a test reads there what really happened, not what a client was told.

pub mod orders;
pub mod provider;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited, combinators::UnsyncBoxBody};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::net::TcpListener;

/// Body of an answer.
pub type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Largest request body, in bytes.
const MAX_BODY: usize = 1024 * 1024;

/// A request as it arrived.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Received {
    /// Method.
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
    /// Headers in lower case.
    pub headers: BTreeMap<String, String>,
    /// Body as text.
    pub body: String,
}

/// Answers one request.
pub trait Service: Send + Sync + 'static {
    /// The answer; `None` is a 404.
    fn answer(&self, request: &Received) -> impl Future<Output = Option<Response<Body>>> + Send;
}

/// Serves until the process ends.
///
/// # Errors
/// The address cannot be listened on.
pub async fn serve(listen: SocketAddr, service: impl Service) -> anyhow::Result<()> {
    let listener = TcpListener::bind(listen).await?;
    let shared = Arc::new((service, Mutex::new(Vec::<Received>::new())));
    loop {
        let (socket, _) = listener.accept().await?;
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let handler = service_fn(move |request| {
                let shared = Arc::clone(&shared);
                async move { Ok::<_, Infallible>(respond(&shared.0, &shared.1, request).await) }
            });
            // A client that goes away is its own business.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), handler).await;
        });
    }
}

async fn respond(
    service: &impl Service,
    ledger: &Mutex<Vec<Received>>,
    request: Request<Incoming>,
) -> Response<Body> {
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/healthz") => return text(StatusCode::OK, "ok"),
        (&Method::GET, "/ledger") => {
            let entries = ledger.lock().unwrap_or_else(PoisonError::into_inner).clone();
            return json_answer(StatusCode::OK, &json!(entries));
        }
        _ => {}
    }
    let Ok(received) = receive(request).await else {
        return text(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large or was cut off");
    };
    ledger.lock().unwrap_or_else(PoisonError::into_inner).push(received.clone());
    let answer = service.answer(&received).await;
    answer.unwrap_or_else(|| json_answer(StatusCode::NOT_FOUND, &json!({"error": "there is nothing here"})))
}

async fn receive(request: Request<Incoming>) -> Result<Received, ()> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, MAX_BODY).collect().await.map_err(|_| ())?.to_bytes();
    let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    Ok(Received {
        method: head.method.to_string(),
        target: head.uri.to_string(),
        headers: head.headers.iter().map(header).collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

/// A JSON answer.
pub fn json_answer(status: StatusCode, value: &Value) -> Response<Body> {
    answer(status, "application/json", value.to_string())
}

fn text(status: StatusCode, text: &str) -> Response<Body> {
    answer(status, "text/plain; charset=utf-8", text.to_owned())
}

fn answer(status: StatusCode, media_type: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Full::new(Bytes::from(body)).boxed_unsync());
    *response.status_mut() = status;
    response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(media_type));
    response
}
