//! One request under way, from what is asked to the message that answers it.

use super::{
    Answered, Client, Visit,
    input::{Digest, Sealed},
    task::{Holder, TaskId},
};
use crate::{
    call::{CallError, Outcome, stack},
    exchange::{Ask, Caller, Request},
};
use mcpfleet_protocol::{
    Era, ErrorCode,
    answer::input_required,
    json::{JsonText, Members},
    jsonrpc::Id,
    server::Refusal,
    task::with_id,
};
use serde_json::value::RawValue;
use std::sync::Arc;

/// Whether nothing came of it but an error.
fn failed(result: &Result<Outcome, CallError>) -> bool {
    match result {
        Ok(Outcome::Forwarded(result)) => {
            Members::read(result).and_then(|it| it.get("isError")).is_some_and(|it| it.get() == "true")
        }
        Ok(Outcome::Made(_) | Outcome::InputRequired { .. } | Outcome::Task(_)) => false,
        Err(error) => matches!(error, CallError::Upstream { .. } | CallError::Unavailable { .. }),
    }
}

/// One request, free of the wire that it came on.
pub(super) struct Job {
    pub(super) visit: Visit,
    pub(super) client: Arc<Client>,
    pub(super) id: Id<'static>,
    pub(super) digest: Digest,
    /// The id by which the client knows the task that it asks for.
    pub(super) task: Option<String>,
}

impl Job {
    /// Carries it out, and writes the answer.
    pub(super) async fn run(self, request: Request, caller: Caller) -> Answered {
        let stack::Answered { result, permit } =
            stack::run(&self.visit.server, &self.visit.snapshot, &request, &caller).await;
        let result = match result {
            // Only modern clients know the error; a legacy one reads what the upstream says.
            result if self.client.era() == Era::Modern && failed(&result) && caller.lacking().is_some() => {
                let required = caller.lacking().cloned().unwrap_or_else(JsonText::empty_object);
                Answered::refusal(&Refusal::missing_capability(&self.id, &required))
            }
            Ok(Outcome::InputRequired { requests, state }) => self.input_required(requests.as_deref(), state),
            Ok(Outcome::Task(created)) => self.task(&request.ask, &created),
            Ok(Outcome::Forwarded(result)) => {
                // An acknowledgement names no task.
                let ours = self.task.as_deref().and_then(|id| with_id(&result, id));
                self.answer(&request.ask, Ok(Outcome::Forwarded(ours.unwrap_or(result))))
            }
            result => self.answer(&request.ask, result),
        };
        result.holding(permit)
    }

    fn input_required(&self, requests: Option<&RawValue>, state: Option<String>) -> Answered {
        let sealed = Sealed::Upstream { state };
        let (keys, partition) = (&self.visit.shared.keys, self.client.principal.fingerprint());
        let server = &self.visit.snapshot.implementation;
        match sealed.seal(keys, partition, self.digest) {
            Ok(state) => {
                let requests = requests.map(JsonText::from);
                Answered::success(&self.id, &input_required(requests.as_ref(), Some(&state), server))
            }
            Err(why) => Answered::error(&self.id, ErrorCode::UpstreamFailed, &why.to_string()),
        }
    }

    /// An upstream has made a task of the call: the client gets an id of ours.
    fn task(&self, ask: &Ask, created: &RawValue) -> Answered {
        let Visit { shared, server, snapshot } = &self.visit;
        let holder = Holder { server: &server.name, partition: self.client.principal.fingerprint() };
        let id = TaskId::of_upstream(snapshot, ask, created).map(|task| task.seal(&shared.keys, holder));
        let renamed = id.and_then(Result::ok).and_then(|id| with_id(created, &id));
        let result = renamed.map(Outcome::Forwarded).ok_or_else(|| {
            let message =
                "the server behind it made a task of the call, with an id that cannot be used".into();
            CallError::Unavailable { message }
        });
        self.answer(ask, result)
    }

    fn answer(&self, ask: &Ask, result: Result<Outcome, CallError>) -> Answered {
        super::outcome::Written {
            id: &self.id,
            client: &self.client,
            server: &self.visit.snapshot.implementation,
        }
        .answer(ask, result)
    }
}
