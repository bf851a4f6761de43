//! One connection to a peer, and the answers that come over it.

use super::STREAMS;
use crate::model::Body;
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::Full;
use hyper::{
    body::Incoming,
    client::conn::http2::{self, SendRequest},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{
    error::Error as _,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};
use tokio::{
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_rustls::client::TlsStream;

/// What keeps a connection going.
pub(super) type Driver = http2::Connection<TokioIo<TlsStream<TcpStream>>, Full<Bytes>, TokioExecutor>;

/// A proved connection. Dropping it lets what is in flight come to its end.
#[derive(Debug)]
pub(super) struct Connection {
    requests: SendRequest<Full<Bytes>>,
    /// Requests that may be in flight at once.
    places: Arc<Semaphore>,
    /// Requests that there have been.
    requested: AtomicU64,
    /// By which public key we have proved who we are.
    proved_by: Vec<u8>,
}

/// A request without an answer.
#[derive(Debug)]
pub(super) enum Failed {
    /// Nothing of it was sent, or nobody has looked at it.
    NotSent(Box<Request<Full<Bytes>>>),
    /// It was, or may have been.
    Interrupted(hyper::Error),
}

impl Connection {
    pub(super) fn new(requests: SendRequest<Full<Bytes>>, proved_by: &[u8]) -> Self {
        let places = Arc::new(Semaphore::new(STREAMS as usize));
        Self { requests, places, requested: AtomicU64::new(0), proved_by: proved_by.to_vec() }
    }

    /// Room for one more request; `None` when there is none, or the connection has ended.
    pub(super) fn place(&self) -> Option<OwnedSemaphorePermit> {
        let place = self.places.clone().try_acquire_owned().ok();
        place.filter(|_| !self.requests.is_closed())
    }

    pub(super) fn is_closed(&self) -> bool {
        self.requests.is_closed()
    }

    /// How many requests there have been, when none is in flight.
    pub(super) fn at_rest(&self) -> Option<u64> {
        let free = self.places.available_permits() == STREAMS as usize;
        free.then(|| self.requested.load(Ordering::Relaxed))
    }

    pub(super) fn proved_by(&self, key: &[u8]) -> bool {
        self.proved_by == key
    }

    /// Sends a request, and gives the answer as soon as its head is there. The place is free again after its last byte.
    /// Dropping the future, or the answer's body, cancels the request at the peer.
    pub(super) async fn send(
        &self,
        place: OwnedSemaphorePermit,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Body>, Failed> {
        self.requested.fetch_add(1, Ordering::Relaxed);
        let unsent = request.clone();
        match self.requests.clone().try_send_request(request).await {
            Ok(response) => Ok(response.map(|body| Body::new(Answer { body, place: Some(place) }))),
            Err(mut error) => match error.take_message() {
                Some(request) => Err(Failed::NotSent(Box::new(request))),
                None => Err(match error.into_error() {
                    error if was_refused(&error) => Failed::NotSent(Box::new(unsent)),
                    error => Failed::Interrupted(error),
                }),
            },
        }
    }
}

/// Whether the peer has said that it has not looked at the request: it was about to close, or had too many (RFC 9113,
/// section 8.7).
fn was_refused(error: &hyper::Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<h2::Error>());
    cause.filter(|cause| cause.is_remote()).is_some_and(|cause| {
        (cause.is_go_away() && cause.reason() == Some(h2::Reason::NO_ERROR))
            || (cause.is_reset() && cause.reason() == Some(h2::Reason::REFUSED_STREAM))
    })
}

/// The body of an answer, chunk by chunk as it is read.
struct Answer {
    body: Incoming,
    place: Option<OwnedSemaphorePermit>,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        // HTTP/2 may end a body by a frame without data; an HTTP/1.1 writer would take that for the end, wherever it is.
        let is_empty = |frame: &Frame<Bytes>| frame.data_ref().is_some_and(Bytes::is_empty);
        let frame = loop {
            let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
            if !matches!(&frame, Some(Ok(frame)) if is_empty(frame)) {
                break frame;
            }
        };
        if !matches!(frame, Some(Ok(_))) {
            self.place = None;
        }
        Poll::Ready(frame.map(|frame| frame.map_err(io::Error::other)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
