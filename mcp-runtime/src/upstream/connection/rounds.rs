//! A request from its first attempt to its last: what a modern server asks back for is gathered from a legacy client and
//! given with a retry (2026-07-28, basic/patterns/mrtr); a modern client is handed the question itself.

use super::{ClientError, Connection, RpcFailure, bare, phrase::Phrase, questions::offers};
use crate::{
    admission::Permit,
    call::Outcome,
    exchange::{Ask, Caller, Question, Request, Resumption, Unanswered},
};
use futures::future::try_join_all;
use mcpfleet_protocol::{
    ClientCapabilities, Era, answer,
    json::Members,
    jsonrpc::RpcError,
    mrtr::{InputRequest, InputRequests, write_responses},
    task,
};
use serde_json::value::RawValue;

/// Most times that one request is asked back for.
const MAX_ROUNDS: usize = 10;

impl Connection {
    /// Carries out a request. Whatever comes before its answer goes through `caller`; dropping the future cancels it at
    /// the server. `permit` is told while it waits for a new session.
    ///
    /// # Errors
    /// [`ClientError::Rpc`] when the server answered with an error.
    pub async fn send(
        &self,
        request: &Request,
        caller: &Caller,
        permit: Option<&Permit>,
    ) -> Result<Outcome, ClientError> {
        let phrase = Phrase::new(request, caller.profile());
        let mut resumption = request.resumption.clone();
        for _ in 0..MAX_ROUNDS {
            let result = match self.attempt_all(request, &phrase, resumption.as_ref(), caller, permit).await {
                Ok(result) => result,
                Err(ClientError::Rpc(failure)) => return refused(failure, caller),
                Err(error) => return Err(error),
            };
            // A legacy result has no type; whatever it calls so is its own.
            if self.era() == Era::Legacy {
                return Ok(Outcome::Forwarded(result));
            }
            let Some(wanted) = InputRequests::read(&result)? else {
                return if is_task(&result, request, caller) {
                    Ok(Outcome::Task(result))
                } else {
                    complete(result)
                };
            };
            check(&wanted.requests, caller)?;
            if caller.profile().revision.era() == Era::Modern {
                return Ok(handed_on(&result, &wanted));
            }
            resumption = Some(gather(&wanted, caller).await?);
        }
        Err(ClientError::TooManyRounds { rounds: MAX_ROUNDS })
    }
}

/// A server that has declared no capability of the client's to be missing must not ask for it.
fn check(requests: &[InputRequest<'_>], caller: &Caller) -> Result<(), ClientError> {
    let lacking = requests.iter().find(|wanted| !offers(caller, wanted.method.as_str(), wanted.params));
    lacking.map_or(Ok(()), |wanted| Err(ClientError::NotOffered(wanted.method.as_str().to_owned())))
}

fn handed_on(result: &RawValue, wanted: &InputRequests<'_>) -> Outcome {
    let requests = Members::read(result).and_then(|members| members.get_some("inputRequests"));
    Outcome::InputRequired {
        requests: requests.map(ToOwned::to_owned),
        state: wanted.state.as_deref().map(ToOwned::to_owned),
    }
}

/// Asks a legacy client everything at once, and waits for all of it.
async fn gather(wanted: &InputRequests<'_>, caller: &Caller) -> Result<Resumption, ClientError> {
    let answers = try_join_all(wanted.requests.iter().map(|wanted| ask(wanted, caller))).await?;
    let responses = answers.iter().map(|(key, result)| (*key, result.get()));
    let responses = (!answers.is_empty()).then(|| write_responses(responses).as_str().to_owned());
    Ok(Resumption {
        responses: responses.and_then(|text| RawValue::from_string(text).ok()),
        state: wanted.state.as_deref().map(ToOwned::to_owned),
    })
}

async fn ask<'a>(
    wanted: &'a InputRequest<'_>,
    caller: &Caller,
) -> Result<(&'a str, Box<RawValue>), ClientError> {
    let method = wanted.method.as_str();
    let question = Question { method: method.to_owned(), params: wanted.params.map(ToOwned::to_owned) };
    match caller.ask(question).await {
        Ok(result) => Ok((wanted.key.as_ref(), result)),
        // There is no way to hand an error of the client's to a modern server: it ends the call, as it came.
        Err(Unanswered::Refused { code, message, data }) => {
            Err(ClientError::Rpc(RpcFailure { code, message, data }))
        }
        Err(why) => Err(ClientError::Unanswered { method, why }),
    }
}

/// A legacy server that wants the user at a page says so by an error. A modern client knows no such error: it is asked.
fn refused(failure: RpcFailure, caller: &Caller) -> Result<Outcome, ClientError> {
    let modern = caller.profile().revision.era() == Era::Modern;
    match url_elicitations(&failure).filter(|_| modern) {
        Some(requests) => Ok(Outcome::InputRequired { requests: Some(requests), state: None }),
        None => Err(ClientError::Rpc(failure)),
    }
}

fn url_elicitations(failure: &RpcFailure) -> Option<Box<RawValue>> {
    let data = failure.data.as_deref()?;
    let error = RpcError {
        code: failure.code,
        message: failure.message.as_str().into(),
        data: Some(data),
        raw: data,
    };
    let requests = answer::url_elicitations(&error)?;
    RawValue::from_string(requests.as_str().to_owned()).ok()
}

/// Whether the server has made a task of a call, and may have: an unasked one is of a type that nobody knows.
fn is_task(result: &RawValue, request: &Request, caller: &Caller) -> bool {
    let profile = caller.profile();
    let kind = Members::read(result).and_then(|members| members.get("resultType"));
    kind.is_some_and(|kind| kind.get() == "\"task\"")
        && matches!(request.ask, Ask::CallTool { .. })
        && profile.revision.era() == Era::Modern
        && ClientCapabilities::read(&profile.capabilities).has_extension(task::EXTENSION)
}

/// The envelope field of the era is not part of the result (2026-07-28, basic, "`ResultType`"). Everything else stays as
/// it came.
fn complete(result: Box<RawValue>) -> Result<Outcome, ClientError> {
    let members = Members::read(&result).unwrap_or_default();
    let Some(kind) = members.get("resultType") else { return Ok(Outcome::Forwarded(result)) };
    if kind.get() != "\"complete\"" {
        return Err(ClientError::UnknownResultType);
    }
    Ok(Outcome::Forwarded(bare::without(&result, &members, "resultType")))
}
