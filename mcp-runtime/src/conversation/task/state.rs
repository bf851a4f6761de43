//! What is known of a task apart from its work: it can be kept anywhere. Pure.
//!
//! ```text
//! working ──► completed | failed | cancelled      whichever comes first stands; nothing changes after it
//! ```

use super::super::Answered;
use jiff::{Timestamp, ToSpan};
use mcpfleet_protocol::{
    ErrorCode,
    answer::Implementation,
    json::{JsonText, Members},
    task::{Task, TaskState},
};
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue, value::to_raw_value};
use std::time::Duration;

/// How often it is worth asking, in ms.
const POLL_INTERVAL_MS: u64 = 500;
/// Longest word of a task about itself, in characters.
const MAX_SAID: usize = 500;

/// One of the extension's messages about a task.
pub(super) type Form = fn(&Task<'_>, &TaskState<'_>, &Implementation) -> JsonText;

/// One task at one moment.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct State {
    created: Timestamp,
    updated: Timestamp,
    /// How long it is kept after its creation.
    ttl_ms: u64,
    /// What it last said of its progress.
    said: Option<String>,
    end: Option<End>,
}

/// How a task has ended. It is the last that happens to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum End {
    /// The request's result.
    Completed(Box<RawValue>),
    /// Its JSON-RPC error.
    Failed(Box<RawValue>),
    /// Its client gave it up.
    Cancelled,
}

/// Why a task failed that was to have an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Lost {
    /// The replica that worked on it is gone.
    #[error(
        "the replica that worked on this task is gone; the call may have taken effect and is not run again: look before \
         you make it again"
    )]
    Replica,
    /// That replica was told to stop before the work was done.
    #[error(
        "the replica that worked on this task was stopped; the call may have taken effect and is not run again: look \
         before you make it again"
    )]
    Stopped,
    /// Its result does not fit.
    #[error(
        "the call was carried out, but its result has {bytes} bytes, and {most} can be kept of a task; ask for less at \
         once"
    )]
    TooLong {
        /// How many it has.
        bytes: usize,
        /// How many it may have.
        most: usize,
    },
}

impl State {
    /// A task that begins.
    pub(super) fn new(ttl: Duration) -> Self {
        let created = Timestamp::now();
        let ttl_ms = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
        Self { created, updated: created, ttl_ms, said: None, end: None }
    }

    pub(super) fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// It is what it is from now on, unless it has ended already.
    pub(super) fn finish(&mut self, end: End) {
        self.change(|state| state.end = Some(end));
    }

    /// It tells how far it is.
    pub(super) fn say(&mut self, text: &str) {
        self.change(|state| state.said = Some(text.chars().take(MAX_SAID).collect()));
    }

    /// Something was asked of its client, or answered.
    pub(super) fn touch(&mut self) {
        self.change(|_| {});
    }

    /// Whether `other` has more to tell of the same task.
    pub(super) fn is_older_than(&self, other: &Self) -> bool {
        self.updated < other.updated
    }

    /// How long it is still kept.
    pub(super) fn left(&self) -> Duration {
        let ttl = i64::try_from(self.ttl_ms).unwrap_or(i64::MAX);
        let until = self.created.saturating_add(ttl.milliseconds()).unwrap_or(Timestamp::MAX);
        until.duration_since(Timestamp::now()).try_into().unwrap_or_default()
    }

    /// Bytes that are kept of its result.
    pub(super) fn size(&self) -> usize {
        self.end.as_ref().map_or(0, End::size)
    }

    /// As a message of the extension; `asked` of its client is what it waits for.
    pub(super) fn write(
        &self,
        id: &str,
        asked: Option<&JsonText>,
        (form, server): (Form, &Implementation),
    ) -> JsonText {
        let (created, updated) = (self.created.to_string(), self.updated.to_string());
        let task = Task {
            id,
            created_at: &created,
            updated_at: &updated,
            message: self.said.as_deref(),
            ttl_ms: self.ttl_ms,
            poll_interval_ms: POLL_INTERVAL_MS,
        };
        let state = match (&self.end, asked) {
            (Some(End::Completed(result)), _) => TaskState::Completed(result),
            (Some(End::Failed(error)), _) => TaskState::Failed(error),
            (Some(End::Cancelled), _) => TaskState::Cancelled,
            (None, Some(requests)) => TaskState::InputRequired(requests),
            (None, None) => TaskState::Working,
        };
        form(&task, &state, server)
    }

