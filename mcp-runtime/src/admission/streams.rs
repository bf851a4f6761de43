//! The budget of notification streams. They do no work and last for hours, so they take no call's place; they have a
//! bound of their own.

use crate::uplink::news::News;
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU32, Ordering},
};
use tokio_util::sync::CancellationToken;

/// The notification streams of one server.
#[derive(Debug)]
pub struct Streams {
    max: AtomicU32,
    open: AtomicU32,
    /// Cancelled while the server drains; a new one takes its place when it serves again.
    ending: Mutex<CancellationToken>,
    news: Arc<News>,
}

/// The right to keep one stream open. Dropping it gives the place back.
#[derive(Debug)]
pub struct StreamPermit {
    streams: Arc<Streams>,
    ending: CancellationToken,
}

impl Streams {
    /// None open, and at most `max`.
    pub fn new(max: u32) -> Arc<Self> {
        Self::telling(max, Arc::default())
    }

    /// The same, and `news` is told how many there are.
    pub fn telling(max: u32, news: Arc<News>) -> Arc<Self> {
        let (max, open) = (AtomicU32::new(max), AtomicU32::new(0));
        Arc::new(Self { max, open, ending: Mutex::default(), news })
    }

    /// Another bound for whoever comes next; those that are open stay.
    pub fn set_max(&self, max: u32) {
        self.max.store(max, Ordering::Relaxed);
        self.news.urgent();
    }

    /// The bound.
    pub fn max(&self) -> u32 {
        self.max.load(Ordering::Relaxed)
    }

    /// Streams that are open.
    pub fn count(&self) -> u32 {
        self.open.load(Ordering::SeqCst)
    }

    /// A place, or `None` when all are taken.
    pub fn open(self: &Arc<Self>) -> Option<StreamPermit> {
        let max = self.max();
        let one_more = |open: u32| (open < max).then(|| open + 1);
        self.open.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_more).ok()?;
        self.news.stirred();
        Some(StreamPermit { streams: self.clone(), ending: self.ending().clone() })
    }

    /// Tells every open stream to end. One that is opened meanwhile is told at once.
    pub fn drain(&self) {
        self.ending().cancel();
    }

    /// Streams may stay open again.
    pub fn undrain(&self) {
        let mut ending = self.ending();
        if ending.is_cancelled() {
            *ending = CancellationToken::new();
        }
    }

    fn ending(&self) -> MutexGuard<'_, CancellationToken> {
        self.ending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StreamPermit {
    /// Waits until the stream is to end by its protocol's own goodbye.
    pub async fn drained(&self) {
        self.ending.cancelled().await;
    }

    /// The same as a signal that can be kept.
    pub fn ending(&self) -> &CancellationToken {
        &self.ending
    }
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        self.streams.open.fetch_sub(1, Ordering::SeqCst);
        self.streams.news.stirred();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[test]
    fn there_are_as_many_as_may_be_and_a_closed_one_makes_room() {
        let streams = Streams::new(2);
        let first = streams.open().unwrap();
        let _second = streams.open().unwrap();
        assert!(streams.open().is_none());
        assert_eq!(streams.count(), 2);
        drop(first);
        assert!(streams.open().is_some());
        assert_eq!(streams.count(), 1);
    }

    #[test]
    fn a_lower_bound_closes_nobody_and_lets_nobody_in() {
        let streams = Streams::new(2);
        let held = [streams.open().unwrap(), streams.open().unwrap()];
        streams.set_max(1);
        assert_eq!(streams.count(), 2);
        let [_one, other] = held;
        drop(other);
        assert!(streams.open().is_none());
    }

    #[test]
    fn a_drain_reaches_those_that_are_open_and_those_that_come_until_it_is_over() {
        let streams = Streams::new(3);
        let before = streams.open().unwrap();
        assert!(before.drained().now_or_never().is_none());
        streams.drain();
        let meanwhile = streams.open().unwrap();
        assert!(before.drained().now_or_never().is_some());
        assert!(meanwhile.drained().now_or_never().is_some());
        streams.undrain();
        assert!(streams.open().unwrap().drained().now_or_never().is_none());
        assert!(before.drained().now_or_never().is_some());
    }
}
