//! What one pod did between two of its reports.

use mcpfleet_config::stream::Signals;

/// A stretch of one pod's time. Means are over the stretch, from the integrals that it reports, so that calls shorter
/// than the pause between two reports count for exactly what they are.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stretch {
    /// Calls that ran and were not blocked further down, on average.
    pub running: f64,
    /// Calls that waited for admission, on average.
    pub queued: f64,
    /// Calls that ended.
    pub finished: f64,
    /// Time that these ran, in s.
    pub service: f64,
    /// Calls that admission refused.
    pub refused: f64,
    /// Its length in s; 0 when nothing was reported since.
    pub seconds: f64,
}

/// What happened from `before` to `after`. Counters that went back are those of a new process: it began at 0. Without
/// a newer report the pod is as it was: it reports on change.
pub fn stretch(before: Option<&Signals>, after: &Signals) -> Stretch {
    let fresh = Signals::default();
    let before = before.filter(|before| before.uptime_ms <= after.uptime_ms).unwrap_or(&fresh);
    let millis = after.uptime_ms - before.uptime_ms;
    if millis == 0 {
        return Stretch { running: busy(after), queued: f64::from(after.queued), ..Stretch::default() };
    }
    let since = |now: u64, then: u64| precise(now.saturating_sub(then));
    let length = precise(millis);
    Stretch {
        running: since(after.running_ms, before.running_ms) / length,
        queued: since(after.queued_ms, before.queued_ms) / length,
        finished: since(after.finished, before.finished),
        service: since(after.service_ms, before.service_ms) / 1_000.0,
        refused: since(after.refused, before.refused),
        seconds: length / 1_000.0,
    }
}

/// Calls that run now and are not blocked further down: only these would gain from another pod.
pub fn busy(signals: &Signals) -> f64 {
    f64::from(signals.running.saturating_sub(signals.blocked))
}

/// Whether demand is larger than what can be seen of it: the queue is full, or nearly, or turns callers away.
pub fn is_saturated(signals: &Signals, stretch: &Stretch) -> bool {
    let full = signals.queue_length > 0 && f64::from(signals.queued) >= 0.9 * f64::from(signals.queue_length);
    full || stretch.refused > 0.0
}

/// Counters stay far below 2^52.
#[allow(clippy::cast_precision_loss)]
fn precise(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_calls_between_two_reports_are_not_missed() {
        let before = Signals { uptime_ms: 10_000, ..Signals::default() };
        let after = Signals { uptime_ms: 12_000, running_ms: 3_000, finished: 30, service_ms: 3_000, ..before };
        let stretch = stretch(Some(&before), &after);
        assert!((stretch.running - 1.5).abs() < 1e-9 && (stretch.service - 3.0).abs() < 1e-9);
    }

    #[test]
    fn a_restarted_process_is_no_negative_load() {
        let before = Signals { uptime_ms: 90_000, running_ms: 80_000, finished: 500, ..Signals::default() };
        let after = Signals { uptime_ms: 1_000, running_ms: 500, finished: 2, ..Signals::default() };
        let stretch = stretch(Some(&before), &after);
        assert!((stretch.running - 0.5).abs() < 1e-9 && (stretch.finished - 2.0).abs() < 1e-9);
    }

    #[test]
    fn a_pod_that_says_nothing_new_is_as_it_was() {
        let same = Signals { uptime_ms: 5, running: 4, blocked: 1, queued: 2, ..Signals::default() };
        let stretch = stretch(Some(&same), &same);
        assert!((stretch.running - 3.0).abs() < 1e-9 && (stretch.queued - 2.0).abs() < 1e-9);
    }
}
