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
/// Notices that wait for one call of many; then they are lost.
const NOTICES: usize = 16;
/// Largest of them, in bytes.
pub(super) const MAX_NOTICE: usize = 64 * 1024;

/// The calls that run on a session.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    manner: Manner,
    state: Mutex<State>,
}

/// Whose calls they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Manner {
    /// One client's, which is asked what the server asks, and for which the stream waits.
    #[default]
    Own,
    /// Many clients', which must neither wait for each other nor hear of each other: each gets its answers, and of the
    /// rest what is marked as its own, as far as it keeps up.
    Shared,
}

#[derive(Debug, Default)]
struct State {
    /// The latest last.
    calls: Vec<Call>,
    stage: Stage,
}

#[derive(Debug)]
struct Call {
    id: Id<'static>,
    messages: mpsc::Sender<Bytes>,
    /// Room for the answer where others must not wait for this call; gone once it is there.
    room: Option<mpsc::OwnedPermit<Bytes>>,
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
    /// This call, which may take its time.
    Call(mpsc::Sender<Bytes>),
    /// The call whose answer this is.
    Room(mpsc::OwnedPermit<Bytes>),
    /// This call, unless it is behind.
    IfRoom(mpsc::Sender<Bytes>),
    /// No call: it is news of the server's, or a request that nobody can answer.
    Nobody,
}

impl Inbox {
    /// Without calls.
    pub(super) fn new(manner: Manner) -> Self {
        Self { manner, state: Mutex::default() }
    }

    /// A place for the answer to `id`, and for what comes before it.
    pub(super) fn enter(self: &Arc<Self>, id: &Id<'_>) -> Result<Place, ClientError> {
        let mut state = self.lock();
        if state.stage == Stage::Closed {
            // Nothing was sent yet, so a new session can carry it.
            return Err(ClientError::SessionExpired);
        }
        let (sender, messages) = match self.manner {
            Manner::Own => mpsc::channel(WAITING),
            Manner::Shared => mpsc::channel(NOTICES + 1),
        };
        let room = match self.manner {
            Manner::Own => None,
            // It is empty: there is room.
            Manner::Shared => sender.clone().try_reserve_owned().ok(),
        };
        let id = id.borrowed().into_owned();
        state.calls.push(Call { id: id.clone(), messages: sender, room });
        Ok(Place { inbox: self.clone(), id, messages })
    }

    /// Tells every call that nothing will come any more.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.stage = Stage::Closed;
        state.calls.clear();
    }

    /// Whom a message is for; an answer has a recipient once.
    pub(super) fn recipient(&self, message: &[u8]) -> Recipient {
        let Ok(message) = parse(message) else { return Recipient::Nobody };
        let mut state = self.lock();
        match (self.manner, address(&message)) {
            (_, Address::Nobody) | (Manner::Shared, Address::Whoever) => Recipient::Nobody,
            (Manner::Own, Address::Answer(id) | Address::Notice(id)) => {
                state.call(&id).map_or(Recipient::Nobody, |call| Recipient::Call(call.messages.clone()))
            }
            (Manner::Own, Address::Whoever) => {
                let call = state.calls.last();
                call.map_or(Recipient::Nobody, |call| Recipient::Call(call.messages.clone()))
            }
            (Manner::Shared, Address::Answer(id)) => {
                let room = state.call(&id).and_then(|call| call.room.take());
                room.map_or(Recipient::Nobody, Recipient::Room)
            }
            (Manner::Shared, Address::Notice(id)) => {
                state.call(&id).map_or(Recipient::Nobody, |call| Recipient::IfRoom(call.messages.clone()))
            }
        }
    }

    /// Nothing that runs under the lock leaves it half written.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn call(&mut self, id: &Id<'_>) -> Option<&mut Call> {
        self.calls.iter_mut().find(|call| call.id == *id)
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
        self.inbox.lock().calls.retain(|call| call.id != self.id);
    }
}

enum Address<'a> {
    Answer(Id<'a>),
    /// Something that comes before the answer.
    Notice(Id<'a>),
    /// The call that runs, when one does.
    Whoever,
    /// The server's own news.
    Nobody,
}

fn address<'a>(message: &Message<'a>) -> Address<'a> {
    match message {
        Message::Response { id: Some(id), .. } => Address::Answer(id.clone()),
        Message::Response { id: None, .. } | Message::Request { .. } => Address::Whoever,
        Message::Notification { method, params } => match method.as_ref() {
            "notifications/progress" => {
                let token = params.and_then(Members::read).and_then(|params| params.get("progressToken"));
                token.and_then(Id::read).map_or(Address::Nobody, Address::Notice)
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
            _ => None,
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

    #[test]
    fn of_many_each_gets_what_is_its_own_and_none_waits_for_another() {
        let inbox = Arc::new(Inbox::new(Manner::Shared));
        let mut slow = inbox.enter(&Id::number(1)).unwrap();
        let progress = br#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1}}"#;
        let answer = br#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
        let kept = (0..NOTICES + 5).filter(|_| match inbox.recipient(progress) {
            Recipient::IfRoom(call) => call.try_send(Bytes::from_static(b"p")).is_ok(),
            _ => false,
        });
        assert_eq!(kept.count(), NOTICES);
        let Recipient::Room(room) = inbox.recipient(answer) else { panic!("no room for the answer") };
        room.send(Bytes::from_static(b"a"));
        let came: Vec<Bytes> = std::iter::from_fn(|| slow.messages.try_recv().ok()).collect();
        assert_eq!((came.len(), came.last().unwrap().as_ref()), (NOTICES + 1, b"a".as_slice()));
        for message in [
            answer.as_slice(),
            br#"{"jsonrpc":"2.0","id":9,"method":"roots/list"}"#,
            br#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#,
        ] {
            assert!(matches!(inbox.recipient(message), Recipient::Nobody));
        }
    }
}
