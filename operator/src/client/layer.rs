//! The tower layer around each request.

use super::{LEASE_NAME, depth::Shallow, request::Asked};
use crate::{fence::Fence, metrics::Metrics};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::body::Frame;
use k8s_openapi::api::coordination::v1::Lease;
use kube::client::{Body, DynBody};
use std::{
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};
use tower::{BoxError, Layer, Service};

/// Body of a response after this layer.
type Bytestream = UnsyncBoxBody<Bytes, BoxError>;

/// A write was asked for while another replica may lead.
#[derive(Debug, thiserror::Error)]
#[error("not sent: this replica does not hold the lease")]
struct Fenced;

/// The API server did not begin to answer.
#[derive(Debug, thiserror::Error)]
#[error("no answer in time")]
struct TimedOut;

/// How long the first byte of an answer may take. (A watch's lasts on; its own idle bound is the client's.)
const TIMEOUT: Duration = Duration::from_secs(30);
/// The same for the lease: several tries must fit between renewal and expiry.
const ELECTION_TIMEOUT: Duration = Duration::from_secs(3);

/// Counts requests, refuses writes while the fence is shut, and tells the fence of confirmed renewals.
#[derive(Clone, Debug)]
pub(super) struct Watchful {
    pub(super) metrics: Arc<Metrics>,
    pub(super) fence: Arc<Fence>,
}

impl<S> Layer<S> for Watchful {
    type Service = WatchfulService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        WatchfulService { inner, layer: self.clone() }
    }
}

#[derive(Debug)]
pub(super) struct WatchfulService<S> {
    inner: S,
    layer: Watchful,
}

impl<S> Service<Request<Body>> for WatchfulService<S>
where
    S: Service<Request<Body>, Response = Response<Box<DynBody>>, Error = BoxError>,
    S::Future: Send + 'static,
{
    type Response = Response<Bytestream>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let sent = Instant::now();
        let (parts, body) = request.into_parts();
        let asked = Asked::of(&parts);
        let election = asked.is_lease(LEASE_NAME);
        let deadline = self.layer.fence.deadline(sent);
        let layer = self.layer.clone();
        if asked.writes() && !election && deadline.is_none() {
            layer.metrics.count_request(asked.verb, &asked.resource, "fenced");
            return Box::pin(async { Err(Fenced.into()) });
        }
        let answer = self.inner.call(Request::from_parts(parts, body));
        Box::pin(async move {
            let patience = sent + if election { ELECTION_TIMEOUT } else { TIMEOUT };
            // A write that the API server is slow to take must not arrive after the lease.
            let until =
                deadline.filter(|_| asked.writes() && !election).map_or(patience, |end| end.min(patience));
            let result =
                tokio::time::timeout_at(until.into(), answer).await.unwrap_or_else(|_| Err(TimedOut.into()));
            let code =
                result.as_ref().map_or("error".into(), |response| response.status().as_u16().to_string());
            layer.metrics.count_request(asked.verb, &asked.resource, &code);
            let response = result?;
            if election && asked.writes() && response.status().is_success() {
                return renewal(&layer.fence, sent, response).await;
            }
            let mut shallow = Shallow::default();
            let pass = move |frame: Frame<Bytes>| frame.map_data(|data| shallow.pass(data));
            Ok(response.map(|body| body.map_frame(pass).boxed_unsync()))
        })
    }
}

/// Reads who holds the lease after a write to it.
async fn renewal(
    fence: &Fence,
    sent: Instant,
    response: Response<Box<DynBody>>,
) -> Result<Response<Bytestream>, BoxError> {
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await?.to_bytes();
    let lease: Option<Lease> = serde_json::from_slice(&bytes).ok();
    let holder = lease.and_then(|lease| lease.spec?.holder_identity);
    fence.confirmed(holder.as_deref(), sent);
    let body = Full::new(bytes).map_err(|never| match never {}).boxed_unsync();
    Ok(Response::from_parts(parts, body))
}
