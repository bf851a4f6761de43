//! One POST and the messages that come in answer to it, in their order.
//!
//! The request is sent once. What may be asked for again is the rest of a stream that broke off after it had named an
//! event (2025-11-25, transports, "Resumability and Redelivery"): that is a GET, and repeats no work.

use super::{
    ClientError, Endpoint,
    body::{self, Events},
    session::{Session, Wire},
    side::listen_headers,
};
use crate::program::Process;
use bytes::Bytes;
use futures::{Stream, StreamExt as _, future, stream};
use http::{HeaderMap, StatusCode};
use mcpfleet_protocol::{
    client::{AnswerForm, Failure, Outgoing, Peer, SentSession, answer_form, classify_failure},
    header::SESSION_ID,
};
use reqwest::Response;
use std::time::Duration;

/// Attempts to go on with one broken stream that bring nothing new.
const MAX_RESUMES: u32 = 3;
/// Until the first of them, when the server does not say.
const RESUME_AFTER: Duration = Duration::from_secs(1);
/// The longest that a server can make us wait.
const RESUME_MOST: Duration = Duration::from_secs(10);

/// Gives a request to a process. The answer comes with everything else that the process says; here comes only that the
/// request was not taken.
pub(super) fn written(
    process: &Process,
    outgoing: Outgoing,
) -> impl Stream<Item = Result<Bytes, ClientError>> {
    // Nothing has reached the process, so another one can have it.
    let refused = async move { process.send(outgoing.body).await.err().map(|_| ClientError::SessionExpired) };
    let refused = stream::once(refused).filter_map(|refused| future::ready(refused.map(Err)));
    refused.chain(stream::pending())
}

/// The state between two messages.
pub(super) struct Feed<'a> {
    session: &'a Session,
    /// The session's, in the name of whoever the request is for.
    endpoint: Endpoint,
    stage: Stage,
}

enum Stage {
    Send(Outgoing),
    Stream(Box<Streaming>),
    /// The answer comes on the session's own stream.
    Elsewhere,
    Over,
}

struct Streaming {
    events: Option<Events>,
    /// The last event that was read, when the server names them.
    last_id: Option<String>,
    retry: Duration,
    barren: u32,
}

impl<'a> Feed<'a> {
    /// Of a request to `endpoint`, which is the session's.
    pub(super) fn new(session: &'a Session, endpoint: Endpoint, outgoing: Outgoing) -> Self {
        Self { session, endpoint, stage: Stage::Send(outgoing) }
    }

