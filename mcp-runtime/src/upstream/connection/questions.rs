//! Requests of a legacy server in the middle of a call: each is asked of the caller while the call is read on.

use super::{ClientError, session::Session};
use crate::exchange::{Answer, Caller, Question, Unanswered};
use bytes::Bytes;
use futures::{
    FutureExt as _, StreamExt as _,
    future::{AbortHandle, Abortable, BoxFuture},
    stream::FuturesUnordered,
};
use mcpfleet_protocol::{
    ClientCapabilities, ErrorCode,
    json::{JsonText, Members},
    jsonrpc::{self, Id},
};
use serde_json::value::{RawValue, to_raw_value};
use std::collections::BTreeMap;

/// Most questions of one call that wait for an answer.
pub(super) const MAX_OPEN: usize = 16;

/// The open questions of one call. Dropping them takes them back.
#[derive(Default)]
pub(super) struct Questions<'a> {
    open: FuturesUnordered<BoxFuture<'a, ()>>,
    by_id: Vec<(Id<'static>, AbortHandle)>,
}

impl<'a> Questions<'a> {
    /// Begins to ask, and to answer the server. The question is on its way to the caller when this returns, unless he
    /// reads slowly: what the server says later comes later.
    ///
    /// # Errors
    /// [`ClientError::TooManyQuestions`].
    pub(super) fn ask(
        &mut self,
        session: &'a Session,
        caller: Option<&'a Caller>,
        id: &Id<'_>,
        question: Question,
    ) -> Result<(), ClientError> {
        if self.open.len() >= MAX_OPEN {
            return Err(ClientError::TooManyQuestions { limit: MAX_OPEN });
        }
        let (handle, registration) = AbortHandle::new_pair();
        let id = id.borrowed().into_owned();
        self.by_id.push((id.clone(), handle));
        let work = async move {
            let body = answer(session, caller, &id, question).await;
            session.respond(body).await;
        };
        self.open.push(Abortable::new(work, registration).map(drop).boxed());
        // Sends it off: a future that was never polled has done nothing.
        let _ = self.next().now_or_never();
        Ok(())
    }

    /// The server no longer wants to know.
    pub(super) fn withdraw(&mut self, id: &Id<'_>) {
        self.by_id.iter().filter(|(open, _)| open == id).for_each(|(_, handle)| handle.abort());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Waits until one is settled. Cancel-safe.
    pub(super) async fn next(&mut self) {
        self.open.next().await;
        if self.open.is_empty() {
            self.by_id.clear();
        }
    }
}

/// The body of the answer to one question.
async fn answer(session: &Session, caller: Option<&Caller>, id: &Id<'_>, question: Question) -> Bytes {
    if question.method == "ping" {
        return jsonrpc::success(id, &JsonText::empty_object());
    }
    let params = question.params.as_deref();
    let declared = session.declared.allows(&question.method, params);
    let asked = caller.filter(|caller| offers(caller, &question.method, params) && declared);
    let question = without_token(question);
    body(
        id,
        match asked {
            Some(caller) => caller.ask(question).await,
            None => Err(Unanswered::NotOffered { method: question.method }),
        },
    )
}

/// Without the server's own progress token, which means nothing to anyone but the two of us.
pub(super) fn without_token(question: Question) -> Question {
    let params = question.params.as_deref().and_then(Members::read);
    let meta = params.as_ref().and_then(|params| Members::read(params.get("_meta")?));
    let (Some(params), Some(meta)) = (&params, meta) else { return question };
    if meta.get("progressToken").is_none() {
        return question;
    }
    let kept =
        meta.iter().filter(|(key, _)| *key != "progressToken").map(|(key, value)| (key.to_owned(), value));
    let meta: Vec<_> = kept.collect();
    let others = params.iter().filter(|(key, _)| *key != "_meta").map(|(key, value)| (key.to_owned(), value));
    let mut object: BTreeMap<String, Box<RawValue>> =
        others.map(|(key, value)| (key, value.to_owned())).collect();
    if !meta.is_empty()
        && let Ok(meta) = to_raw_value(&meta.into_iter().collect::<BTreeMap<_, _>>())
    {
        object.insert("_meta".into(), meta);
    }
    match to_raw_value(&object) {
        Ok(params) => Question { method: question.method, params: Some(params) },
        Err(_) => question,
    }
}

/// Whether the caller has declared what a question needs. If not, it is told so should the request fail for it.
pub(super) fn offers(caller: &Caller, method: &str, params: Option<&RawValue>) -> bool {
    let capabilities = ClientCapabilities::read(&caller.profile().capabilities);
    if let Some(required) = capabilities.missing_for(method, params) {
        caller.lacks(required);
    }
    capabilities.allows(method, params)
}

/// What the server is told.
pub(super) fn body(id: &Id<'_>, answer: Answer) -> Bytes {
    match answer {
        Ok(result) => jsonrpc::success(id, &JsonText::from(&*result)),
        Err(Unanswered::Refused { code, message, data }) => refusal(id, code, &message, data.as_deref()),
        Err(why @ (Unanswered::NotOffered { .. } | Unanswered::OutOfReach { .. })) => {
            jsonrpc::error(Some(id), ErrorCode::MethodNotFound, &why.to_string(), None)
        }
        Err(Unanswered::Gone) => {
            jsonrpc::error(Some(id), ErrorCode::InternalError, &Unanswered::Gone.to_string(), None)
        }
    }
}

/// An error of the client's, whose code is its own.
fn refusal(id: &Id<'_>, code: i64, message: &str, data: Option<&RawValue>) -> Bytes {
    let mut error = serde_json::Map::new();
    error.insert("code".into(), code.into());
    error.insert("message".into(), message.into());
    if let Some(data) = data.and_then(|data| serde_json::from_str(data.get()).ok()) {
        error.insert("data".into(), data);
    }
    jsonrpc::forwarded_error(id, &JsonText::from(&serde_json::Value::Object(error)))
}
