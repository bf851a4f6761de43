//! The bounded queue in front of execution.
//!
//! In: a call and its deadline. Out: a [`Permit`], held to the call's last byte, or an honest refusal that says when
//! to come back. [`line`] decides, this file waits. Bounds change live: they apply to whoever comes next, and nobody
//! who waits is lost. [`ledger`] keeps the account from which autoscaling is told its numbers.

pub mod ledger;
pub mod line;
pub mod service_time;
pub mod streams;

use crate::{telemetry::AdmissionMetrics, uplink::news::News};
use ledger::{Ledger, Levels};
use line::{Arrival, Line, Ticket};
use mcpfleet_config::{Admission as Bounds, stream::Signals};
use service_time::ServiceTime;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::oneshot, time::Instant};

/// The queue of one server.
#[derive(Debug)]
pub struct Admission {
    state: Mutex<State>,
    metrics: AdmissionMetrics,
    news: Arc<News>,
}

#[derive(Debug)]
struct State {
    line: Line<oneshot::Sender<Permit>>,
    /// Calls that run and wait for something further down.
    blocked: u32,
    ledger: Ledger,
    service_time: ServiceTime,
    queue_timeout: Duration,
}

/// The right to run one call. Dropping it lets the next one in.
#[derive(Debug)]
pub struct Permit {
    admission: Arc<Admission>,
    since: Instant,
}

/// While it lives, its call waits for something that more replicas would not give it: another call, a lock, a limit of
/// the far side.
#[derive(Debug)]
pub struct Blocked {
    admission: Arc<Admission>,
}

/// Why a call may not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// As many wait as may.
    QueueFull {
        /// When a place is likely.
        retry_after: Duration,
    },
    /// It waited as long as a call may.
    WaitedTooLong {
        /// When a place is likely.
        retry_after: Duration,
    },
    /// Its own deadline passed while it waited.
    DeadlinePassed,
}

impl Admission {
    /// An idle queue, which tells `news` of its load.
    pub fn new(bounds: &Bounds, metrics: AdmissionMetrics, news: Arc<News>) -> Arc<Self> {
        let state = State {
            line: Line::new(bounds),
            blocked: 0,
            ledger: Ledger::new(Instant::now()),
            service_time: ServiceTime::default(),
            queue_timeout: Duration::from_millis(bounds.queue_timeout_ms),
        };
        Arc::new(Self { state: Mutex::new(state), metrics, news })
    }

    /// New bounds for whoever comes next.
    pub fn set_bounds(self: &Arc<Self>, bounds: &Bounds) {
        let mut state = self.lock();
        state.queue_timeout = Duration::from_millis(bounds.queue_timeout_ms);
        state.line.set_bounds(bounds);
        self.wake(state, Instant::now());
        self.news.urgent();
    }

    /// The load as of `now`. What is not the queue's is left at its default.
    pub fn signals(&self, now: Instant) -> Signals {
        let mut state = self.lock();
        let levels = state.levels();
        state.ledger.set(now, levels);
        let (line, ledger) = (&state.line, &state.ledger);
        Signals {
            running: levels.running,
            blocked: levels.blocked,
            queued: levels.queued,
            running_ms: ledger.running_ms(),
            queued_ms: ledger.queued_ms(),
            finished: ledger.finished(),
            service_ms: ledger.service_ms(),
            refused: ledger.refused(),
            concurrency: line.concurrency(),
            queue_length: line.queue_length(),
            ..Signals::default()
        }
    }

    /// Waits for a permit, at most until `deadline`. Dropping the future gives the place up.
    pub async fn admit(self: &Arc<Self>, deadline: Option<Instant>) -> Result<Permit, Refused> {
        let arrived = Instant::now();
        let (mut permit, place, give_up) = match self.arrive(arrived)? {
            Entry::Runs(permit) => return Ok(permit),
            Entry::Waits { permit, place, give_up } => (permit, place, give_up),
        };
        let until = deadline.map_or(give_up, |deadline| deadline.min(give_up));
        let got = tokio::time::timeout_at(until, &mut permit).await;
        self.metrics.wait.observe(arrived.elapsed().as_secs_f64());
        drop(place);
        // It may have come at the very end.
        if let Ok(permit) = permit.try_recv() {
            return Ok(permit);
        }
        match got {
            Ok(Ok(permit)) => Ok(permit),
            _ if deadline == Some(until) => Err(Refused::DeadlinePassed),
            _ => Err(self.waited_too_long()),
        }
    }

