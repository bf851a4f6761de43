//! What is known of one task of ours.

use super::super::{Answered, input::Waiting};
use crate::exchange::{Answer, Question};
use jiff::Timestamp;
use mcpfleet_protocol::{
    answer::Implementation,
    json::{JsonText, Members},
    mrtr::InputResponses,
    task::{Task, TaskState, created, detailed},
};
use serde_json::value::RawValue;
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::oneshot;

/// How long a task is kept after its creation: work and result, whichever is longer.
pub(super) const LIFETIME: Duration = Duration::from_hours(1);
/// How often it is worth asking, in ms.
const POLL_INTERVAL_MS: u64 = 500;

/// One task.
#[derive(Debug)]
pub(super) struct Record {
    /// Its id, sealed.
    id: String,
    created: Timestamp,
    now: Mutex<Now>,
}

#[derive(Debug)]
struct Now {
    updated: Timestamp,
    waiting: Waiting,
    end: Option<End>,
}

/// How a task has ended. It is the last that happens to it.
#[derive(Debug)]
enum End {
    Completed(Box<RawValue>),
    Failed(Box<RawValue>),
    Cancelled,
}

impl Record {
    pub(super) fn new(id: String) -> Self {
        let created = Timestamp::now();
        let now = Now { updated: created, waiting: Waiting::default(), end: None };
        Self { id, created, now: Mutex::new(now) }
    }

    /// The answer to the call that has become the task.
    pub(super) fn created(&self, server: &Implementation) -> JsonText {
        self.see(|task, state| created(task, state, server))
    }

    /// The answer to `tasks/get`.
    pub(super) fn detailed(&self, server: &Implementation) -> JsonText {
        self.see(|task, state| detailed(task, state, server))
    }

    /// The work asks its client something.
    pub(super) fn ask(&self, question: Question, reply: oneshot::Sender<Answer>) {
        self.change(|now| now.waiting.add(question, reply));
    }

    /// Hands on what the client has brought. What was not asked, or is answered already, is passed over: clients may
    /// repeat themselves (SEP-2663, "Task Input Requests").
    pub(super) fn answer(&self, responses: &InputResponses<'_>) {
        self.change(|now| now.waiting.answer(responses));
    }

    /// The work has ended.
    pub(super) fn ended(&self, answered: &Answered) {
        self.end(end(answered));
    }

    /// The client wants no more of it. What has ended stays as it is.
    pub(super) fn cancel(&self) {
        self.end(End::Cancelled);
    }

    /// Bytes that are kept of its result.
    pub(super) fn size(&self) -> usize {
        match &self.lock().end {
            Some(End::Completed(kept) | End::Failed(kept)) => kept.get().len(),
            Some(End::Cancelled) | None => 0,
        }
    }

    fn end(&self, end: End) {
        self.change(|now| {
            now.waiting = Waiting::default();
            now.end = Some(end);
        });
    }

    /// Nothing changes after the end.
    fn change(&self, change: impl FnOnce(&mut Now)) {
        let mut now = self.lock();
        if now.end.is_none() {
            change(&mut now);
            now.updated = Timestamp::now();
        }
    }

    fn see(&self, see: impl FnOnce(&Task<'_>, &TaskState<'_>) -> JsonText) -> JsonText {
        let mut now = self.lock();
        now.waiting.forget_withdrawn();
        let (created, updated) = (self.created.to_string(), now.updated.to_string());
        let task = Task {
            id: &self.id,
            created_at: &created,
            updated_at: &updated,
            ttl_ms: u64::try_from(LIFETIME.as_millis()).unwrap_or(u64::MAX),
            poll_interval_ms: POLL_INTERVAL_MS,
        };
        let requests = now.waiting.requests();
        let state = match &now.end {
            Some(End::Completed(result)) => TaskState::Completed(result),
            Some(End::Failed(error)) => TaskState::Failed(error),
            Some(End::Cancelled) => TaskState::Cancelled,
            None if now.waiting.is_empty() => TaskState::Working,
            None => TaskState::InputRequired(&requests),
        };
        see(&task, &state)
    }

