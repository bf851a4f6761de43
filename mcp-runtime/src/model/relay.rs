//! The way back: a provider's answer, handed on as it comes.
//!
//! Nothing is sent to the client before the first bytes of the provider's body are here: until then a failure is an
//! honest 502 or 504. The client's reading pulls the provider's sending, chunk by chunk; nothing is queued.

use super::{
    Body,
    answer::{self, Problem},
};
use crate::{egress::EgressError, outgoing::SendError};
use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};
use http::{HeaderMap, HeaderName, Response, StatusCode, header};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use mcpfleet_config::Provider;
use mcpfleet_llm::sse::{End, Relay};
use std::{io, pin::Pin, time::Duration};
use tokio::time::{Instant, timeout_at};

type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, Problem>> + Send>>;

/// Waits until the request is sent, and hands on the answer.
pub(super) async fn relay(
    provider: &Provider,
    sending: impl Future<Output = Result<reqwest::Response, SendError>>,
) -> Result<Response<Body>, Problem> {
    let limit = Limit::of(provider);
    let response = match limit.wait(async { Ok::<_, Fault>(sending.await) }).await? {
        Ok(response) => response,
        Err(SendError::Credential(error)) => return Err(Problem::Credential(error)),
        Err(SendError::Egress(error)) => return Err(limit.problem(error.into())),
    };
    if response.status().is_redirection() {
        return Err(Problem::Redirect { provider: limit.provider, status: response.status() });
    }
    // Passed on, it would tell the client that its own key for this server is wrong.
    if matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        return Err(Problem::CredentialRefused { provider: limit.provider, status: response.status() });
    }
    let mut answer = Response::builder().status(response.status()).body(()).unwrap_or_default();
    *answer.headers_mut() = kept(response.headers());
    let events_in_it = holds_events(response.headers());
    if events_in_it {
        // A cut stream is longer than announced: by the event that says so.
        answer.headers_mut().remove(header::CONTENT_LENGTH);
    }
    let mut chunks = limited(response, limit);
    let first = match chunks.next().await {
        Some(first) => Some(first?),
        None => None,
    };
    let chunks: Chunks = Box::pin(stream::iter(first.map(Ok)).chain(chunks));
    Ok(answer.map(|()| if events_in_it { events(chunks) } else { whole(chunks) }))
}

/// The deadline of one model call, from request to last byte.
struct Limit {
    provider: String,
    host: String,
    after: Duration,
    deadline: Instant,
}

impl Limit {
    fn of(provider: &Provider) -> Self {
        let after = Duration::from_millis(provider.timeout_ms);
        let host = reqwest::Url::parse(&provider.base_url).ok();
        let host = host.as_ref().and_then(|url| url.host_str()).unwrap_or_default().to_owned();
        Self { provider: provider.name.clone(), host, after, deadline: Instant::now() + after }
    }

    /// What comes of `work`, or that the deadline has passed.
    async fn wait<T, E: Into<Fault>>(&self, work: impl Future<Output = Result<T, E>>) -> Result<T, Problem> {
        match timeout_at(self.deadline, work).await {
            Ok(done) => done.map_err(|error| self.problem(error.into())),
            Err(_) => Err(Problem::Timeout { provider: self.provider.clone(), after: self.after }),
        }
    }

    fn problem(&self, fault: Fault) -> Problem {
        let error = match fault {
            Fault::Egress(error) => error,
            Fault::Body(error) => EgressError::from_client(&self.host, &error),
        };
        Problem::Egress { provider: self.provider.clone(), error }
    }
}

enum Fault {
    Egress(EgressError),
    Body(reqwest::Error),
}

impl From<EgressError> for Fault {
    fn from(error: EgressError) -> Self {
        Self::Egress(error)
    }
}

impl From<reqwest::Error> for Fault {
    fn from(error: reqwest::Error) -> Self {
        Self::Body(error)
    }
}

/// The body's chunks until its end, its first fault, or the deadline.
fn limited(response: reqwest::Response, limit: Limit) -> Chunks {
    Box::pin(stream::unfold(Some((response, limit)), |state| async {
        let (mut response, limit) = state?;
        match limit.wait(response.chunk()).await {
            Ok(Some(chunk)) => Some((Ok(chunk), Some((response, limit)))),
            Ok(None) => None,
            Err(problem) => Some((Err(problem), None)),
        }
    }))
}

/// A body that is not a stream of events: when it breaks, so does the connection to the client, because a complete
/// HTTP answer around half a JSON text would be a lie.
fn whole(chunks: Chunks) -> Body {
    let frames = chunks.map(|chunk| chunk.map(Frame::data).map_err(broken));
    StreamBody::new(frames).boxed_unsync()
}

fn broken(problem: Problem) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, answer::table(problem).1.message)
}

/// A stream of events: when it breaks, the client is told by an event, and never by a `[DONE]`.
fn events(chunks: Chunks) -> Body {
    let frames = stream::unfold(Some((chunks, Relay::default())), |state| async {
        let (mut chunks, mut relay) = state?;
        loop {
            let ready = match chunks.next().await {
                Some(Ok(chunk)) => relay.push(&chunk),
                Some(Err(problem)) => return Some((relay.cut(&answer::table(problem).1), None)),
                None => return Some((ended(&mut relay), None)),
            };
            // An empty chunk would be taken for the end by an HTTP/1.1 writer.
            if !ready.is_empty() {
                return Some((ready, Some((chunks, relay))));
            }
        }
    });
    let frames = frames.filter(|chunk| std::future::ready(!chunk.is_empty()));
    StreamBody::new(frames.map(|chunk| Ok(Frame::data(chunk)))).boxed_unsync()
}

fn ended(relay: &mut Relay) -> Bytes {
    match relay.end() {
        (rest, End::Whole) => rest,
        (_, End::Unfinished) => relay.cut(&answer::unfinished()),
    }
}

/// Whether the body is events that can be read on their way. Compressed ones, which we never ask for, cannot.
fn holds_events(headers: &HeaderMap) -> bool {
    if headers.contains_key(header::CONTENT_ENCODING) {
        return false;
    }
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.trim_start().get(..17).is_some_and(|start| start.eq_ignore_ascii_case("text/event-stream"))
}

/// What a client needs of a provider's headers: the form of the body, when to try again, how much is left, and the id
/// under which the provider's support finds the request. The rest, cookies among it, stays here.
fn kept(headers: &HeaderMap) -> HeaderMap {
    headers.iter().filter(|(name, _)| is_kept(name)).map(|(name, value)| (name.clone(), value.clone())).fold(
        HeaderMap::new(),
        |mut kept, (name, value)| {
            kept.append(name, value);
            kept
        },
    )
}

fn is_kept(name: &HeaderName) -> bool {
    const NAMES: [&str; 10] = [
        "content-type",
        "content-encoding",
        "content-length",
        "cache-control",
        "retry-after",
        "retry-after-ms",
        "x-ms-retry-after-ms",
        "x-should-retry",
        "x-request-id",
        "request-id",
    ];
    NAMES.contains(&name.as_str()) || name.as_str().starts_with("x-ratelimit-")
}