    /// The messages, and why there are no more. Reads no further than it is polled.
    pub(super) fn messages(self) -> impl Stream<Item = Result<Bytes, ClientError>> + 'a {
        stream::unfold(self, |mut feed| async move {
            let message = feed.next().await?;
            if message.is_err() {
                feed.stage = Stage::Over;
            }
            Some((message, feed))
        })
    }

    async fn next(&mut self) -> Option<Result<Bytes, ClientError>> {
        loop {
            match &mut self.stage {
                Stage::Over => return None,
                Stage::Elsewhere => std::future::pending().await,
                Stage::Stream(streaming) => return Some(streaming.next(self.session, &self.endpoint).await),
                Stage::Send(_) => {}
            }
            if let Stage::Send(outgoing) = std::mem::replace(&mut self.stage, Stage::Over) {
                match self.send(outgoing).await {
                    Ok(Some(message)) => return Some(Ok(message)),
                    Ok(None) => {}
                    Err(error) => return Some(Err(error)),
                }
            }
        }
    }

    /// Sends; gives the message when the answer is one, and says otherwise where messages come from.
    async fn send(&mut self, outgoing: Outgoing) -> Result<Option<Bytes>, ClientError> {
        let carried = carried(&outgoing.headers);
        let endpoint = &self.endpoint;
        let response = endpoint.post(outgoing).await?;
        match (self.session.wire, answer_form(response.status(), response.headers())) {
            (_, AnswerForm::Failed) => self.failed(response, carried).await.map(Some),
            // Whatever a success says here, the answer is on the stream.
            (Wire::HttpSse | Wire::Stdio, _) => {
                self.stage = Stage::Elsewhere;
                Ok(None)
            }
            (_, AnswerForm::Json) => body::whole(endpoint, response).await.map(Some),
            (_, AnswerForm::EventStream) => {
                self.stage = Stage::Stream(Box::new(Streaming::new(response)));
                Ok(None)
            }
            (_, AnswerForm::Accepted) => Err(ClientError::NoAnswer),
            (_, AnswerForm::Foreign) => Err(ClientError::Foreign(body::media(response.headers()))),
        }
    }

    /// The message of a failure that holds one.
    async fn failed(&self, response: Response, carried: SentSession) -> Result<Bytes, ClientError> {
        let status = response.status();
        let body = body::of_failure(&self.endpoint, response).await;
        match (classify_failure(status, &body, carried), self.session.wire) {
            // The session is in the URL of its POSTs (2024-11-05, transports, "HTTP with SSE").
            (Failure::Status(StatusCode::NOT_FOUND), Wire::HttpSse) | (Failure::SessionExpired, _) => {
                Err(ClientError::SessionExpired)
            }
            (Failure::Rpc, _) => Ok(body),
            (Failure::Unauthorized, _) => Err(ClientError::Unauthorized(status)),
            (Failure::Busy, _) => Err(ClientError::Busy(status)),
            (Failure::Status(status), _) => Err(ClientError::Status(status)),
        }
    }
}

impl Streaming {
    fn new(response: Response) -> Self {
        Self { events: Some(Events::new(response)), last_id: None, retry: RESUME_AFTER, barren: 0 }
    }

    async fn next(&mut self, session: &Session, endpoint: &Endpoint) -> Result<Bytes, ClientError> {
        let mut broken = ClientError::NoAnswer;
        loop {
            let Some(events) = &mut self.events else {
                self.resume((session, endpoint), broken).await?;
                broken = ClientError::NoAnswer;
                continue;
            };
            let message = events.message(endpoint).await;
            self.note();
            match message {
                Ok(Some(message)) => return Ok(message),
                Ok(None) => {}
                Err(error @ ClientError::Egress(_)) => broken = error,
                Err(error) => return Err(error),
            }
            self.events = None;
        }
    }

    /// Notes how far the stream came.
    fn note(&mut self) {
        let Some(events) = &self.events else { return };
        if let Some(id) = events.last_id().filter(|id| !id.is_empty() && Some(*id) != self.last_id.as_deref())
        {
            self.last_id = Some(id.to_owned());
            self.barren = 0;
        }
        self.retry = events.retry().unwrap_or(self.retry).min(RESUME_MOST);
    }

    /// Asks for what follows the last event, when the server has named one.
    async fn resume(
        &mut self,
        (session, endpoint): (&Session, &Endpoint),
        broken: ClientError,
    ) -> Result<(), ClientError> {
        let (Some(last_id), Peer::Legacy(peer)) = (&self.last_id, &session.peer) else { return Err(broken) };
        if self.barren == MAX_RESUMES {
            return Err(broken);
        }
        self.barren += 1;
        tokio::time::sleep(self.retry).await;
        let headers = listen_headers(peer, Some(last_id));
        match endpoint.get(headers).await {
            Ok(response) if body::is_event_stream(response.status(), response.headers()) => {
                self.events = Some(Events::new(response));
                Ok(())
            }
            Ok(_) => Err(broken),
            // Not there for a moment: the next attempt is counted too.
            Err(_) => Ok(()),
        }
    }
}

/// Whether headers carry a session.
fn carried(headers: &HeaderMap) -> SentSession {
    if headers.contains_key(SESSION_ID) { SentSession::Yes } else { SentSession::No }
}
