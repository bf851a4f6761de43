//! What one replica knows of a task that it works on, or has worked on.

use super::{
    super::input::Waiting,
    MAX_WAIT,
    state::{End, Form, State},
};
use crate::exchange::{Answer, Question};
use mcpfleet_protocol::{
    answer::Implementation,
    json::JsonText,
    mrtr::InputResponses,
    task::{created, detailed},
};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{oneshot, watch},
    time::Instant,
};

/// How long a client may take to ask how its task has ended: it waits no longer between two looks.
const AWAITED: Duration = Duration::from_secs(MAX_WAIT);

/// One task.
#[derive(Debug)]
pub(super) struct Record {
    /// Its id, sealed.
    pub(super) id: String,
    now: Mutex<Now>,
    ended: watch::Sender<Ended>,
}

#[derive(Debug)]
struct Now {
    state: State,
    waiting: Waiting,
    /// Since when its end is there that its client has not asked for.
    unread: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    No,
    Yes,
}

impl Record {
    pub(super) fn new(id: String, state: State) -> Self {
        let now = Mutex::new(Now { state, waiting: Waiting::default(), unread: None });
        Self { id, now, ended: watch::Sender::new(Ended::No) }
    }

    /// The answer to the call that has become the task.
    pub(super) fn created(&self, server: &Implementation) -> JsonText {
        self.write(created, server)
    }

    /// The answer to `tasks/get`.
    pub(super) fn detailed(&self, server: &Implementation) -> JsonText {
        self.lock().unread = None;
        self.write(detailed, server)
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

    /// The work tells how far it is.
    pub(super) fn say(&self, text: &str) {
        self.change(|now| now.state.say(text));
    }

    /// It has ended, one way or another. What has ended stays as it is.
    pub(super) fn finish(&self, end: End) {
        self.change(|now| {
            now.waiting = Waiting::default();
            // Who gives a task up asks for nothing of it.
            now.unread = (!matches!(end, End::Cancelled)).then(Instant::now);
            now.state.finish(end);
        });
        self.ended.send_replace(Ended::Yes);
    }

    /// What every replica sees of it has ended so: that stands.
    pub(super) fn adopt(&self, state: State) {
        let mut now = self.lock();
        *now = Now { state, waiting: Waiting::default(), unread: Some(Instant::now()) };
        drop(now);
        self.ended.send_replace(Ended::Yes);
    }

    /// What is known of it, to be kept elsewhere.
    pub(super) fn state(&self) -> State {
        self.lock().state.clone()
    }

    /// Waits until it has ended, at most so long.
    pub(super) async fn ended_within(&self, longest: Duration) {
        let mut ended = self.ended.subscribe();
        // Whether it has ended is read from its state.
        let _ = tokio::time::timeout(longest, ended.wait_for(|ended| *ended == Ended::Yes)).await;
    }

    /// Whether its client is likely to ask how it has ended: it has not yet, and there was little time.
    pub(super) fn is_awaited(&self) -> bool {
        self.lock().unread.is_some_and(|since| since.elapsed() < AWAITED)
    }

    /// Bytes that are kept of its result.
    pub(super) fn size(&self) -> usize {
        self.lock().state.size()
    }

    /// Nothing changes after the end.
    fn change(&self, change: impl FnOnce(&mut Now)) {
        let mut now = self.lock();
        if now.state.end().is_none() {
            change(&mut now);
            now.state.touch();
        }
    }

    fn write(&self, form: Form, server: &Implementation) -> JsonText {
        let mut now = self.lock();
        now.waiting.forget_withdrawn();
        let asked = (!now.waiting.is_empty()).then(|| now.waiting.requests());
        now.state.write(&self.id, asked.as_ref(), (form, server))
    }

    /// Nothing that runs under the lock leaves it half written.
    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::Answered;
    use jiff::Timestamp;
    use mcpfleet_protocol::{ErrorCode, jsonrpc::Id};
    use serde_json::{Value, json, value::RawValue};

    fn record(id: &str) -> Record {
        Record::new(id.into(), State::new(Duration::from_mins(1)))
    }

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
        let record = record("the id");
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
        let record = record("t");
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
        let record = record("t");
        drop(ask(&record));
        assert_eq!(got(&record)["status"], "working");
    }

    #[test]
    fn a_result_completes_it_and_an_error_fails_it() {
        let completed = record("t");
        completed.finish(End::of(&done(r#"{"isError":true,"content":[]}"#)));
        let got_completed = got(&completed);
        assert_eq!(got_completed["status"], "completed");
        assert_eq!(got_completed["result"]["isError"], true);
        assert!(got_completed.get("error").is_none());
        assert!(completed.size() > 0);
        let failed = record("t");
        failed.finish(End::of(&Answered::error(&Id::number(1), ErrorCode::InternalError, "broken")));
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
        let record = record("t");
        let mut asked = ask(&record);
        record.finish(End::Cancelled);
        assert!(asked.try_recv().is_err(), "whoever asked learns that nobody answers");
        assert_eq!(got(&record)["status"], "cancelled");
        record.finish(End::of(&done("{}")));
        assert_eq!(got(&record)["status"], "cancelled");
        let _late = ask(&record);
        assert_eq!(got(&record)["status"], "cancelled");
    }

    #[tokio::test(start_paused = true)]
    async fn an_end_is_awaited_until_it_was_asked_for_or_for_a_while() {
        let (asked, left, given_up) = (record("a"), record("l"), record("g"));
        for record in [&asked, &left] {
            assert!(!record.is_awaited(), "it works");
            record.finish(End::of(&done("{}")));
        }
        given_up.finish(End::Cancelled);
        assert!(asked.is_awaited() && left.is_awaited() && !given_up.is_awaited());
        got(&asked);
        tokio::time::advance(AWAITED).await;
        assert!(!asked.is_awaited() && !left.is_awaited());
    }
}
