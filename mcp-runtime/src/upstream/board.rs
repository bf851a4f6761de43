//! Where the workers write what they know, and callers read it: one slot for each upstream.
//!
//! A slot belongs to one turn of one worker. A worker that was replaced and has not stopped yet has an older turn, and
//! what it writes is dropped.

use super::{Roster, UpstreamTool, call_timeout, connection::Connection, failure, wanted::Wanted};
use crate::call::CallError;
use mcpfleet_config::status::{UpstreamState, UpstreamStatus};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};

/// All slots, and the roster that they make.
#[derive(Debug, Default)]
pub(super) struct Board {
    slots: Mutex<Slots>,
    roster: watch::Sender<Arc<Roster>>,
}

#[derive(Debug, Default)]
struct Slots {
    by_name: BTreeMap<String, Slot>,
    turns: u64,
}

#[derive(Debug)]
struct Slot {
    wanted: Wanted,
    turn: Turn,
    _worker: Option<StopOnDrop>,
    known: Known,
}

/// What is known of an upstream.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) state: UpstreamState,
    pub(super) message: Option<String>,
    pub(super) tools: Vec<UpstreamTool>,
    /// What calls go through; absent while there is nothing.
    pub(super) connection: Option<Arc<Connection>>,
}

/// A worker's right to its slot.
#[derive(Debug, Clone)]
pub(super) struct Turn {
    number: u64,
    /// Somebody has reason to believe that the upstream is not what it was.
    pub(super) check: Arc<Notify>,
}

/// What a call needs: the upstream as it was when the call began.
#[derive(Debug)]
pub struct Line {
    pub(super) connection: Arc<Connection>,
    pub(super) after: Duration,
    pub(super) check: Arc<Notify>,
}

#[derive(Debug)]
struct StopOnDrop(JoinHandle<()>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Known {
    fn nothing() -> Self {
        Self { state: UpstreamState::Connecting, message: None, tools: Vec::new(), connection: None }
    }
}

impl Board {
    /// Makes the slots those of `wanted`. `start` starts a worker, or says why there is no use in one.
    pub(super) fn apply(
        &self,
        wanted: &[Wanted],
        start: impl Fn(&Wanted, Turn) -> Result<JoinHandle<()>, String>,
    ) {
        let mut slots = self.lock();
        let mut before = std::mem::take(&mut slots.by_name);
        for wanted in wanted {
            let name = wanted.upstream.name.clone();
            let slot = match before.remove(&name) {
                Some(slot) if slot.wanted == *wanted => slot,
                old => slots.new_slot(wanted, old, &start),
            };
            slots.by_name.insert(name, slot);
        }
        self.publish(&slots);
    }

    /// Stops every worker and forgets what they knew.
    pub(super) fn clear(&self) {
        self.lock().by_name.clear();
    }

    /// Writes what a worker knows, unless its turn is over.
    pub(super) fn write(&self, name: &str, turn: &Turn, change: impl FnOnce(&mut Known)) {
        let mut slots = self.lock();
        if let Some(slot) = slots.by_name.get_mut(name).filter(|slot| slot.turn.number == turn.number) {
            change(&mut slot.known);
            self.publish(&slots);
        }
    }

    /// What a call to `upstream` goes through.
    pub(super) fn line(&self, upstream: &str) -> Result<Line, CallError> {
        let slots = self.lock();
        let slot = slots.by_name.get(upstream).ok_or_else(|| CallError::Unavailable {
            message: format!("upstream {upstream:?} is no longer part of this server; list the tools again"),
        })?;
        let connection = slot.known.connection.clone();
        Ok(Line {
            connection: connection
                .ok_or_else(|| failure::unreachable(upstream, slot.known.message.as_deref()))?,
            after: call_timeout(&slot.wanted.upstream),
            check: slot.turn.check.clone(),
        })
    }

    pub(super) fn roster(&self) -> Arc<Roster> {
        self.roster.borrow().clone()
    }

    pub(super) fn changed(&self) -> watch::Receiver<Arc<Roster>> {
        self.roster.subscribe()
    }

    /// Wakes those who wait only when something that they can see has changed.
    fn publish(&self, slots: &Slots) {
        let roster = slots.roster();
        self.roster.send_if_modified(|current| {
            let changed = !current.is_same(&roster);
            if changed {
                *current = Arc::new(roster);
            }
            changed
        });
    }

    /// Nothing that runs under the lock leaves a slot half written, so a poisoned one is as good as any.
    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slots {
    fn new_slot(
        &mut self,
        wanted: &Wanted,
        old: Option<Slot>,
        start: impl Fn(&Wanted, Turn) -> Result<JoinHandle<()>, String>,
    ) -> Slot {
        self.turns += 1;
        let turn = Turn { number: self.turns, check: Arc::default() };
        // With another credential or timeout it is still the same server: until the new connection stands, the old one
        // serves, so that rotating a token costs no call.
        let inherited = old.filter(|old| old.wanted.is_same_server(wanted)).map(|old| old.known.clone());
        let mut known = inherited.unwrap_or_else(Known::nothing);
        let worker = match start(wanted, turn.clone()) {
            Ok(worker) => Some(StopOnDrop(worker)),
            Err(why) => {
                known = Known { state: UpstreamState::Unreachable, message: Some(why), ..Known::nothing() };
                None
            }
        };
        Slot { wanted: wanted.clone(), turn, _worker: worker, known }
    }

    fn roster(&self) -> Roster {
        let status = |(name, slot): (&String, &Slot)| UpstreamStatus {
            name: name.clone(),
            state: slot.known.state,
            tools: u32::try_from(slot.known.tools.len()).unwrap_or(u32::MAX),
            message: slot.known.message.clone(),
        };
        Roster {
            tools: self.by_name.values().flat_map(|slot| slot.known.tools.clone()).collect(),
            status: self.by_name.iter().map(status).collect(),
        }
    }
}

impl Roster {
    fn is_same(&self, other: &Self) -> bool {
        let same = |(ours, theirs): (&UpstreamTool, &UpstreamTool)| {
            ours.upstream == theirs.upstream
                && ours.name == theirs.name
                && ours.exposed_name == theirs.exposed_name
                && ours.definition.get() == theirs.definition.get()
        };
        self.status == other.status
            && self.tools.len() == other.tools.len()
            && self.tools.iter().zip(&other.tools).all(same)
    }
}
