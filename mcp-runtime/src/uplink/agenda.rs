//! When to report, and whether there is anything to say. Pure: time and facts are handed in.
//!
//! | what | when |
//! |---|---|
//! | the state changed | [`COALESCE`] after the first change, so that what changes together is told together |
//! | calls begin to queue, a bound or `serving` changed | at once, but not within [`LEAST`] of the last report |
//! | calls run or wait, or have since the last report | [`BUSY`] after it |
//! | nothing | [`HEARTBEAT`] after the last report |

use super::news::Heard;
use mcpfleet_config::stream::{HEARTBEAT, Signals};
use std::time::Duration;
use tokio::time::Instant;

/// From the first change of the state to its report.
pub const COALESCE: Duration = Duration::from_millis(50);
/// Least time between two reports of load.
pub const LEAST: Duration = Duration::from_millis(100);
/// Time between two reports while there is load.
pub const BUSY: Duration = Duration::from_secs(1);

/// What is to be told, and since when.
#[derive(Clone, Copy, Debug)]
pub struct Agenda {
    sent: Instant,
    status: Option<Instant>,
    urgent: bool,
    busy: bool,
}

impl Agenda {
    /// A report went out just now.
    pub fn new(now: Instant) -> Self {
        Self { sent: now, status: None, urgent: false, busy: false }
    }

    /// There is news.
    pub fn hear(&mut self, heard: Heard, now: Instant) {
        if heard.status {
            self.status.get_or_insert(now);
        }
        self.urgent |= heard.urgent;
        self.busy |= heard.stirred;
    }

    /// When to look next.
    pub fn due(&self) -> Instant {
        let reasons = [
            Some(self.sent + HEARTBEAT),
            self.busy.then(|| self.sent + BUSY),
            self.urgent.then(|| self.sent + LEAST),
            self.status.map(|since| since + COALESCE),
        ];
        reasons.into_iter().flatten().min().unwrap_or(self.sent)
    }

    /// It is `now`: whether there is anything to say, when the state is another (`changed`) and the load has `moved`
    /// since the last report. Settles what was due.
    pub fn settle(&mut self, now: Instant, changed: Changed) -> bool {
        let heartbeat = now >= self.sent + HEARTBEAT;
        let busy = self.busy && now >= self.sent + BUSY;
        let urgent = self.urgent && now >= self.sent + LEAST;
        self.status = None;
        let send = heartbeat || changed.status || (changed.load && (busy || urgent));
        self.urgent &= !(urgent || send);
        if send {
            self.sent = now;
            self.busy = changed.load;
        } else if busy {
            self.busy = false;
        }
        send
    }

    /// A report of everything went out.
    pub fn sent(&mut self, now: Instant, load: bool) {
        *self = Self { busy: load, ..Self::new(now) };
    }

    /// Whether load is looked at without being told of.
    pub fn is_busy(&self) -> bool {
        self.busy
    }
}

/// What differs from the last report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// The state.
    pub status: bool,
    /// The load: see [`moved`].
    pub load: bool,
}

/// Whether anything ran or waited between two looks, or is at another level.
pub fn moved(before: &Signals, now: &Signals) -> bool {
    let same = Signals { uptime_ms: now.uptime_ms, ..*before };
    same != *now || now.running > 0 || now.queued > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOTHING: Changed = Changed { status: false, load: false };
    const LOAD: Changed = Changed { status: false, load: true };
    const STATUS: Changed = Changed { status: true, load: false };

    fn heard(status: bool, urgent: bool, stirred: bool) -> Heard {
        Heard { status, urgent, stirred }
    }

    fn due_in(agenda: &Agenda, now: Instant) -> u128 {
        agenda.due().saturating_duration_since(now).as_millis()
    }

    #[test]
    fn an_idle_process_says_nothing_but_its_heartbeat() {
        let start = Instant::now();
        let mut agenda = Agenda::new(start);
        assert_eq!(due_in(&agenda, start), 10_000);
        assert!(agenda.settle(start + HEARTBEAT, NOTHING));
        assert_eq!(due_in(&agenda, start + HEARTBEAT), 10_000);
    }

    #[test]
    fn a_change_of_state_waits_for_others_and_goes_with_them() {
        let start = Instant::now();
        let mut agenda = Agenda::new(start);
        agenda.hear(heard(true, false, false), start);
        agenda.hear(heard(true, false, false), start + Duration::from_millis(40));
        assert_eq!(due_in(&agenda, start), 50);
        assert!(agenda.settle(start + COALESCE, STATUS));
        // A word that turns out to be none is forgotten.
        agenda.hear(heard(true, false, false), start + COALESCE);
        assert!(!agenda.settle(start + COALESCE * 2, NOTHING));
        assert_eq!(due_in(&agenda, start + COALESCE), 10_000);
    }

    #[test]
    fn a_queue_is_told_at_once_but_not_ten_times_a_second() {
        let start = Instant::now();
        let mut agenda = Agenda::new(start);
        let later = start + Duration::from_secs(3);
        agenda.hear(heard(false, true, true), later);
        assert_eq!(due_in(&agenda, later), 0);
        assert!(agenda.settle(later, LOAD));
        agenda.hear(heard(false, true, true), later);
        assert_eq!(due_in(&agenda, later), 100);
    }

    #[test]
    fn load_is_told_each_second_and_once_after_it_has_ended() {
        let start = Instant::now();
        let mut agenda = Agenda::new(start);
        agenda.hear(heard(false, false, true), start);
        assert_eq!(due_in(&agenda, start), 1_000);
        assert!(agenda.settle(start + BUSY, LOAD));
        assert!(agenda.is_busy());
        assert_eq!(due_in(&agenda, start + BUSY), 1_000);
        assert!(!agenda.settle(start + BUSY * 2, NOTHING));
        assert!(!agenda.is_busy());
        assert_eq!(due_in(&agenda, start + BUSY), 10_000);
    }

    #[test]
    fn what_ran_in_between_has_moved_and_time_alone_has_not() {
        let before = Signals { uptime_ms: 5, finished: 1, ..Signals::default() };
        assert!(!moved(&before, &Signals { uptime_ms: 9, ..before }));
        assert!(moved(&before, &Signals { finished: 2, ..before }));
        // All calls are blocked: nothing is counted, and still they run.
        let blocked = Signals { running: 1, blocked: 1, ..before };
        assert!(moved(&blocked, &blocked));
    }

    proptest! {
        /// Whoever always looks when it is due sends each heartbeat, and load reports no closer than [`LEAST`].
        #[test]
        fn reports_are_neither_late_nor_too_many(
            words in prop::collection::vec((any::<(bool, bool, bool)>(), 0_u64..2_000, any::<bool>()), 1..60),
        ) {
            let start = Instant::now();
            let (mut agenda, mut now, mut last) = (Agenda::new(start), start, start);
            for ((status, urgent, stirred), wait, load) in words {
                now += Duration::from_millis(wait);
                while agenda.due() <= now {
                    let due = agenda.due().max(last);
                    if agenda.settle(due, Changed { status: false, load }) {
                        let apart = due - last;
                        prop_assert!(apart >= LEAST && apart <= HEARTBEAT, "{apart:?}");
                        last = due;
                    }
                    prop_assert!(agenda.due() > due, "it looks at the same moment for ever");
                }
                agenda.hear(heard(status, urgent, stirred), now);
            }
        }
    }
}
