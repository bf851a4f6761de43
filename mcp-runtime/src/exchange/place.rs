//! A request's place in execution and its time, both of which stand still while its client is asked something.

use super::Elapsed;
use crate::admission::{Admission, Blocked, Permit};
use std::{
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

/// The place of one request.
#[derive(Debug, Default)]
pub(super) struct Place {
    held: Mutex<Held>,
    clock: watch::Sender<Clock>,
}

#[derive(Debug, Default)]
enum Held {
    /// It never had one.
    #[default]
    Nothing,
    Permit(Permit),
    /// Given back; this is where to ask for another.
    Aside(Arc<Admission>),
}

/// When a deadline counts.
#[derive(Clone, Copy, Debug, Default)]
struct Clock {
    /// Questions that are open.
    open: u32,
    since: Option<Instant>,
    /// Time in which questions were open, all together.
    stood: Duration,
    /// Whether there is no deadline any more.
    lifted: bool,
}

/// A question is open as long as this lives.
pub(super) struct Aside<'a>(&'a Place);

impl Place {
    pub(super) fn hold(&self, permit: Permit) {
        *self.lock() = Held::Permit(permit);
    }

    pub(super) fn release(&self) -> Option<Permit> {
        match std::mem::take(&mut *self.lock()) {
            Held::Permit(permit) => Some(permit),
            Held::Nothing | Held::Aside(_) => None,
        }
    }

    pub(super) fn blocked(&self) -> Option<Blocked> {
        match &*self.lock() {
            Held::Permit(permit) => Some(permit.blocked()),
            Held::Nothing | Held::Aside(_) => None,
        }
    }

    /// Stops the clock and lets another request in.
    pub(super) fn aside(&self) -> Aside<'_> {
        self.clock.send_modify(|clock| {
            clock.open += 1;
            clock.since.get_or_insert_with(Instant::now);
        });
        let mut held = self.lock();
        if let Held::Permit(permit) = &*held {
            *held = Held::Aside(permit.admission());
        }
        Aside(self)
    }

    /// Waits for a place again, when there was one. Work that has begun is not given up for want of room: when the queue
    /// takes nobody it goes on without a place.
    pub(super) async fn back(&self) {
        // Another question is open still: its answer brings the place back.
        if self.clock.borrow().open > 1 {
            return;
        }
        let admission = match &*self.lock() {
            Held::Aside(admission) => admission.clone(),
            Held::Nothing | Held::Permit(_) => return,
        };
        if let Ok(permit) = admission.admit(None).await {
            let mut held = self.lock();
            // Another question's answer may have been faster; then this place is free again.
            if !matches!(*held, Held::Permit(_)) {
                *held = Held::Permit(permit);
            }
        }
    }

    /// From now on the request may take as long as it takes.
    pub(super) fn lift_deadline(&self) {
        self.clock.send_modify(|clock| clock.lifted = true);
    }

    pub(super) async fn within<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = T>,
    ) -> Result<T, Elapsed> {
        let begun = Instant::now();
        let mut clock = self.clock.subscribe();
        let mut work = pin!(work);
        loop {
            let Clock { open, stood, lifted, .. } = *clock.borrow_and_update();
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                () = sleep_until(begun + limit + stood), if open == 0 && !lifted => return Err(Elapsed),
                // The clock lives as long as this place does.
                _ = clock.changed() => {}
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Aside<'_> {
    fn drop(&mut self) {
        self.0.clock.send_modify(|clock| {
            clock.open -= 1;
            if clock.open == 0
                && let Some(since) = clock.since.take()
            {
                clock.stood += since.elapsed();
            }
        });
    }
}
