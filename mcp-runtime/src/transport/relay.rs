//! Answers of another replica on their way to the client. When that replica is lost before its answer has come to its
//! end, the client is told so by an error under the id of its request: the call may have been carried out.

use super::answer;
use crate::{conversation::Answered, model::Body, peer::PeerError};
use bytes::{Bytes, BytesMut};
use futures::stream;
use http::{Response, header::CONTENT_TYPE};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use mcpfleet_protocol::{ErrorCode, jsonrpc::Id, server::Accepts, sse};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Longest piece of an event that is kept back until it is whole. What is longer is handed on as it comes.
const MAX_HELD: usize = 256 * 1024;

/// The member of a request that its answer repeats.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Option<&'a RawValue>,
}

/// The id of the one request in a body. A notification, a response, a batch have none that an error could be sent under.
pub(super) fn id_of(body: &[u8]) -> Option<Id<'static>> {
    let head: Head<'_> = serde_json::from_slice(body).ok()?;
    head.method?;
    Id::read(head.id?).map(Id::into_owned)
}

/// The answer to a request whose replica was lost while it worked on it.
pub(super) fn interrupted(request: &[u8], error: &PeerError) -> Response<Body> {
    match id_of(request) {
        Some(id) => answer::answered(lost(&id, &error.to_string()), Accepts::Either),
        None => answer::peer_failed(error),
    }
}

/// `response` from the replica at `holder`; a stream that breaks off ends with an error to the request.
pub(super) fn guarded(response: Response<Body>, request: &[u8], holder: &str) -> Response<Body> {
    let kind = response.headers().get(CONTENT_TYPE);
    let is_stream = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    let Some(id) = id_of(request).filter(|_| is_stream) else { return response };
    let message = lost(&id, &format!("replica {holder} was lost while it worked on the request")).message;
    let last = sse::encode(&String::from_utf8_lossy(&message), None);
    response.map(|body| {
        let relay = Relay { body: Some(body), held: BytesMut::new(), last };
        let frames = stream::unfold(relay, Relay::next);
        Body::new(StreamBody::new(frames))
    })
}

fn lost(id: &Id<'_>, why: &str) -> Answered {
    let text = format!("{why}; it may have been carried out: look before you send it again");
    Answered::error(id, ErrorCode::UpstreamFailed, &text)
}

struct Relay {
    /// Absent when it has ended.
    body: Option<Body>,
    /// The beginning of an event: half of one would spoil the error that follows it.
    held: BytesMut,
    last: Bytes,
}

type Piece = Result<Frame<Bytes>, std::io::Error>;

impl Relay {
    async fn next(mut self) -> Option<(Piece, Self)> {
        loop {
            let body = self.body.as_mut()?;
            match body.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.held.extend_from_slice(&data);
                    }
                    if let Some(whole) = self.whole() {
                        return Some((Ok(Frame::data(whole)), self));
                    }
                }
                Some(Err(error)) => {
                    tracing::debug!(%error, "a replica was lost in the middle of an answer");
                    self.body = None;
                    let last = self.last.clone();
                    return Some((Ok(Frame::data(last)), self));
                }
                None => {
                    self.body = None;
                    let rest = self.held.split().freeze();
                    return (!rest.is_empty()).then(|| (Ok(Frame::data(rest)), self));
                }
            }
        }
    }

    /// The events that have come whole.
    fn whole(&mut self) -> Option<Bytes> {
        let end = self.held.windows(2).rposition(|pair| pair == b"\n\n").map(|at| at + 2);
        let end = end.or_else(|| (self.held.len() > MAX_HELD).then(|| self.held.len()))?;
        Some(self.held.split_to(end).freeze())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::answer::event_stream;
    use serde_json::{Value, json};

    const REQUEST: &[u8] = br#"{"jsonrpc": "2.0", "id": "seven", "method": "tools/call"}"#;

    fn pieces(pieces: Vec<Result<&'static str, std::io::Error>>) -> Response<Body> {
        let frames = pieces.into_iter().map(|piece| piece.map(|text| Frame::data(Bytes::from(text))));
        event_stream(Body::new(StreamBody::new(stream::iter(frames.collect::<Vec<_>>()))))
    }

    async fn relayed(from: Response<Body>) -> String {
        let body = guarded(from, REQUEST, "10.0.0.1:8082").into_body().collect().await.unwrap();
        String::from_utf8(body.to_bytes().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn what_ends_well_is_handed_on_as_it_came() {
        let whole = relayed(pieces(vec![Ok("data: 1\n"), Ok("\n: alive\n\nda"), Ok("ta: 2")])).await;
        assert_eq!(whole, "data: 1\n\n: alive\n\ndata: 2");
    }

    #[tokio::test]
    async fn a_replica_that_is_lost_in_the_middle_ends_the_call_with_an_error_of_its_own_id() {
        let broken = pieces(vec![Ok("data: 1\n\nda"), Err(std::io::Error::other("reset"))]);
        let whole = relayed(broken).await;
        let (first, last) = whole.split_once("\n\n").unwrap();
        assert_eq!(first, "data: 1");
        let data = last.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
        let error: Value = serde_json::from_str(data).unwrap();
        assert_eq!((&error["id"], &error["error"]["code"]), (&json!("seven"), &json!(-31502)));
        assert!(error["error"]["message"].as_str().unwrap().contains("may have been carried out"));
    }

    #[test]
    fn only_a_single_request_has_an_id_to_answer_under() {
        assert_eq!(id_of(REQUEST), Some(Id::string("seven")));
        for none in
            ["", "[]", r#"{"id": 1, "result": {}}"#, r#"{"method": "ping"}"#, r#"[{"id": 1, "method": "a"}]"#]
        {
            assert_eq!(id_of(none.as_bytes()), None, "{none}");
        }
    }
}
