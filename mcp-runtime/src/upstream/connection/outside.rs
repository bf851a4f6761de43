//! Requests that a legacy server makes while no call runs: asked of the client whose session it is, on the stream that the
//! client keeps open (2025-11-25, transports, "Listening for Messages from the Server"). A session that many share, or that
//! is our own, belongs to nobody: there they are refused.

use super::{
    outlet::Outlet,
    questions::{MAX_OPEN, body, without_token},
    session::{FAREWELL, unasked},
};
use crate::{
    exchange::{Question, Standing, Unanswered},
    upstream::task::StopOnDrop,
};
use bytes::Bytes;
use mcpfleet_protocol::{
    ClientCapabilities, ErrorCode,
    client::Peer,
    jsonrpc::{self, Id},
};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::time::timeout;

/// Whom a session's server reaches outside its calls, and what it has asked. Dropping it takes the questions back.
#[derive(Debug, Default)]
pub(super) struct Outside {
    standing: Standing,
    declared: ClientCapabilities,
    open: Mutex<Vec<(Id<'static>, StopOnDrop)>>,
}

/// Where answers go.
#[derive(Clone, Debug)]
pub(super) struct Mouth {
    pub(super) outlet: Outlet,
    pub(super) peer: Peer,
}

impl Outside {
    /// The client behind `standing`, for which the session has declared so much.
    pub(super) fn new(standing: Standing, declared: ClientCapabilities) -> Self {
        Self { standing, declared, open: Mutex::default() }
    }

    /// Begins to ask; the answer is sent when it is there.
    pub(super) async fn ask(&self, mouth: &Mouth, id: &Id<'_>, question: Question) {
        if self.lock().len() >= MAX_OPEN {
            let why = format!("more than {MAX_OPEN} questions are open: wait for answers before asking on");
            return mouth.say(jsonrpc::error(Some(id), ErrorCode::Overloaded, &why, None)).await;
        }
        let (mouth, standing, id) = (mouth.clone(), self.standing.clone(), id.borrowed().into_owned());
        let offered = self.declared.allows(&question.method, question.params.as_deref());
        let task = tokio::spawn({
            let id = id.clone();
            async move {
                let answer = if offered {
                    standing.ask(without_token(question)).await
                } else {
                    Err(Unanswered::NotOffered { method: question.method })
                };
                mouth.say(body(&id, answer)).await;
            }
        });
        self.lock().push((id, StopOnDrop(task)));
    }

    /// The server no longer wants to know.
    pub(super) fn withdraw(&self, id: &Id<'_>) {
        self.lock().retain(|(open, _)| open != id);
    }

    /// The questions that are open.
    fn lock(&self) -> MutexGuard<'_, Vec<(Id<'static>, StopOnDrop)>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|(_, task)| !task.0.is_finished());
        open
    }
}

impl Mouth {
    /// Answers; a server that does not take it in time goes without.
    pub(super) async fn say(&self, body: Bytes) {
        let _ = timeout(FAREWELL, self.outlet.send(unasked(&self.peer, body))).await;
    }
}
