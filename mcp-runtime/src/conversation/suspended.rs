//! Work that waits for input of a modern client, between `input_required` and the retry.

use super::{
    Answered, Exchange,
    exchange::{Going, Origin},
    input::{PATIENCE, Sealed, Unusable, Waiting},
    task::Escalation,
};
use crate::seal::{self, Keyring, NotSealed};
use mcpfleet_protocol::{
    ErrorCode,
    answer::{Implementation, input_required},
    jsonrpc::Id,
    mrtr::InputResponses,
};
use std::{
    collections::HashMap,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{task::JoinHandle, time::sleep};

/// Most calls of one server that wait at once.
const MAX_PARKED: usize = 10_000;
/// Most of one caller. A call that waits keeps a session at its upstream, of which there are 64.
const MAX_OF_CALLER: usize = 48;
/// A place may be free when somebody answers or time is up, which no one can foresee.
const RETRY: Duration = Duration::from_secs(30);

/// The work of one server that waits.
#[derive(Debug)]
pub struct Suspended {
    keys: Arc<Keyring>,
    /// `ip:port` where peers reach this replica; empty when they cannot.
    own_address: String,
    server: Implementation,
    parked: Mutex<HashMap<[u8; 16], Parked>>,
}

/// Work that waits.
pub struct Parked {
    /// Whose it is.
    partition: [u8; 16],
    going: Going,
    waiting: Waiting,
}

impl fmt::Debug for Parked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parked").field("waiting", &self.waiting).finish_non_exhaustive()
    }
}

impl Parked {
    pub(super) fn new(going: Going, waiting: Waiting, partition: [u8; 16]) -> Self {
        let Going { work, events, deadline } = going;
        // Somebody must go on reading what the upstream sends meanwhile.
        let work = Box::pin(Background(tokio::spawn(work)));
        Self { partition, going: Going { work, events, deadline }, waiting }
    }
}

impl Suspended {
    /// Nothing waits yet.
    pub fn new(keys: Arc<Keyring>, own_address: String, server: Implementation) -> Arc<Self> {
        Arc::new(Self { keys, own_address, server, parked: Mutex::default() })
    }

    /// How many calls wait.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// Gives up all that waits: this process ends. Who brings input afterwards is told that it may have taken effect.
    pub fn end(&self) {
        let gone = std::mem::take(&mut *self.lock());
        drop(gone);
    }

    /// Whether a state speaks of this replica.
    pub fn is_here(&self, owner: &str) -> bool {
        owner == self.own_address
    }

    /// Keeps the work until the retry, or until the client's time is up, and gives the answer that asks the client.
    pub(super) fn park(self: &Arc<Self>, parked: Parked, origin: &Origin) -> Answered {
        let Ok((key, state)) = self.name(origin) else { return Answered::broken() };
        let result = input_required(Some(&parked.waiting.requests()), Some(&state), &self.server);
        if !self.keep(key, parked) {
            let why = "too many calls wait for input of their clients; this one was given up";
            return Answered::busy(&origin.id, why, RETRY);
        }
        let (here, id) = (Arc::downgrade(self), key);
        tokio::spawn(async move {
            sleep(PATIENCE).await;
            if let Some(here) = here.upgrade() {
                here.lock().remove(&id);
            }
        });
        Answered::success(&origin.id, &result)
    }

    /// A name for each round: a state is worth one retry.
    fn name(&self, origin: &Origin) -> Result<([u8; 16], String), NotSealed> {
        let key = seal::name()?;
        let sealed = Sealed::Suspended { key, owner: self.own_address.clone() };
        let partition = origin.client.principal.fingerprint();
        Ok((key, sealed.seal(&self.keys, partition, origin.digest)?))
    }

    fn keep(&self, key: [u8; 16], parked: Parked) -> bool {
        let mut all = self.lock();
        let of_caller = all.values().filter(|other| other.partition == parked.partition).count();
        let room = all.len() < MAX_PARKED && of_caller < MAX_OF_CALLER;
        if room {
            all.insert(key, parked);
        }
        room
    }

    /// The exchange goes on with what the client has brought.
    ///
    /// # Errors
    /// [`Unusable::Over`]: it has ended, or another retry was faster. Nothing is ever run twice.
    pub(super) fn resume(
        &self,
        key: [u8; 16],
        responses: &InputResponses<'_>,
        origin: Origin,
        escalation: Option<Escalation>,
    ) -> Result<Exchange, Unusable> {
        let Parked { going, mut waiting, .. } = self.lock().remove(&key).ok_or(Unusable::Over)?;
        waiting.answer(responses);
        Ok(Exchange::continued(going, waiting, origin, escalation))
    }

    /// The answer to a retry that cannot be used.
    pub fn refuse(id: &Id<'_>, why: Unusable) -> Answered {
        Answered::error(id, ErrorCode::InvalidParams, &why.to_string())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 16], Parked>> {
        self.parked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Work in a task of its own, which ends with this.
#[derive(Debug)]
struct Background(JoinHandle<Answered>);

impl Future for Background {
    type Output = Answered;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answered> {
        let ended = ready!(Pin::new(&mut self.0).poll(cx));
        // It is aborted only when nobody waits any more, so what is left is a panic.
        Poll::Ready(ended.unwrap_or_else(|_| Answered::broken()))
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.0.abort();
    }
}
