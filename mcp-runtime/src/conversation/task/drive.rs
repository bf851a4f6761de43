//! The work of a task, behind its id, to its end.

use super::{
    super::exchange::Going,
    archive::{Archive, BEAT, MAX_RESULT},
    record::Record,
    state::{End, Lost},
};
use crate::exchange::{Event, Notice, Unanswered};
use mcpfleet_protocol::json::Members;
use serde_json::value::RawValue;
use std::sync::Arc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How the client follows a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::conversation) enum Follower {
    /// By the messages of the extension: it can be asked something on the way.
    Messages,
    /// By tools: it cannot.
    Tools,
}

/// One task that is worked on here.
pub(super) struct Working {
    pub(super) key: [u8; 16],
    pub(super) record: Arc<Record>,
    pub(super) follower: Follower,
    /// Its client gives it up.
    pub(super) cancelled: CancellationToken,
    /// The replica is told to stop.
    pub(super) stopping: CancellationToken,
    /// Where it outlives this replica, when the server has such a place.
    pub(super) archive: Option<Archive>,
}

impl Working {
    /// Carries the work to its end, and makes that known. Dropping the future cancels it, here and upstream.
    pub(super) async fn run(self, going: Going) {
        let end = tokio::select! {
            biased;
            () = self.cancelled.cancelled() => End::Cancelled,
            end = self.watch() => end,
            end = drive(going, &self.record, self.follower) => end,
            () = self.stopping.cancelled() => Lost::Stopped.into(),
        };
        match &self.archive {
            None => self.record.finish(end),
            Some(archive) => self.settle(archive, fitting(end)).await,
        }
    }

    /// Says every [`BEAT`] that it is worked on, and how far it is; ends when somebody else has ended it.
    async fn watch(&self) -> End {
        let Some(archive) = &self.archive else { return std::future::pending().await };
        loop {
            sleep(BEAT).await;
            // A store that is gone is found again by the next beat.
            let _ = archive.lease(self.key).await;
            if let Ok(stands) = archive.keep(self.key, &self.record.state()).await
                && let Some(end) = stands.end()
            {
                return end.clone();
            }
        }
    }

    /// The end is known here when every replica can know it; when the store is gone, at once, and there once it is back.
    async fn settle(&self, archive: &Archive, end: End) {
        let mut state = self.record.state();
        state.finish(end.clone());
        loop {
            match archive.keep(self.key, &state).await {
                Ok(stands) => return self.record.adopt(stands),
                Err(error) => {
                    tracing::warn!(%error, "the end of a task is not kept yet");
                    self.record.finish(end.clone());
                    sleep(BEAT).await;
                }
            }
        }
    }
}

/// What is said on the way reaches nobody any more, for the stream that it would have gone to has been answered; but how far
/// it is can be asked.
async fn drive(going: Going, record: &Record, follower: Follower) -> End {
    let Going { mut work, mut events, .. } = going;
    let mut speaks = true;
    loop {
        tokio::select! {
            biased;
            event = events.recv(), if speaks => match event {
                Some(Event::Question(question, reply)) if follower == Follower::Tools => {
                    // Whoever asked may be gone.
                    let _ = reply.send(Err(Unanswered::NotOffered { method: question.method }));
                }
                Some(Event::Question(question, reply)) => record.ask(question, reply),
                Some(Event::Notice(Notice::Progress(params))) => {
                    if let Some(text) = progress(&params) {
                        record.say(&text);
                    }
                }
                Some(Event::Notice(_)) => {}
                None => speaks = false,
            },
            answered = &mut work => return End::of(&answered),
        }
    }
}

/// `copying (3 of 10)`
fn progress(params: &RawValue) -> Option<String> {
    let members = Members::read(params)?;
    let number = |key: &str| {
        members.get_some(key).and_then(|raw| serde_json::from_str::<serde_json::Number>(raw.get()).ok())
    };
    let far = match (number("progress"), number("total")) {
        (Some(done), Some(total)) => Some(format!("{done} of {total}")),
        (Some(done), None) => Some(done.to_string()),
        (None, _) => None,
    };
    let message = members.get_some("message");
    let message = message.and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
    match (message, far) {
        (Some(message), Some(far)) => Some(format!("{message} ({far})")),
        (Some(message), None) => Some(message),
        (None, far) => far,
    }
}

/// An end that fits the store.
fn fitting(end: End) -> End {
    let bytes = end.size();
    if bytes > MAX_RESULT { Lost::TooLong { bytes, most: MAX_RESULT }.into() } else { end }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{json, value::to_raw_value};

    #[test]
    fn progress_is_told_in_words() {
        for (params, text) in [
            (json!({"progress": 3, "total": 10, "message": "copying"}), Some("copying (3 of 10)")),
            (json!({"progress": 0.5}), Some("0.5")),
            (json!({"message": "almost"}), Some("almost")),
            (json!({}), None),
        ] {
            assert_eq!(progress(&to_raw_value(&params).unwrap()).as_deref(), text, "{params}");
        }
    }

    #[test]
    fn a_result_that_cannot_be_kept_fails_the_task_and_says_so() {
        let long = to_raw_value(&"x".repeat(MAX_RESULT)).unwrap();
        let End::Failed(error) = fitting(End::Completed(long)) else { panic!("it does not fit") };
        assert!(error.get().contains("was carried out"), "{error}");
        assert!(matches!(fitting(End::Cancelled), End::Cancelled));
    }
}