    /// Nothing that runs under the lock leaves it half written.
    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// "If the request completed with a result (even if `isError: true` for tool results), the task uses `completed`"; a
/// JSON-RPC error is `failed` (SEP-2663, "Task Execution Errors").
fn end(answered: &Answered) -> End {
    let message: Option<&RawValue> = serde_json::from_slice(&answered.message).ok();
    let members = message.and_then(Members::read).unwrap_or_default();
    match (members.get("result"), members.get("error")) {
        (Some(result), _) => End::Completed(result.to_owned()),
        (None, Some(error)) => End::Failed(error.to_owned()),
        // A response of ours has one of them.
        (None, None) => End::Cancelled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mcpfleet_protocol::{ErrorCode, jsonrpc::Id};
    use serde_json::{Value, json};

    fn server() -> Implementation {
        Implementation::new("default/a", "1")
    }

    fn got(record: &Record) -> Value {
        serde_json::from_str(record.detailed(&server()).as_str()).unwrap()
    }

    fn ask(record: &Record) -> oneshot::Receiver<Answer> {
        let (reply, answer) = oneshot::channel();
        record.ask(Question { method: "elicitation/create".into(), params: None }, reply);
        answer
    }

    fn answers(keys: &[&str]) -> String {
        Value::Object(keys.iter().map(|key| ((*key).to_owned(), json!({"action": "accept"}))).collect())
            .to_string()
    }

    fn give(record: &Record, keys: &[&str]) {
        let given = RawValue::from_string(answers(keys)).unwrap();
        record.answer(&InputResponses::read(&given).unwrap());
    }

    fn done(result: &str) -> Answered {
        Answered::success(&Id::number(1), &JsonText::parse(result.as_bytes()).unwrap())
    }

    #[test]
    fn what_creates_a_task_is_bare_and_what_gets_it_is_complete() {
        let record = Record::new("the id".into());
        let created: Value = serde_json::from_str(record.created(&server()).as_str()).unwrap();
        assert_eq!(
            (&created["resultType"], &created["taskId"], &created["status"]),
            (&json!("task"), &json!("the id"), &json!("working"))
        );
        assert!(created["ttlMs"].as_u64().is_some_and(|ttl| ttl > 0));
        assert!(created["pollIntervalMs"].is_u64());
        assert!(created["createdAt"].as_str().unwrap().parse::<Timestamp>().is_ok());
        let got = got(&record);
        assert_eq!((&got["resultType"], &got["status"]), (&json!("complete"), &json!("working")));
    }

    #[test]
    fn it_waits_until_every_question_is_answered_and_never_reuses_a_key() {
        let record = Record::new("t".into());
        let (mut first, mut second) = (ask(&record), ask(&record));
        let open = got(&record);
        assert_eq!(open["status"], "input_required");
        let keys: Vec<&str> = open["inputRequests"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys.len(), 2);
        give(&record, &[keys[0], "unknown"]);
        assert!(first.try_recv().unwrap().is_ok());
        let left = got(&record);
        assert_eq!(left["status"], "input_required");
        assert_eq!(left["inputRequests"].as_object().unwrap().keys().collect::<Vec<_>>(), [keys[1]]);
        give(&record, &[keys[0], keys[1]]);
        assert!(second.try_recv().unwrap().is_ok());
        assert_eq!(got(&record)["status"], "working");
        let _third = ask(&record);
        let again = got(&record);
        assert!(keys.iter().all(|key| again["inputRequests"].get(*key).is_none()), "{again}");
    }

    #[test]
    fn a_question_that_was_withdrawn_is_not_shown() {
        let record = Record::new("t".into());
        drop(ask(&record));
        assert_eq!(got(&record)["status"], "working");
    }

    #[test]
    fn a_result_completes_it_and_an_error_fails_it() {
        let completed = Record::new("t".into());
        completed.ended(&done(r#"{"isError":true,"content":[]}"#));
        let got_completed = got(&completed);
        assert_eq!(got_completed["status"], "completed");
        assert_eq!(got_completed["result"]["isError"], true);
        assert!(got_completed.get("error").is_none());
        assert!(completed.size() > 0);
        let failed = Record::new("t".into());
        failed.ended(&Answered::error(&Id::number(1), ErrorCode::InternalError, "broken"));
        let got_failed = got(&failed);
        assert_eq!(got_failed["status"], "failed");
        assert_eq!(
            (&got_failed["error"]["code"], &got_failed["statusMessage"]),
            (&json!(-32603), &json!("broken"))
        );
        assert!(got_failed.get("result").is_none());
    }

    #[test]
    fn what_has_ended_stays_so() {
        let record = Record::new("t".into());
        let mut asked = ask(&record);
        record.cancel();
        assert!(asked.try_recv().is_err(), "whoever asked learns that nobody answers");
        assert_eq!(got(&record)["status"], "cancelled");
        record.ended(&done("{}"));
        assert_eq!(got(&record)["status"], "cancelled");
        let _late = ask(&record);
        assert_eq!(got(&record)["status"], "cancelled");
    }
}
