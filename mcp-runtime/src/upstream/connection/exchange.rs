//! One request and the message that answers it, with everything that comes before: notices go to the caller, questions
//! are asked of him, and nothing is read on while he reads slowly.

use super::{
    ClientError, RpcFailure, bare,
    feed::{Feed, written},
    news,
    outlet::Outlet,
    questions::Questions,
    session::{Session, Wire},
};
use crate::{
    exchange::{Caller, Notice, Question},
    identity::Principal,
    upstream::bell::Bell,
};
use bytes::Bytes;
use futures::StreamExt as _;
use mcpfleet_protocol::{
    Era, Revision,
    client::{FromServer, Outgoing, messages, read},
    json::Members,
    jsonrpc::{Id, Outcome},
    server::LogLevel,
};
use serde_json::value::RawValue;
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};

/// The answer to a request.
#[derive(Debug)]
pub(super) enum Reply {
    Result(Box<RawValue>),
    Error(RpcFailure),
}

/// Who hears what comes before the answer.
#[derive(Clone, Copy)]
pub(super) enum Audience<'a> {
    /// The request is our own: notices are passed over, questions refused.
    Nobody,
    /// Whoever made the request.
    Caller(&'a Caller),
}

impl<'a> Audience<'a> {
    /// In whose name the request is made.
    fn principal(self) -> Option<&'a Arc<Principal>> {
        match self {
            Self::Nobody => None,
            Self::Caller(caller) => Some(&caller.profile().principal),
        }
    }
}

/// Sends a request of ours, whose id is its progress token too, and reads to the answer.
pub(super) async fn exchange(
    session: &Session,
    bell: &Bell,
    audience: Audience<'_>,
    id: &Id<'_>,
    outgoing: Outgoing,
) -> Result<Reply, ClientError> {
    let mut place = session.enter(id)?;
    let mut feed = pin!(match &session.outlet {
        Outlet::Url(endpoint) => {
            let endpoint = endpoint.acting_for(audience.principal());
            Feed::new(session, endpoint, outgoing).messages().left_stream()
        }
        Outlet::Process(process) => written(process, outgoing).right_stream(),
    });
    let mut talk = Talk { session, bell, audience, id, questions: Questions::default() };
    loop {
        let message = tokio::select! {
            biased;
            () = talk.questions.next(), if !talk.questions.is_empty() => continue,
            message = beside(session, &mut place) => message,
            message = feed.next() => message.unwrap_or(Err(ClientError::NoAnswer)),
        };
        if let Some(reply) = talk.take_all(&message?).await? {
            talk.late(&mut place).await;
            return Ok(reply);
        }
    }
}

/// The next message on the session's own stream; never, when it has none.
async fn beside(session: &Session, place: &mut Option<super::inbox::Place>) -> Result<Bytes, ClientError> {
    match place {
        Some(place) => match place.next().await {
            Some(message) => Ok(message),
            None => Err(session.lost().await),
        },
        None => std::future::pending().await,
    }
}

struct Talk<'a> {
    session: &'a Session,
    bell: &'a Bell,
    audience: Audience<'a>,
    id: &'a Id<'a>,
    questions: Questions<'a>,
}

/// How long log messages on another stream may be behind the answer on this one.
const LATE: Duration = Duration::from_millis(20);

impl Talk<'_> {
    /// Servers send what they log about a request on the session's own stream too, which nothing keeps in step with the
    /// answer: who asked for logs gets those that are just behind.
    async fn late(&mut self, place: &mut Option<super::inbox::Place>) {
        let wanted = match self.audience {
            Audience::Caller(caller) => caller.profile().log_level.is_some(),
            Audience::Nobody => false,
        };
        // What a program says comes in its order.
        let wanted = wanted && self.session.wire != Wire::Stdio;
        let until = Instant::now() + LATE;
        while wanted && place.is_some() {
            let Ok(Ok(message)) = timeout_at(until, beside(self.session, place)).await else { return };
            // It is answered already: a second answer is nobody's.
            if self.take_all(&message).await.is_err() {
                return;
            }
        }
    }

    /// Takes what came as one: a message, or from a server of 2025-03-26 a batch (2025-03-26, basic, "Batching").
    async fn take_all(&mut self, body: &[u8]) -> Result<Option<Reply>, ClientError> {
        if self.session.revision() != Revision::V2025_03_26 {
            return self.take(body).await;
        }
        let mut reply = None;
        for message in messages(body)? {
            reply = self.take(message).await?.or(reply);
        }
        Ok(reply)
    }

    /// Takes one message; gives the answer when it is that.
    async fn take(&mut self, message: &[u8]) -> Result<Option<Reply>, ClientError> {
        match read(message, self.id)? {
            FromServer::Answer(Outcome::Result(result)) => Ok(Some(Reply::Result(result.to_owned()))),
            FromServer::Answer(Outcome::Error(error)) => Ok(Some(Reply::Error(error.into()))),
            FromServer::Notification { method, params } => {
                self.notified(&method, params).await;
                Ok(None)
            }
            // A modern server makes none (2026-07-28, basic/patterns/mrtr).
            FromServer::Request { .. } if self.session.peer.era() == Era::Modern => Ok(None),
            FromServer::Request { id, method, params } => {
                let question =
                    Question { method: method.into_owned(), params: params.map(ToOwned::to_owned) };
                let caller = match self.audience {
                    Audience::Caller(caller) => Some(caller),
                    Audience::Nobody => None,
                };
                self.questions.ask(self.session, caller, &id, question)?;
                Ok(None)
            }
        }
    }

    async fn notified(&mut self, method: &str, params: Option<&RawValue>) {
        if news::is_news(method) {
            return news::tell(self.bell, self.session.id(), method, params);
        }
        if method == "notifications/cancelled" {
            let id = params.and_then(Members::read).and_then(|params| params.get("requestId"));
            return id.and_then(Id::read).into_iter().for_each(|id| self.questions.withdraw(&id));
        }
        if let (Audience::Caller(caller), Some(notice)) = (self.audience, notice(method, params, self.id)) {
            caller.notify(notice).await;
        }
    }
}

/// What the caller is told; nothing when it is not about his call, or cannot be read.
fn notice(method: &str, params: Option<&RawValue>, token: &Id<'_>) -> Option<Notice> {
    match method {
        "notifications/progress" => {
            let params = params?;
            let members = Members::read(params)?;
            let ours = members.get("progressToken").and_then(Id::read).is_some_and(|given| given == *token);
            ours.then(|| Notice::Progress(bare::without(params, &members, "progressToken")))
        }
        "notifications/message" => {
            let params = params?;
            let level = Members::read(params)?.get("level").and_then(LogLevel::read)?;
            Some(Notice::Log(level, params.to_owned()))
        }
        _ => Some(Notice::Other { method: method.to_owned(), params: params.map(ToOwned::to_owned) }),
    }
}
