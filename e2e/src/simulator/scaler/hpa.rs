//! The formula of the `HorizontalPodAutoscaler` (v2, its defaults) on calls in a pod, with our target.
//!
//! Kinder than life: its metric is exact and not old, where an adapter's is a scrape or two late.

use super::{Meter, Order, POLICY, Scaler, View, target, whole};
use std::{collections::VecDeque, time::Duration};

const SYNC: Duration = Duration::from_secs(15);
const TOLERANCE: f64 = 0.1;
const STABILISATION: Duration = Duration::from_mins(5);

/// The `HorizontalPodAutoscaler`.
#[derive(Debug, Default)]
pub(super) struct Hpa {
    meter: Meter,
    wanted: VecDeque<(Duration, u32)>,
}

impl Scaler for Hpa {
    fn name(&self) -> &'static str {
        "HPA"
    }

    fn period(&self) -> Duration {
        SYNC
    }

    fn look(&mut self, now: Duration, replicas: u32, pods: &[View]) -> Order {
        let need = self.meter.read(pods) / target();
        let ratio = need / f64::from(replicas.max(1));
        let wanted = if (ratio - 1.0).abs() <= TOLERANCE { replicas } else { whole(need) };
        let wanted = wanted.clamp(POLICY.min, POLICY.max);
        if self.wanted.is_empty() {
            // As the real one does: what there is when it starts counts as recommended.
            self.wanted.push_back((now, replicas));
        }
        self.wanted.push_back((now, wanted));
        while self.wanted.front().is_some_and(|(at, _)| now.saturating_sub(*at) > STABILISATION) {
            self.wanted.pop_front();
        }
        let most = self.wanted.iter().map(|(_, wanted)| *wanted).max().unwrap_or(replicas);
        let up = wanted.min((replicas * 2).max(replicas + 4));
        Order { replicas: if wanted > replicas { up } else { most.min(replicas) }, drain: Vec::new() }
    }
}
