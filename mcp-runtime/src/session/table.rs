//! The sessions that this process holds something of, and those that have ended.

use super::{Live, SessionKey, Ticket, ticket::LIFETIME};
use crate::seal::{Keyring, NotSealed, Purpose};
use mcpfleet_protocol::header::SessionId;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Most tombstones. The oldest is forgotten first: a deleted session that comes back then would be taken again, which
/// costs nobody anything, for it holds nothing.
const MAX_TOMBSTONES: usize = 100_000;
/// Most sessions of which something is held. Above it the first that has nothing under way loses its log level and its
/// subscriptions.
const MAX_LIVE: usize = 20_000;
/// A session with nothing under way, and no stream, in which nothing was asked for so long has been left: what it watches
/// is watched no more.
const LEFT: Duration = Duration::from_mins(30);
/// How many sessions are looked at for something to forget whenever one is used.
const SWEEP: usize = 2;

/// Sessions of one server.
#[derive(Debug)]
pub struct Sessions {
    keys: Arc<Keyring>,
    /// `namespace/name`: servers of one process share its keys, not their sessions.
    server: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    live: HashMap<SessionKey, Arc<Live>>,
    /// To be looked at in turn.
    turn: VecDeque<SessionKey>,
    ended: HashMap<SessionKey, Instant>,
    ended_in_order: VecDeque<SessionKey>,
}

/// There is no such session (any more): 404.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

impl Sessions {
    /// No session yet.
    pub fn new(keys: Arc<Keyring>, server: String) -> Self {
        Self { keys, server, state: Mutex::default() }
    }

    /// The id of a new session.
    ///
    /// # Errors
    /// The cryptographic library failed.
    pub fn seal(&self, ticket: &Ticket) -> Result<String, NotSealed> {
        let name = self.server.as_bytes();
        self.keys.seal(Purpose::Session, &[&ticket.to_bytes()[..], b" ", name].concat())
    }

    /// The session that an id names, for a caller of `partition`.
    ///
    /// # Errors
    /// [`Gone`] when it was not sealed with our keys, is another principal's, was deleted or is too old. Which of these
    /// is nobody's business but ours.
    pub fn open(&self, id: &SessionId, partition: &[u8; 16]) -> Result<Ticket, Gone> {
        let bytes = self.keys.open(Purpose::Session, id.as_str()).map_err(|_| Gone)?;
        let own = bytes.strip_suffix(self.server.as_bytes()).and_then(|bytes| bytes.strip_suffix(b" "));
        let ticket = own.and_then(Ticket::from_bytes).ok_or(Gone)?;
        let usable = ticket.partition == *partition && !ticket.is_over();
        if usable && !self.lock().ended.contains_key(&ticket.key) { Ok(ticket) } else { Err(Gone) }
    }

    /// What this process holds of a session; empty when that is nothing yet.
    pub fn live(&self, key: SessionKey) -> Arc<Live> {
        let mut state = self.lock();
        state.sweep();
        if let Some(live) = state.live.get(&key) {
            live.touch();
            return live.clone();
        }
        let live = Arc::new(Live::new(key));
        state.live.insert(key, live.clone());
        state.turn.push_back(key);
        live
    }

    /// What this process holds of a session, if anything.
    pub fn find(&self, key: SessionKey) -> Option<Arc<Live>> {
        self.lock().live.get(&key).cloned()
    }

    /// Whether it was deleted, as far as this process knows.
    pub fn is_ended(&self, key: SessionKey) -> bool {
        self.lock().ended.contains_key(&key)
    }

    /// Whether nothing of it is under way here.
    pub fn is_quiet(&self, key: SessionKey) -> bool {
        self.find(key).is_none_or(|live| live.is_quiet())
    }

    /// The session was deleted: nothing of it goes on, and its id is worth nothing.
    pub fn end(&self, key: SessionKey) {
        let mut state = self.lock();
        let live = state.live.remove(&key);
        state.bury(key);
        drop(state);
        if let Some(live) = live {
            live.end();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Forgets what holds nothing. Two are looked at whenever one is used, so the table stays within what is in use.
    fn sweep(&mut self) {
        for _ in 0..SWEEP.min(self.turn.len()) {
            let Some(key) = self.turn.pop_front() else { return };
            let full = self.live.len() >= MAX_LIVE;
            let idle = self.live.get(&key).is_some_and(|live| {
                let left = full || live.idle() >= LEFT;
                Arc::strong_count(live) == 1 && (live.is_empty() || (left && live.is_quiet()))
            });
            if idle {
                self.live.remove(&key);
            } else if self.live.contains_key(&key) {
                self.turn.push_back(key);
            }
        }
    }

    fn bury(&mut self, key: SessionKey) {
        let now = Instant::now();
        if self.ended.insert(key, now).is_none() {
            self.ended_in_order.push_back(key);
        }
        while let Some(oldest) = self.ended_in_order.front().copied() {
            let over = self.ended.get(&oldest).is_none_or(|at| now.duration_since(*at) >= LIFETIME);
            if !over && self.ended_in_order.len() <= MAX_TOMBSTONES {
                return;
            }
            self.ended_in_order.pop_front();
            self.ended.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mcpfleet_protocol::{ClientCapabilities, Revision, jsonrpc::Id};

    fn ticket(partition: u8) -> Ticket {
        Ticket::new(Revision::LATEST_LEGACY, ClientCapabilities::default(), [partition; 16], "").unwrap()
    }

    fn sessions() -> Sessions {
        Sessions::new(Keyring::random().unwrap(), "agents/support".into())
    }

    #[test]
    fn a_session_is_its_principals_until_it_is_deleted() {
        let sessions = sessions();
        let ticket = ticket(1);
        let id = SessionId::parse(&sessions.seal(&ticket).unwrap()).unwrap();
        assert_eq!(sessions.open(&id, &[1; 16]), Ok(ticket.clone()));
        assert_eq!(sessions.open(&id, &[2; 16]), Err(Gone));
        sessions.end(ticket.key);
        assert_eq!(sessions.open(&id, &[1; 16]), Err(Gone));
        let forged = SessionId::parse("forged").unwrap();
        assert_eq!(sessions.open(&forged, &[1; 16]), Err(Gone));
    }

    #[test]
    fn what_holds_nothing_is_forgotten_as_others_come() {
        let sessions = sessions();
        for _ in 0..1000 {
            drop(sessions.live(crate::seal::name().unwrap()));
        }
        assert!(sessions.lock().live.len() <= 3, "{}", sessions.lock().live.len());
        let kept = sessions.live([7; 16]);
        let _running = kept.begin(&Id::number(1));
        for _ in 0..100 {
            drop(sessions.live(crate::seal::name().unwrap()));
        }
        assert!(Arc::ptr_eq(&kept, &sessions.live([7; 16])));
    }

    #[test]
    fn a_cancel_reaches_every_call_of_that_id_and_no_other() {
        let live = Arc::new(Live::new([0; 16]));
        let (first, again, other) =
            (live.begin(&Id::number(1)), live.begin(&Id::number(1)), live.begin(&Id::number(2)));
        live.cancel(&Id::number(1));
        let cancelled = [first, again, other].map(|call| call.cancelled.is_cancelled());
        assert_eq!(cancelled, [true, true, false]);
        assert!(live.is_empty());
    }
}
