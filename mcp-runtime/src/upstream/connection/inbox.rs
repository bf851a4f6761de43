//! Messages that come beside the answers: on a session's own stream, where nothing says which call they belong to but
//! an id, a progress token, or that one call runs.

use super::ClientError;
use bytes::Bytes;
use mcpfleet_protocol::{
    json::Members,
    jsonrpc::{Id, Message, parse},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;

/// Messages that wait for one call. Each may be of the largest size, so they are few; then the stream waits.
const WAITING: usize = 1;

/// The calls that run on a session.
#[derive(Debug, Default)]
pub(super) struct Inbox(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The latest last.
    calls: Vec<(Id<'static>, mpsc::Sender<Bytes>)>,
    stage: Stage,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Open,
    /// The stream is gone: nothing will come any more.
    Closed,
}

/// One call's place. Left when dropped.
#[derive(Debug)]
pub(super) struct Place {
    inbox: Arc<Inbox>,
    id: Id<'static>,
    messages: mpsc::Receiver<Bytes>,
}

/// Whom a message is for.
#[derive(Debug)]
pub(super) enum Recipient {
    Call(mpsc::Sender<Bytes>),
    /// No call: it is news of the server's, or a request that nobody can answer.
    Nobody,
}

impl Inbox {
    /// A place for the answer to `id`, and for what comes before it.
    pub(super) fn enter(self: &Arc<Self>, id: &Id<'_>) -> Result<Place, ClientError> {
        let mut state = self.lock();
        if state.stage == Stage::Closed {
            // Nothing was sent yet, so a new session can carry it.
            return Err(ClientError::SessionExpired);
        }
        let (sender, messages) = mpsc::channel(WAITING);
        let id = id.borrowed().into_owned();
        state.calls.push((id.clone(), sender));
        Ok(Place { inbox: self.clone(), id, messages })
    }

    /// Tells every call that nothing will come any more.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.stage = Stage::Closed;
        state.calls.clear();
    }

    pub(super) fn recipient(&self, message: &[u8]) -> Recipient {
        let Ok(message) = parse(message) else { return Recipient::Nobody };
        let state = self.lock();
        let call = match address(&message) {
            Address::Call(id) => state.calls.iter().find(|(call, _)| *call == id),
            Address::Whoever => state.calls.last(),
            Address::Nobody => None,
        };
        call.map_or(Recipient::Nobody, |(_, sender)| Recipient::Call(sender.clone()))
    }

    /// Nothing that runs under the lock leaves it half written.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// The next message; `None` when the stream is gone. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        self.messages.recv().await
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.inbox.lock().calls.retain(|(id, _)| *id != self.id);
    }
}

enum Address<'a> {
    Call(Id<'a>),
    /// The call that runs, when one does.
    Whoever,
    /// The server's own news.
    Nobody,
}

fn address<'a>(message: &Message<'a>) -> Address<'a> {
    match message {
        Message::Response { id: Some(id), .. } => Address::Call(id.clone()),
        Message::Response { id: None, .. } | Message::Request { .. } => Address::Whoever,
        Message::Notification { method, params } => match method.as_ref() {
            "notifications/progress" => {
                let token = params.and_then(Members::read).and_then(|params| params.get("progressToken"));
                token.and_then(Id::read).map_or(Address::Nobody, Address::Call)
            }
            method if super::news::is_news(method) => Address::Nobody,
            _ => Address::Whoever,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipient(inbox: &Inbox, message: &str) -> Option<mpsc::Sender<Bytes>> {
        match inbox.recipient(message.as_bytes()) {
            Recipient::Call(sender) => Some(sender),
            Recipient::Nobody => None,
        }
    }

    #[test]
    fn answers_and_progress_find_their_call_and_the_rest_the_latest() {
        let inbox = Arc::new(Inbox::default());
        let mut first = inbox.enter(&Id::number(1)).unwrap();
        let mut second = inbox.enter(&Id::number(2)).unwrap();
        let progress = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1}}"#;
        for (message, for_first) in [
            (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, true),
            (progress, true),
            (r#"{"jsonrpc":"2.0","id":1,"method":"roots/list"}"#, false),
            (r#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#, false),
        ] {
            recipient(&inbox, message).unwrap().try_send(Bytes::new()).unwrap();
            assert_eq!(
                (first.messages.try_recv().is_ok(), second.messages.try_recv().is_ok()),
                (for_first, !for_first)
            );
        }
        for message in [
            r#"{"jsonrpc":"2.0","id":3,"result":{}}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#,
            "garbage",
        ] {
            assert!(recipient(&inbox, message).is_none(), "{message}");
        }
    }

    #[test]
    fn who_leaves_gets_nothing_and_who_comes_too_late_is_told() {
        let inbox = Arc::new(Inbox::default());
        drop(inbox.enter(&Id::number(1)).unwrap());
        assert!(recipient(&inbox, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#).is_none());
        let mut waiting = inbox.enter(&Id::number(2)).unwrap();
        inbox.close();
        assert!(matches!(waiting.messages.try_recv(), Err(mpsc::error::TryRecvError::Disconnected)));
        assert!(matches!(inbox.enter(&Id::number(3)), Err(ClientError::SessionExpired)));
    }
}
