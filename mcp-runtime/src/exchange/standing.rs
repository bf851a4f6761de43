//! The way to a client while it asks nothing: the notification stream that a legacy one may keep open.
//!
//! Whoever has an upstream's session that belongs to one client's keeps one of these, and asks through it what the upstream
//! wants to know when no call of that client runs. The transport opens it with each stream.

use super::{
    Answer, Question, Unanswered,
    caller::{BACKLOG, PATIENCE},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

/// A question, and where its answer goes.
pub type Asked = (Question, oneshot::Sender<Answer>);

/// The way to one client. Cheap to clone; all clones are the same way. By default it leads nowhere.
#[derive(Clone, Debug, Default)]
pub struct Standing(Arc<Mutex<Option<mpsc::Sender<Asked>>>>);

impl Standing {
    /// What is asked from now on, for a stream that has been opened. The one before it is asked nothing more.
    pub fn open(&self) -> mpsc::Receiver<Asked> {
        let (sender, asked) = mpsc::channel(BACKLOG);
        *self.lock() = Some(sender);
        asked
    }

    /// Asks the client and waits for its answer, for as long as a question within a call would. Check capabilities before.
    ///
    /// # Errors
    /// [`Unanswered`].
    pub async fn ask(&self, question: Question) -> Answer {
        let unheard = Unanswered::OutOfReach { method: question.method.clone() };
        let stream = self.lock().clone();
        let (reply, answer) = oneshot::channel();
        let sent = async { stream?.send((question, reply)).await.ok() }.await;
        if sent.is_none() {
            return Err(unheard);
        }
        timeout(PATIENCE, answer).await.ok().and_then(Result::ok).unwrap_or(Err(Unanswered::Gone))
    }

    /// Whether somebody else keeps it to ask through it.
    pub fn is_kept(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    /// Nothing that runs under the lock can fail.
    fn lock(&self) -> MutexGuard<'_, Option<mpsc::Sender<Asked>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::value::RawValue;

    fn question() -> Question {
        Question { method: "roots/list".into(), params: None }
    }

    fn unreached(answer: &Answer) -> bool {
        matches!(answer, Err(Unanswered::OutOfReach { .. }))
    }

    #[tokio::test]
    async fn the_newest_stream_is_asked_and_without_one_nobody() {
        let standing = Standing::default();
        assert!(unreached(&standing.ask(question()).await));
        let old = standing.open();
        let mut new = standing.open();
        let answered = async {
            let (_, reply) = new.recv().await.unwrap();
            reply.send(Ok(RawValue::from_string("{}".into()).unwrap())).unwrap();
        };
        let (answer, ()) = tokio::join!(standing.ask(question()), answered);
        assert_eq!(answer.unwrap().get(), "{}");
        drop((old, new));
        assert!(unreached(&standing.ask(question()).await));
    }

    #[tokio::test]
    async fn a_stream_that_ends_with_a_question_leaves_it_without_an_answer() {
        let standing = Standing::default();
        let mut asked = standing.open();
        let leaves = async {
            drop(asked.recv().await);
        };
        let (answer, ()) = tokio::join!(standing.ask(question()), leaves);
        assert!(matches!(answer, Err(Unanswered::Gone)), "{answer:?}");
    }
}