    fn change(&mut self, change: impl FnOnce(&mut Self)) {
        if self.end.is_none() {
            change(self);
            self.updated = Timestamp::now();
        }
    }
}

impl End {
    /// "If the request completed with a result (even if `isError: true` for tool results), the task uses `completed`"; a
    /// JSON-RPC error is `failed` (SEP-2663, "Task Execution Errors").
    pub(super) fn of(answered: &Answered) -> Self {
        let message: Option<&RawValue> = serde_json::from_slice(&answered.message).ok();
        let members = message.and_then(Members::read).unwrap_or_default();
        match (members.get("result"), members.get("error")) {
            (Some(result), _) => Self::Completed(result.to_owned()),
            (None, Some(error)) => Self::Failed(error.to_owned()),
            // A response of ours has one of them.
            (None, None) => Self::Cancelled,
        }
    }

    pub(super) fn size(&self) -> usize {
        match self {
            Self::Completed(kept) | Self::Failed(kept) => kept.get().len(),
            Self::Cancelled => 0,
        }
    }
}

impl From<Lost> for End {
    fn from(why: Lost) -> Self {
        let error = json!({"code": ErrorCode::UpstreamFailed.number(), "message": why.to_string()});
        to_raw_value(&error).map_or(Self::Cancelled, Self::Failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mcpfleet_protocol::task::detailed;
    use proptest::prelude::*;
    use serde_json::Value;

    fn raw(value: &Value) -> Box<RawValue> {
        to_raw_value(value).unwrap()
    }

    fn got(state: &State) -> Value {
        let server = Implementation::new("default/a", "1");
        serde_json::from_str(state.write("t", None, (detailed, &server)).as_str()).unwrap()
    }

    fn kept(state: &State) -> State {
        serde_json::from_slice(&serde_json::to_vec(state).unwrap()).unwrap()
    }

    #[derive(Clone, Debug)]
    enum Step {
        Says(String),
        Touched,
        Completes(u8),
        Fails,
        Cancelled,
        Kept,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            any::<String>().prop_map(Step::Says),
            Just(Step::Touched),
            any::<u8>().prop_map(Step::Completes),
            Just(Step::Fails),
            Just(Step::Cancelled),
            Just(Step::Kept),
        ]
    }

    fn take(state: &mut State, step: &Step) {
        match step {
            Step::Says(text) => state.say(text),
            Step::Touched => state.touch(),
            Step::Completes(n) => state.finish(End::Completed(raw(&json!({"n": n})))),
            Step::Fails => state.finish(Lost::Replica.into()),
            Step::Cancelled => state.finish(End::Cancelled),
            Step::Kept => *state = kept(state),
        }
    }

    proptest! {
        #[test]
        fn the_first_end_stands_whatever_comes_and_however_often_it_is_kept(
            steps in proptest::collection::vec(step(), 0..20),
        ) {
            let mut state = State::new(Duration::from_mins(1));
            let mut ended: Option<Value> = None;
            for step in &steps {
                take(&mut state, step);
                let now = got(&state);
                if let Some(before) = &ended {
                    prop_assert_eq!(&now, before);
                }
                let is_end = matches!(step, Step::Completes(_) | Step::Fails | Step::Cancelled);
                prop_assert_eq!(state.end().is_some(), ended.is_some() || is_end);
                prop_assert!(now["statusMessage"].as_str().is_none_or(|it| it.chars().count() <= MAX_SAID));
                ended = ended.or_else(|| state.end().is_some().then_some(now));
            }
            prop_assert!(state.left() <= Duration::from_mins(1));
        }
    }

    #[test]
    fn what_was_lost_says_that_it_may_have_taken_effect() {
        for why in [Lost::Replica, Lost::Stopped] {
            let mut state = State::new(Duration::from_mins(1));
            state.finish(why.into());
            let got = got(&state);
            assert_eq!((&got["status"], &got["error"]["code"]), (&json!("failed"), &json!(-31502)));
            assert!(got["statusMessage"].as_str().unwrap().contains("may have taken effect"));
        }
    }
}
