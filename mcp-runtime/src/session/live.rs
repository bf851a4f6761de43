//! What this process holds of a session.

use super::SessionKey;
use crate::{
    exchange::{Answer, Standing, Unanswered},
    upstream::Interest,
};
use bytes::Bytes;
use mcpfleet_protocol::{
    jsonrpc::{Id, Outcome},
    server::LogLevel,
};
use std::time::Duration;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};
use tokio::{sync::oneshot, time::Instant};
use tokio_util::sync::CancellationToken;

/// Resources that one session may watch.
const MAX_SUBSCRIPTIONS: usize = 64;

/// A session that does something here, or has said something that is to be remembered.
#[derive(Debug)]
pub struct Live {
    /// Which session.
    pub key: SessionKey,
    /// The way to its client by the notification stream that is open.
    pub standing: Standing,
    state: Mutex<State>,
    ids: AtomicI64,
    used: Mutex<Instant>,
}

#[derive(Debug, Default)]
struct State {
    /// Nobody has said anything: the server decides.
    log_level: Option<LogLevel>,
    calls: HashMap<u64, (Id<'static>, CancellationToken)>,
    next_call: u64,
    questions: HashMap<Id<'static>, oneshot::Sender<Answer>>,
    subscriptions: BTreeMap<String, Option<Interest>>,
    /// Waits for the next chance to be said.
    notice: Option<Bytes>,
    /// Ends the notification stream that is open, when another takes its place.
    stream: CancellationToken,
}

/// A call of the session, known by the client's id as long as this lives.
#[derive(Debug)]
pub struct Running {
    live: Arc<Live>,
    place: u64,
    /// Cancelled when the client says so.
    pub cancelled: CancellationToken,
}

impl Live {
    pub(crate) fn new(key: SessionKey) -> Self {
        let (standing, state) = (Standing::default(), Mutex::default());
        Self { key, standing, state, ids: AtomicI64::new(0), used: Mutex::new(Instant::now()) }
    }

    /// Least severe log message that the client wants; none until it has said so.
    pub fn log_level(&self) -> Option<LogLevel> {
        self.lock().log_level
    }

    /// `logging/setLevel`.
    pub fn set_log_level(&self, level: LogLevel) {
        self.lock().log_level = Some(level);
    }

    /// Something that the client is to be told as soon as there is a stream to it. One at a time: the last counts.
    pub fn set_notice(&self, message: Bytes) {
        self.lock().notice = Some(message);
    }

    /// What the client is to be told, which is told once.
    pub fn take_notice(&self) -> Option<Bytes> {
        self.lock().notice.take()
    }

    /// Registers a call. Two may have the same id: a client's mistake is not to cost another call its answer.
    pub fn begin(self: &Arc<Self>, id: &Id<'_>) -> Running {
        let cancelled = CancellationToken::new();
        let mut state = self.lock();
        let place = state.next_call;
        state.next_call += 1;
        state.calls.insert(place, (id.clone().into_owned(), cancelled.clone()));
        Running { live: self.clone(), place, cancelled }
    }

    /// `notifications/cancelled`: ends the calls of that id; none is no mistake, it may just have ended.
    pub fn cancel(&self, id: &Id<'_>) {
        let state = self.lock();
        state.calls.values().filter(|(known, _)| known == id).for_each(|(_, call)| call.cancel());
    }

    /// A fresh id for a request to the client, whose answer goes to `reply`.
    pub fn expect(&self, reply: oneshot::Sender<Answer>) -> Id<'static> {
        // A string, so that no client can take it for an id of its own.
        let id = Id::string(&format!("mcpfleet-{}", self.ids.fetch_add(1, Ordering::Relaxed)));
        let mut state = self.lock();
        // Whoever asked and has given up since can be told nothing.
        state.questions.retain(|_, reply| !reply.is_closed());
        state.questions.insert(id.clone(), reply);
        id
    }

    /// The client's answer to one of our requests. `false` when there is no such request.
    pub fn answered(&self, id: &Id<'_>, outcome: &Outcome<'_>) -> bool {
        let Some(reply) = self.lock().questions.remove(&id.clone().into_owned()) else { return false };
        let answer = match outcome {
            Outcome::Result(result) => Ok((*result).to_owned()),
            Outcome::Error(error) => Err(Unanswered::Refused {
                code: error.code,
                message: error.message.clone().into_owned(),
                data: error.data.map(ToOwned::to_owned),
            }),
        };
        // Whoever asked may have given up meanwhile.
        let _ = reply.send(answer);
        true
    }

    /// A notification stream is opened: the one before it ends, so that no message stands on two ("The server MUST NOT
    /// broadcast the same message across multiple streams", 2025-11-25, transports, "Multiple Connections"). Cancelled
    /// when the next is opened, or the session ends.
    pub fn take_stream(&self) -> CancellationToken {
        let mut state = self.lock();
        let taken = CancellationToken::new();
        std::mem::replace(&mut state.stream, taken.clone()).cancel();
        taken
    }

    /// Watches a resource. `interest` keeps the upstream telling of it; none for one of our own.
    ///
    /// # Errors
    /// When [`MAX_SUBSCRIPTIONS`] are watched already.
    pub fn subscribe(&self, uri: &str, interest: Option<Interest>) -> Result<(), usize> {
        let mut state = self.lock();
        if state.subscriptions.len() >= MAX_SUBSCRIPTIONS && !state.subscriptions.contains_key(uri) {
            return Err(MAX_SUBSCRIPTIONS);
        }
        state.subscriptions.insert(uri.to_owned(), interest);
        Ok(())
    }

    /// Watches it no more.
    pub fn unsubscribe(&self, uri: &str) {
        let gone = self.lock().subscriptions.remove(uri);
        drop(gone);
    }

    /// Whether it watches a resource.
    pub fn watches(&self, uri: &str) -> bool {
        self.lock().subscriptions.contains_key(uri)
    }

    /// The resources that it watches.
    pub fn watched(&self) -> Vec<String> {
        self.lock().subscriptions.keys().cloned().collect()
    }

    /// Ends everything: the session was deleted.
    pub fn end(&self) {
        let mut state = self.lock();
        state.calls.values().for_each(|(_, call)| call.cancel());
        state.questions.clear();
        state.stream.cancel();
        let gone = std::mem::take(&mut state.subscriptions);
        drop(state);
        drop(gone);
    }

    /// Something was asked for in it.
    pub(super) fn touch(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// How long nothing has been asked for in it.
    pub(super) fn idle(&self) -> Duration {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    /// Whether nothing of it is under way: forgetting it would lose what the client has said once, no more.
    pub(super) fn is_quiet(&self) -> bool {
        let state = self.lock();
        state.calls.is_empty() && state.questions.values().all(oneshot::Sender::is_closed)
    }

    /// Whether forgetting it would lose nothing.
    pub(super) fn is_empty(&self) -> bool {
        let state = self.lock();
        state.log_level.is_none()
            && state.notice.is_none()
            && state.calls.is_empty()
            && state.questions.values().all(oneshot::Sender::is_closed)
            && state.subscriptions.is_empty()
            // An upstream may ask through it still.
            && !self.standing.is_kept()
    }

    /// The state stays sound at each unlock, so that a panic elsewhere cannot spoil it.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.live.lock().calls.remove(&self.place);
    }
}
