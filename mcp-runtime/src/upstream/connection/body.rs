//! The messages in the body of a response: one as JSON, or many as events.

use super::{ClientError, Endpoint, MAX_MESSAGE};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header::CONTENT_TYPE};
use mcpfleet_protocol::sse::{Decoder, Event};
use reqwest::Response;
use std::time::Duration;

/// As much of a failure's body as is looked at, in bytes.
const MAX_FAILURE: usize = 64 * 1024;

/// A body of at most `limit` bytes.
async fn read(endpoint: &Endpoint, mut response: Response, limit: usize) -> Result<Bytes, ClientError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| endpoint.broken(&error))? {
        if bytes.len() + chunk.len() > limit {
            return Err(ClientError::TooLarge { limit });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.into())
}

/// A body that is one message.
pub(super) async fn whole(endpoint: &Endpoint, response: Response) -> Result<Bytes, ClientError> {
    read(endpoint, response, MAX_MESSAGE).await
}

/// The body of a failure. The status has said the most already: a body that breaks off or is too long changes nothing.
pub(super) async fn of_failure(endpoint: &Endpoint, response: Response) -> Bytes {
    read(endpoint, response, MAX_FAILURE).await.unwrap_or_default()
}

/// What a body claims to be, for messages.
pub(super) fn media(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.unwrap_or("no media type").chars().take(80).collect()
}

/// Whether a response is a stream of events.
pub(super) fn is_event_stream(status: StatusCode, headers: &HeaderMap) -> bool {
    status.is_success() && media(headers).to_ascii_lowercase().starts_with("text/event-stream")
}

/// A stream of events. It reads no further than it is asked to: that is the back-pressure.
pub(super) struct Events {
    response: Response,
    decoder: Decoder,
}

impl Events {
    pub(super) fn new(response: Response) -> Self {
        Self { response, decoder: Decoder::new(MAX_MESSAGE) }
    }

    /// The next event of any kind; `None` at the end. Cancel-safe.
    pub(super) async fn next(&mut self, endpoint: &Endpoint) -> Result<Option<Event>, ClientError> {
        loop {
            let event = self.decoder.next_event();
            if let Some(event) = event.map_err(|error| ClientError::TooLarge { limit: error.limit })? {
                return Ok(Some(event));
            }
            match self.response.chunk().await.map_err(|error| endpoint.broken(&error))? {
                Some(chunk) => self.decoder.feed(&chunk),
                None => return Ok(None),
            }
        }
    }

    /// The next message; `None` at the end. Events without data only prime a reconnection (2025-11-25, transports,
    /// "Sending Messages to the Server"). Cancel-safe.
    pub(super) async fn message(&mut self, endpoint: &Endpoint) -> Result<Option<Bytes>, ClientError> {
        while let Some(event) = self.next(endpoint).await? {
            if event.kind == "message" && !event.data.is_empty() {
                return Ok(Some(event.data.into()));
            }
        }
        Ok(None)
    }

    /// What `Last-Event-ID` must say on reconnecting.
    pub(super) fn last_id(&self) -> Option<&str> {
        self.decoder.last_id()
    }

    /// How long the server wants us to wait before reconnecting.
    pub(super) fn retry(&self) -> Option<Duration> {
        self.decoder.retry()
    }
}
