//! Which edition of its list a server serves, for those who wait for the next.
//!
//! A swap of the snapshot is no news by itself: only a list that clients would read differently is. The eras' lists
//! differ in what they may hold, so each is counted by itself.

use super::Snapshot;
use mcpfleet_protocol::Era;
use std::mem::replace;
use tokio::sync::watch;

/// How often the list of each era has changed since the server was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edition {
    legacy: u64,
    modern: u64,
}

/// The current edition. Who subscribes is woken by changes only, and told when the server is gone.
#[derive(Debug, Default)]
pub struct Editions(watch::Sender<Edition>);

impl Edition {
    /// The edition that clients of `era` read.
    pub const fn of(self, era: Era) -> u64 {
        match era {
            Era::Legacy => self.legacy,
            Era::Modern => self.modern,
        }
    }

    /// The edition after the lists of those eras have changed.
    #[must_use]
    pub fn next(self, changed: impl Fn(Era) -> bool) -> Self {
        let after = |era| self.of(era) + u64::from(changed(era));
        Self { legacy: after(Era::Legacy), modern: after(Era::Modern) }
    }
}

impl Editions {
    /// `after` is served instead of `before`. Call it when `after` can be read already, so that nobody who is woken
    /// reads the old list.
    pub fn swapped(&self, before: &Snapshot, after: &Snapshot) {
        self.0.send_if_modified(|edition| {
            let next = edition.next(|era| before.list(era) != after.list(era));
            replace(edition, next) != next
        });
    }

    /// The current edition and all that follow, without a queue: a slow reader sees the last one.
    pub fn subscribe(&self) -> watch::Receiver<Edition> {
        self.0.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_era_counts_its_own_changes() {
        let edition = Edition::default();
        assert_eq!(edition.next(|_| false), edition);
        let next = edition.next(|era| era == Era::Modern);
        assert_eq!((next.of(Era::Legacy), next.of(Era::Modern)), (0, 1));
    }
}
