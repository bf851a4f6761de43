//! One POST and the message that answers it, as a JSON body or among the events of a stream.

use super::{ClientError, Endpoint, RpcFailure};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header::CONTENT_TYPE};
use mcpfleet_protocol::{
    client::{
        AnswerForm, Failure, FromServer, Outgoing, Peer, SentSession, answer_form, answer_server_request,
        classify_failure, read,
    },
    header::SESSION_ID,
    jsonrpc::{Id, Outcome},
    sse::Decoder,
};
use reqwest::Response;
use serde_json::value::RawValue;

/// Largest message, in bytes.
const MAX_MESSAGE: usize = 8 * 1024 * 1024;

/// As much of a failure's body as is looked at, in bytes.
const MAX_FAILURE: usize = 64 * 1024;

/// The answer to a request.
#[derive(Debug)]
pub(super) enum Reply {
    Result(Box<RawValue>),
    Error(RpcFailure),
}

/// An answer whose message is not read yet.
pub(super) struct Answered {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    form: AnswerForm,
    session: SentSession,
    /// The JSON body, or the data of the event that answers; empty when the form has none.
    pub(super) message: Bytes,
}

/// Sends a request to a server that has been greeted, and reads the answer.
pub(super) async fn exchange(
    endpoint: &Endpoint,
    peer: &Peer,
    outgoing: Outgoing,
    id: &Id<'_>,
) -> Result<Reply, ClientError> {
    ask(endpoint, Some(peer), outgoing, id).await?.reply(id)
}

/// Sends a request and waits for the message that answers it. `peer` is absent while the server's era is unknown.
pub(super) async fn ask(
    endpoint: &Endpoint,
    peer: Option<&Peer>,
    outgoing: Outgoing,
    id: &Id<'_>,
) -> Result<Answered, ClientError> {
    let session = if outgoing.headers.contains_key(SESSION_ID) { SentSession::Yes } else { SentSession::No };
    let response = endpoint.post(outgoing).await?;
    let (status, headers) = (response.status(), response.headers().clone());
    let form = answer_form(status, &headers);
    let message = match form {
        AnswerForm::Json => body(endpoint, response, MAX_MESSAGE).await?,
        AnswerForm::Failed => failure_body(endpoint, response).await,
        AnswerForm::EventStream => event(endpoint, peer, response, id).await?,
        AnswerForm::Accepted | AnswerForm::Foreign => Bytes::new(),
    };
    Ok(Answered { status, headers, form, session, message })
}

impl Answered {
    /// What the answer says.
    pub(super) fn reply(&self, id: &Id<'_>) -> Result<Reply, ClientError> {
        match self.form {
            AnswerForm::Json | AnswerForm::EventStream => self.message(id),
            AnswerForm::Accepted => Err(ClientError::NoAnswer),
            AnswerForm::Foreign => Err(ClientError::Foreign(self.media())),
            AnswerForm::Failed => match classify_failure(self.status, &self.message, self.session) {
                Failure::SessionExpired => Err(ClientError::SessionExpired),
                Failure::Rpc => self.message(id),
                Failure::Unauthorized => Err(ClientError::Unauthorized(self.status)),
                Failure::Busy => Err(ClientError::Busy(self.status)),
                Failure::Status(status) => Err(ClientError::Status(status)),
            },
        }
    }

    fn message(&self, id: &Id<'_>) -> Result<Reply, ClientError> {
        match read(&self.message, id)? {
            FromServer::Answer(Outcome::Result(result)) => Ok(Reply::Result(result.to_owned())),
            FromServer::Answer(Outcome::Error(error)) => Ok(Reply::Error(RpcFailure {
                code: error.code,
                message: error.message.into_owned(),
                data: error.data.map(ToOwned::to_owned),
            })),
            FromServer::Notification { .. } | FromServer::Request { .. } => Err(ClientError::NoAnswer),
        }
    }

    fn media(&self) -> String {
        let value = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        value.unwrap_or("no media type").chars().take(80).collect()
    }
}

async fn body(endpoint: &Endpoint, mut response: Response, limit: usize) -> Result<Bytes, ClientError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| endpoint.broken(&error))? {
        if bytes.len() + chunk.len() > limit {
            return Err(ClientError::TooLarge { limit });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.into())
}

/// The status has said the most already: a body that breaks off or is too long changes nothing.
async fn failure_body(endpoint: &Endpoint, response: Response) -> Bytes {
    body(endpoint, response, MAX_FAILURE).await.unwrap_or_default()
}

/// The data of the event that answers `id`. What comes before it is passed over, but for the server's own requests,
/// which it may wait for.
async fn event(
    endpoint: &Endpoint,
    peer: Option<&Peer>,
    mut response: Response,
    id: &Id<'_>,
) -> Result<Bytes, ClientError> {
    let mut decoder = Decoder::new(MAX_MESSAGE);
    loop {
        while let Some(event) =
            decoder.next_event().map_err(|error| ClientError::TooLarge { limit: error.limit })?
        {
            // Without data it only primes a reconnection (2025-11-25, transports, "Sending Messages to the Server").
            if event.data.is_empty() || event.kind != "message" {
                continue;
            }
            match read(&event.data, id)? {
                FromServer::Answer(_) => return Ok(event.data.into()),
                FromServer::Notification { .. } => {}
                FromServer::Request { id, method, .. } => {
                    answer(endpoint, peer, answer_server_request(&id, &method)).await;
                }
            }
        }
        match response.chunk().await.map_err(|error| endpoint.broken(&error))? {
            Some(chunk) => decoder.feed(&chunk),
            None => return Err(ClientError::NoAnswer),
        }
    }
}

/// Answers a request of a legacy server; modern ones make none. If the answer is lost, the call's own deadline tells.
async fn answer(endpoint: &Endpoint, peer: Option<&Peer>, body: Bytes) {
    if let Some(Peer::Legacy(legacy)) = peer {
        let _ = endpoint.post(legacy.response(body)).await;
    }
}