    fn arrive(self: &Arc<Self>, now: Instant) -> Result<Entry, Refused> {
        let mut state = self.lock();
        match state.line.arrive() {
            Arrival::Runs => {
                self.publish(&mut state, now);
                self.metrics.wait.observe(0.0);
                Ok(Entry::Runs(Permit { admission: self.clone(), since: now }))
            }
            Arrival::Waits => {
                let (sender, permit) = oneshot::channel();
                let place = Place { ticket: state.line.wait(sender), admission: self.clone() };
                self.publish(&mut state, now);
                Ok(Entry::Waits { permit, place, give_up: now + state.queue_timeout })
            }
            Arrival::Refused => {
                state.ledger.refuse();
                self.news.stirred();
                Err(Refused::QueueFull { retry_after: state.retry_after() })
            }
        }
    }

    fn waited_too_long(&self) -> Refused {
        let mut state = self.lock();
        state.ledger.refuse();
        Refused::WaitedTooLong { retry_after: state.retry_after() }
    }

    fn release(self: &Arc<Self>, since: Instant) {
        let now = Instant::now();
        let took = now.saturating_duration_since(since);
        let mut state = self.lock();
        state.line.leave();
        state.service_time.record(took);
        state.ledger.finish(took);
        self.wake(state, now);
    }

    fn block(&self, change: impl FnOnce(u32) -> u32) {
        let mut state = self.lock();
        state.blocked = change(state.blocked);
        self.publish(&mut state, Instant::now());
    }

    /// Lets in whoever may run now.
    fn wake(self: &Arc<Self>, mut state: MutexGuard<'_, State>, now: Instant) {
        let mut next = Vec::new();
        while let Some(waiter) = state.line.promote() {
            next.push(waiter);
        }
        self.publish(&mut state, now);
        drop(state);
        for waiter in next {
            // Whoever is gone by now gives the permit back by dropping it, which needs the lock.
            drop(waiter.send(Permit { admission: self.clone(), since: now }));
        }
    }

    /// To be called after each change of a level, under the lock of that change.
    fn publish(&self, state: &mut State, now: Instant) {
        let (before, levels) = (state.ledger.levels(), state.levels());
        state.ledger.set(now, levels);
        self.metrics.in_flight.set(i64::from(levels.running));
        self.metrics.queued.set(i64::from(levels.queued));
        if before.queued == 0 && levels.queued > 0 {
            self.news.urgent();
        }
        self.news.stirred();
    }

    /// The state stays sound at each unlock, so that a panic elsewhere cannot spoil it.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn levels(&self) -> Levels {
        Levels { running: self.line.running(), blocked: self.blocked, queued: self.line.waiting() }
    }

    fn retry_after(&self) -> Duration {
        self.service_time.retry_after(self.line.waiting(), self.line.concurrency())
    }
}

enum Entry {
    Runs(Permit),
    Waits { permit: oneshot::Receiver<Permit>, place: Place, give_up: Instant },
}

/// A place in the line, given up when dropped.
struct Place {
    ticket: Ticket,
    admission: Arc<Admission>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.admission.lock();
        state.line.abandon(self.ticket);
        self.admission.publish(&mut state, Instant::now());
    }
}

impl Permit {
    /// Where another can be had.
    pub fn admission(&self) -> Arc<Admission> {
        self.admission.clone()
    }

    /// The call begins to wait for something further down, until the guard is dropped.
    pub fn blocked(&self) -> Blocked {
        self.admission.block(|blocked| blocked.saturating_add(1));
        Blocked { admission: self.admission.clone() }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.admission.release(self.since);
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        self.admission.block(|blocked| blocked.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests;
