//! Which edition of its lists a server serves, for those who wait for the next.
//!
//! A swap of the snapshot is no news by itself: only a list that clients would read differently is. The eras' lists
//! differ in what they may hold, so each is counted by itself.

use super::Snapshot;
use mcpfleet_protocol::{Era, client::ListKind, message::Change};
use std::mem::replace;
use tokio::sync::watch;

/// How often each list has changed since the server was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edition {
    counts: [[u64; KINDS]; 2],
}

const KINDS: usize = 3;
/// The lists behind each kind of notification. Templates have none of their own: `resources/list_changed` speaks of both.
const LISTS: [(Change<'static>, &[ListKind]); KINDS] = [
    (Change::Tools, &[ListKind::Tools]),
    (Change::Prompts, &[ListKind::Prompts]),
    (Change::Resources, &[ListKind::Resources, ListKind::ResourceTemplates]),
];

/// The current edition. Who subscribes is woken by changes only, and told when the server is gone.
#[derive(Debug, Default)]
pub struct Editions(watch::Sender<Edition>);

impl Edition {
    /// What has changed for clients of `era` since `earlier`.
    pub fn since(self, earlier: Self, era: Era) -> impl Iterator<Item = Change<'static>> {
        let (now, then) = (self.counts[row(era)], earlier.counts[row(era)]);
        LISTS
            .into_iter()
            .zip(now.into_iter().zip(then))
            .filter(|(_, (now, then))| now != then)
            .map(|((it, _), _)| it)
    }

    /// The edition after those lists have changed.
    #[must_use]
    pub fn next(mut self, changed: impl Fn(Era, &[ListKind]) -> bool) -> Self {
        for era in [Era::Legacy, Era::Modern] {
            for (count, (_, lists)) in self.counts[row(era)].iter_mut().zip(LISTS) {
                *count += u64::from(changed(era, lists));
            }
        }
        self
    }
}

const fn row(era: Era) -> usize {
    match era {
        Era::Legacy => 0,
        Era::Modern => 1,
    }
}

impl Editions {
    /// `after` is served instead of `before`. Call it when `after` can be read already, so that nobody who is woken
    /// reads the old list.
    pub fn swapped(&self, before: &Snapshot, after: &Snapshot) {
        self.0.send_if_modified(|edition| {
            let next =
                edition.next(|era, lists| lists.iter().any(|list| !before.lists_alike(after, *list, era)));
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
    fn each_era_and_each_list_counts_its_own_changes() {
        let edition = Edition::default();
        assert_eq!(edition.next(|_, _| false), edition);
        let next =
            edition.next(|era, lists| era == Era::Modern && lists.contains(&ListKind::ResourceTemplates));
        assert_eq!(next.since(edition, Era::Legacy).count(), 0);
        assert_eq!(next.since(edition, Era::Modern).collect::<Vec<_>>(), [Change::Resources]);
    }
}
