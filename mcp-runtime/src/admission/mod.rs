//! The bounded queue in front of execution.
//!
//! In: a call and its deadline. Out: a [`Permit`], held to the call's last byte, or an honest refusal that says when
//! to come back. [`line`] decides, this file waits. Bounds change live: they apply to whoever comes next, and nobody
//! who waits is lost.

pub mod line;
pub mod service_time;
pub mod streams;

use crate::telemetry::AdmissionMetrics;
use line::{Arrival, Line, Ticket};
use mcpfleet_config::Admission as Bounds;
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
}

#[derive(Debug)]
struct State {
    line: Line<oneshot::Sender<Permit>>,
    service_time: ServiceTime,
    queue_timeout: Duration,
}

/// The right to run one call. Dropping it lets the next one in.
#[derive(Debug)]
pub struct Permit {
    admission: Arc<Admission>,
    since: Instant,
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
    /// An idle queue.
    pub fn new(bounds: &Bounds, metrics: AdmissionMetrics) -> Arc<Self> {
        let state = State {
            line: Line::new(bounds),
            service_time: ServiceTime::default(),
            queue_timeout: Duration::from_millis(bounds.queue_timeout_ms),
        };
        Arc::new(Self { state: Mutex::new(state), metrics })
    }

    /// New bounds for whoever comes next.
    pub fn set_bounds(self: &Arc<Self>, bounds: &Bounds) {
        let mut state = self.lock();
        state.queue_timeout = Duration::from_millis(bounds.queue_timeout_ms);
        state.line.set_bounds(bounds);
        self.wake(state);
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
        match got {
            Ok(Ok(permit)) => Ok(permit),
            _ if deadline == Some(until) => Err(Refused::DeadlinePassed),
            _ => Err(Refused::WaitedTooLong { retry_after: self.retry_after() }),
        }
    }

    fn arrive(self: &Arc<Self>, now: Instant) -> Result<Entry, Refused> {
        let mut state = self.lock();
        match state.line.arrive() {
            Arrival::Runs => {
                self.publish(&state);
                self.metrics.wait.observe(0.0);
                Ok(Entry::Runs(Permit { admission: self.clone(), since: now }))
            }
            Arrival::Waits => {
                let (sender, permit) = oneshot::channel();
                let place = Place { ticket: state.line.wait(sender), admission: self.clone() };
                self.publish(&state);
                Ok(Entry::Waits { permit, place, give_up: now + state.queue_timeout })
            }
            Arrival::Refused => Err(Refused::QueueFull { retry_after: state.retry_after() }),
        }
    }

    fn retry_after(&self) -> Duration {
        self.lock().retry_after()
    }

    fn release(self: &Arc<Self>, took: Duration) {
        let mut state = self.lock();
        state.line.leave();
        state.service_time.record(took);
        self.wake(state);
    }

    /// Lets in whoever may run now.
    fn wake(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        let mut next = Vec::new();
        while let Some(waiter) = state.line.promote() {
            next.push(waiter);
        }
        self.publish(&state);
        drop(state);
        for waiter in next {
            // Whoever is gone by now gives the permit back by dropping it, which needs the lock.
            drop(waiter.send(Permit { admission: self.clone(), since: Instant::now() }));
        }
    }

    fn publish(&self, state: &State) {
        self.metrics.in_flight.set(i64::from(state.line.running()));
        self.metrics.queued.set(i64::from(state.line.waiting()));
    }

    /// The state stays sound at each unlock, so that a panic elsewhere cannot spoil it.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
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
        self.admission.publish(&state);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.admission.release(self.since.elapsed());
    }
}

#[cfg(test)]
mod tests;
