//! What replicas ask each other over the peer port, beside the requests of clients that they hand on.

use super::record::name;
use crate::{model::Body, peer::Peers, session::SessionKey, transport::Shared, transport::answer};
use bytes::Bytes;
use futures::future::join_all;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::time::timeout;

/// Where it is asked. On the data port it is nothing.
pub const PATH: &str = "/-/session";
/// How long an answer may take. Nothing is looked up but memory.
const PATIENCE: Duration = Duration::from_secs(3);
/// Longest question or answer, in bytes.
const MAX_BYTES: usize = 4096;

/// About one session.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Question {
    /// `namespace/name`.
    server: String,
    /// The session's key, in hexadecimal.
    session: String,
    #[serde(default)]
    news: News,
}

/// What is told beside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum News {
    #[default]
    None,
    /// It was deleted.
    Ended,
}

/// What a session is to the replica that was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// It has adopted it.
    Holds,
    /// It knows that it was deleted.
    Ended,
    /// Nothing, and it could adopt it.
    Free,
    /// Nothing, and it is about to stop.
    Leaving,
}

/// What a session is to the replica at `to`; `None` when that gives no answer.
pub(super) async fn ask(peers: &Arc<Peers>, to: SocketAddr, server: &str, key: SessionKey) -> Option<State> {
    send(peers, to, &Question { server: server.to_owned(), session: name(key), news: News::None }).await
}

/// Tells all others that a session was deleted. Whoever does not hear it learns it from those that did, should it ever
/// look for the session.
pub async fn tell_ended(peers: &Arc<Peers>, server: &str, key: SessionKey) {
    let question = Question { server: server.to_owned(), session: name(key), news: News::Ended };
    join_all(peers.others().into_iter().map(|to| send(peers, to, &question))).await;
}

async fn send(peers: &Arc<Peers>, to: SocketAddr, question: &Question) -> Option<State> {
    let body = serde_json::to_vec(question).ok()?;
    let request = Request::post(PATH).body(Bytes::from(body)).ok()?;
    let asked = async {
        let answer = peers.forward(&to.to_string(), request).await.ok()?;
        let is_answer = answer.status() == StatusCode::OK;
        let body = Limited::new(answer.into_body(), MAX_BYTES).collect().await.ok()?.to_bytes();
        is_answer.then(|| serde_json::from_slice(&body).ok()).flatten()
    };
    timeout(PATIENCE, asked).await.ok().flatten()
}

/// Answers a question of another replica.
pub async fn answer(shared: &Shared, request: Request<Incoming>) -> Response<Body> {
    let body = Limited::new(request.into_body(), MAX_BYTES).collect().await;
    let question = body.ok().and_then(|body| serde_json::from_slice::<Question>(&body.to_bytes()).ok());
    match question.and_then(|question| state(shared, &question)) {
        Some(state) => answer::json(StatusCode::OK, serde_json::to_vec(&state).unwrap_or_default()),
        None => {
            answer::json(StatusCode::BAD_REQUEST, r#"{"error":"no session of a server that is served here"}"#)
        }
    }
}

fn state(shared: &Shared, question: &Question) -> Option<State> {
    let key = key(&question.session)?;
    let server = shared.fleet.all().get(&question.server)?.clone();
    if question.news == News::Ended {
        server.sessions.end(key);
        server.pool.forget(key);
        shared.adoptions.forget(key);
    }
    let leaving = shared.is_draining();
    Some(if server.sessions.is_ended(key) {
        State::Ended
    } else if shared.adoptions.is_here(key) && !(leaving && server.sessions.is_quiet(key)) {
        State::Holds
    } else if leaving {
        State::Leaving
    } else {
        State::Free
    })
}

fn key(text: &str) -> Option<SessionKey> {
    let is_key = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_key.then(|| u128::from_str_radix(text, 16).ok()).flatten().map(u128::to_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_and_nothing_else_reads() {
        let session = std::array::from_fn(|n| u8::try_from(n * 15).unwrap());
        assert_eq!(key(&name(session)), Some(session));
        for bad in
            ["", "07", &"g".repeat(32), &"é".repeat(16), &format!("+{}", "1".repeat(31)), &"0".repeat(33)]
        {
            assert_eq!(key(bad), None, "{bad}");
        }
    }
}
