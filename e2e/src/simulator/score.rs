//! What callers and the bill saw.

use super::{pod::CONCURRENCY, trace::Trace};
use mcpfleet_operator::autoscale::UTILISATION;
use std::time::Duration;

/// How one scaler did on one trace.
#[derive(Clone, Debug, Default)]
pub struct Score {
    /// The scaler.
    pub scaler: &'static str,
    /// From when a call was first made until it ran, of each that ran; sorted.
    pub waits: Vec<Duration>,
    /// Calls that were refused for good.
    pub refused: u32,
    /// Calls that were cut while they ran or waited.
    pub cut: u32,
    /// Time that pods existed, together.
    pub pod_time: Duration,
    /// The number of pods, from when.
    pub replicas: Vec<(Duration, u32)>,
}

impl Score {
    /// The wait that this share of calls did not exceed.
    pub fn wait(&self, percent: usize) -> Duration {
        let at = (self.waits.len() * percent / 100).min(self.waits.len().saturating_sub(1));
        self.waits.get(at).copied().unwrap_or_default()
    }

    /// Share of calls that were refused for good, in percent.
    pub fn refused_percent(&self, trace: &Trace) -> f64 {
        100.0 * f64::from(self.refused)
            / f64::from(u32::try_from(trace.calls.len()).unwrap_or(u32::MAX).max(1))
    }

    /// Time of pods over that of an oracle, which has at each moment as many as run its calls at the utilisation
    /// that is aimed at.
    pub fn cost(&self, trace: &Trace) -> f64 {
        let work: Duration = trace.calls.iter().map(|call| call.service).sum();
        self.pod_time.as_secs_f64() * UTILISATION * f64::from(CONCURRENCY) / work.as_secs_f64()
    }

    /// How often the number of pods turned from rising to falling or back, an hour.
    pub fn flips_an_hour(&self, trace: &Trace) -> f64 {
        f64::from(self.flips()) * 3_600.0 / trace.length.as_secs_f64()
    }

    /// How often the number of pods turned from rising to falling or back.
    pub fn flips(&self) -> u32 {
        let moves: Vec<bool> = self.replicas.windows(2).map(|pair| pair[1].1 > pair[0].1).collect();
        u32::try_from(moves.windows(2).filter(|pair| pair[0] != pair[1]).count()).unwrap_or(u32::MAX)
    }
}
