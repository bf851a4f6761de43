//! The formula of Knative's pod autoscaler (KPA, its defaults), without its activator: pods are never zero here.

use super::{Meter, Order, POLICY, Scaler, View, count, target, whole};
use crate::simulator::pod::Phase;
use std::{collections::VecDeque, time::Duration};

const TICK: Duration = Duration::from_secs(2);
/// Ticks of the stable and of the panic window.
const STABLE: usize = 30;
const PANIC: usize = 3;
const STABLE_WINDOW: Duration = Duration::from_mins(1);
const MAX_UP: u32 = 1_000;

/// Knative's pod autoscaler.
#[derive(Debug, Default)]
pub(super) struct Knative {
    meter: Meter,
    samples: VecDeque<f64>,
    panic: Option<Panic>,
}

/// Since when it panics, and the most pods that it wanted meanwhile.
#[derive(Clone, Copy, Debug)]
struct Panic {
    since: Duration,
    most: u32,
}

impl Knative {
    fn mean(&self, window: usize) -> f64 {
        let within: Vec<f64> = self.samples.iter().rev().take(window).copied().collect();
        within.iter().sum::<f64>() / f64::from(u32::try_from(within.len()).unwrap_or(1).max(1))
    }
}

impl Scaler for Knative {
    fn name(&self) -> &'static str {
        "Knative"
    }

    fn period(&self) -> Duration {
        TICK
    }

    fn look(&mut self, now: Duration, _replicas: u32, pods: &[View]) -> Order {
        self.samples.push_back(self.meter.read(pods));
        if self.samples.len() > STABLE {
            self.samples.pop_front();
        }
        let ready = count(pods, Phase::Ready).max(1);
        let (stable, sudden) = (whole(self.mean(STABLE) / target()), whole(self.mean(PANIC) / target()));
        let paced = |pods: u32| pods.clamp(ready / 2, ready.saturating_mul(MAX_UP));
        let over = sudden >= ready * 2;
        match &mut self.panic {
            Some(panic) if over => panic.since = now,
            None if over => self.panic = Some(Panic { since: now, most: 0 }),
            Some(panic) if now > panic.since + STABLE_WINDOW => self.panic = None,
            _ => {}
        }
        let wanted = self.panic.as_mut().map_or(paced(stable), |panic| {
            panic.most = panic.most.max(paced(stable)).max(paced(sudden)).max(ready);
            panic.most
        });
        Order { replicas: wanted.clamp(POLICY.min, POLICY.max), drain: Vec::new() }
    }
}
