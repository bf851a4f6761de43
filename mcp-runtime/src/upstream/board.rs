//! Where the workers write what they know, and callers read it: one slot for each upstream.
//!
//! A slot belongs to one turn of one worker. A worker that was replaced and has not stopped yet has an older turn, and
//! what it writes is dropped.

use super::{
    Definitions, Roster, again::Repeat, failure, known::Known, line::Line, remote::Remote, task::StopOnDrop,
    tools::pinnable, wanted::Wanted,
};
use crate::call::CallError;
use mcpfleet_config::Upstream;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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

/// A worker's right to its slot.
#[derive(Debug, Clone)]
pub(super) struct Turn {
    number: u64,
    /// Somebody has reason to believe that the upstream is not what it was.
    pub(super) check: Arc<Notify>,
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
                Some(slot) if slot.wanted.is_same_connection(wanted) => slot.renewed(wanted),
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
    pub(super) fn write(&self, name: &str, turn: &Turn, change: impl FnOnce(&mut Known, &Upstream)) {
        let mut slots = self.lock();
        if let Some(slot) = slots.by_name.get_mut(name).filter(|slot| slot.turn.number == turn.number) {
            change(&mut slot.known, &slot.wanted.upstream);
            self.publish(&slots);
        }
    }

    /// What a call to `upstream` goes through.
    pub(super) fn line(&self, upstream: &str) -> Result<Line, CallError> {
        let slots = self.lock();
        let slot = slots.by_name.get(upstream).ok_or_else(|| CallError::Unavailable {
            message: format!("upstream {upstream:?} is no longer part of this server; list the tools again"),
        })?;
        let remote = slot.known.remote.clone();
        Ok(Line {
            remote: remote.ok_or_else(|| failure::unreachable(upstream, slot.known.trouble()))?,
            check: slot.turn.check.clone(),
            repeat: Repeat::default(),
        })
    }

    /// The definitions of each upstream that pins can be about; or its state, for one that does not answer.
    pub(super) fn definitions(&self) -> Vec<Definitions> {
        let of = |(name, slot): (&String, &Slot)| {
            let listing = slot.known.listing().ok_or_else(|| slot.known.status(name));
            let given = listing.map(|listing| pinnable(&slot.wanted.upstream, &listing.tools));
            Definitions { upstream: name.clone(), given }
        };
        self.lock().by_name.iter().map(of).collect()
    }

    /// Every upstream that answers.
    pub(super) fn remotes(&self) -> Vec<Arc<Remote>> {
        self.lock().by_name.values().filter_map(|slot| slot.known.remote.clone()).collect()
    }

    /// Names of those that keep something for each session.
    pub(super) fn stateful(&self) -> Vec<String> {
        let slots = self.lock();
        let stateful = slots.by_name.iter().filter(|(_, slot)| {
            slot.known.remote.as_ref().is_some_and(|remote| remote.watching.is_stateful())
        });
        let mut names: Vec<String> = stateful.map(|(name, _)| name.clone()).collect();
        names.sort();
        names
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
            let changed = **current != roster;
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

impl Slot {
    /// The same connection, with other names, filters or pins for what comes from it.
    fn renewed(mut self, wanted: &Wanted) -> Self {
        self.wanted = wanted.clone();
        self.known.expose(&wanted.upstream);
        self
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
        known.expose(&wanted.upstream);
        let worker = match start(wanted, turn.clone()) {
            Ok(worker) => Some(StopOnDrop(worker)),
            Err(why) => {
                known = Known::unusable(why);
                None
            }
        };
        Slot { wanted: wanted.clone(), turn, _worker: worker, known }
    }

    fn roster(&self) -> Roster {
        let mut roster = Roster::default();
        for (name, slot) in &self.by_name {
            let Known { offers, greeting, .. } = &slot.known;
            roster.tools.extend_from_slice(&offers.tools);
            roster.prompts.extend_from_slice(&offers.prompts);
            roster.resources.extend_from_slice(&offers.resources);
            roster.templates.extend_from_slice(&offers.templates);
            roster.missing.extend_from_slice(&offers.missing);
            roster.about.extend(greeting.as_ref().map(|greeting| (name.clone(), greeting.about.clone())));
            roster.status.push(slot.known.status(name));
        }
        roster
    }
}
