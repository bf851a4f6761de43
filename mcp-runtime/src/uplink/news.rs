//! Tells the uplink that there is something to report, without costing those who tell anything while it knows already.
//!
//! Every part of the runtime may tell; one task listens. Without an operator nobody listens, and a word is a flag that
//! stays set.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use tokio::sync::Notify;

/// What has changed since somebody looked.
#[derive(Debug, Default)]
pub struct News {
    status: AtomicBool,
    urgent: AtomicBool,
    /// Set while the listener sleeps through to the next heartbeat, and load is to wake it.
    dozing: AtomicBool,
    wake: Notify,
}

/// What a look found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// The state may be another.
    pub status: bool,
    /// The load changed in a way that matters at once.
    pub urgent: bool,
    /// There is load, or has been since [`News::doze`].
    pub stirred: bool,
}

impl News {
    /// The state may be another: configuration, readiness, upstreams, certificate.
    pub fn status(&self) {
        if !self.status.swap(true, SeqCst) {
            self.wake.notify_one();
        }
    }

    /// Calls begin to queue, a bound changed, or new clients are taken no more.
    pub fn urgent(&self) {
        if !self.urgent.swap(true, SeqCst) {
            self.wake.notify_one();
        }
    }

    /// The load changed. Called for each call: costs a read unless the listener dozes.
    pub fn stirred(&self) {
        if self.dozing.load(SeqCst) && self.dozing.swap(false, SeqCst) {
            self.wake.notify_one();
        }
    }

    /// From now on load is to wake the listener. It must look at the load once more after this: what changed before is
    /// not told.
    pub fn doze(&self) {
        self.dozing.store(true, SeqCst);
    }

    /// Looks, and forgets, but for the load: that is told of until the next [`News::doze`].
    pub fn take(&self) -> Heard {
        Heard {
            status: self.status.swap(false, SeqCst),
            urgent: self.urgent.swap(false, SeqCst),
            stirred: !self.dozing.load(SeqCst),
        }
    }

    /// Waits until there is something. Cancellation safe.
    pub async fn arrive(&self) {
        self.wake.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    fn woken(news: &News) -> bool {
        news.arrive().now_or_never().is_some()
    }

    #[test]
    fn many_words_wake_once_and_are_heard_once() {
        let news = News::default();
        (0..3).for_each(|_| news.status());
        news.urgent();
        assert!(woken(&news));
        assert!(!woken(&news));
        let heard = news.take();
        assert!(heard.status && heard.urgent);
        let again = news.take();
        assert!(!again.status && !again.urgent);
    }

    #[test]
    fn load_wakes_only_a_listener_that_dozes() {
        let news = News::default();
        news.stirred();
        assert!(!woken(&news));
        news.doze();
        assert!(!news.take().stirred);
        news.stirred();
        news.stirred();
        assert!(woken(&news));
        assert!(!woken(&news));
        assert!(news.take().stirred);
    }
}
