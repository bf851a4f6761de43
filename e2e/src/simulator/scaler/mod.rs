//! Who says how many pods there are.

mod hpa;
mod knative;
mod ours;

use mcpfleet_config::stream::Signals;
use mcpfleet_operator::autoscale::{Policy, UTILISATION};
use std::{collections::HashMap, time::Duration};

use super::pod::{CONCURRENCY, Phase};

/// One pod, as a scaler sees it.
#[derive(Clone, Debug)]
pub struct View {
    /// Which.
    pub pod: usize,
    /// Where it is in its life.
    pub phase: Phase,
    /// What it reports.
    pub signals: Signals,
}

/// What a scaler wants.
#[derive(Clone, Debug, Default)]
pub struct Order {
    /// So many pods.
    pub replicas: u32,
    /// These drain, all others serve.
    pub drain: Vec<usize>,
}

/// Who says how many pods there are.
pub trait Scaler {
    /// Its name.
    fn name(&self) -> &'static str;
    /// How often it looks.
    fn period(&self) -> Duration;
    /// Looks at the pods that exist and are not being deleted; `replicas` were asked for.
    fn look(&mut self, now: Duration, replicas: u32, pods: &[View]) -> Order;
}

/// Every scaler, ours first.
pub fn all() -> Vec<Box<dyn Scaler>> {
    vec![Box::<ours::Ours>::default(), Box::<hpa::Hpa>::default(), Box::<knative::Knative>::default()]
}

/// The settings that all are given: ours by default, with room above.
pub const POLICY: Policy = Policy {
    min: 1,
    max: 60,
    concurrency: CONCURRENCY,
    target_queue_wait: Duration::from_millis(250),
    scale_down_delay: Duration::from_mins(5),
};

/// The load that a pod is to have, for all of them.
pub fn target() -> f64 {
    UTILISATION * f64::from(CONCURRENCY)
}

/// Mean of the calls in all pods, running or waiting, since the last look.
#[derive(Debug, Default)]
struct Meter {
    before: HashMap<usize, (u64, u64)>,
}

impl Meter {
    fn read(&mut self, pods: &[View]) -> f64 {
        let mut sum = 0.0;
        let mut after = HashMap::new();
        for View { pod, signals, .. } in pods {
            let (calls, age) = (signals.running_ms + signals.queued_ms, signals.uptime_ms);
            let (calls_before, age_before) = self.before.get(pod).copied().unwrap_or_default();
            let span = Duration::from_millis(age - age_before).as_secs_f64().max(0.001);
            sum += Duration::from_millis(calls - calls_before).as_secs_f64() / span;
            after.insert(*pod, (calls, age));
        }
        self.before = after;
        sum
    }
}

/// Rounded up to whole pods, within the settings' bounds.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, which is meant"
)]
fn whole(pods: f64) -> u32 {
    pods.ceil().max(0.0) as u32
}

fn count(pods: &[View], phase: Phase) -> u32 {
    u32::try_from(pods.iter().filter(|view| view.phase == phase).count()).unwrap_or(u32::MAX)
}
