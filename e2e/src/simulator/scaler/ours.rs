//! The operator's scaler: its own `History`, `recommend` and `victims`, and draining as in ADR 6.

use super::{Order, POLICY, Scaler, View};
use crate::simulator::pod::Phase;
use mcpfleet_operator::autoscale::{Candidate, History, TICK, recommend, victims, victims::Reachable};
use std::time::Duration;

/// The operator's scaler.
#[derive(Debug, Default)]
pub(super) struct Ours {
    history: History,
}

impl Scaler for Ours {
    fn name(&self) -> &'static str {
        "mcpfleet"
    }

    fn period(&self) -> Duration {
        TICK
    }

    fn look(&mut self, now: Duration, replicas: u32, pods: &[View]) -> Order {
        let reports: Vec<_> = pods
            .iter()
            .filter(|view| view.phase != Phase::Starting)
            .map(|view| (view.pod.to_string(), Some(view.signals)))
            .collect();
        self.history.observe(now, &reports);
        let wanted = recommend(&mut self.history, &POLICY, now, replicas).replicas;
        if wanted >= replicas {
            return Order { replicas: wanted, drain: Vec::new() };
        }
        let drain = leaving(pods, usize::try_from(replicas - wanted).unwrap_or_default());
        let idle = |view: &&View| view.signals.running == 0 && view.signals.queued == 0;
        let empty = pods.iter().filter(|view| drain.contains(&view.pod)).filter(idle).count() == drain.len();
        Order { replicas: if empty { wanted } else { replicas }, drain }
    }
}

/// Who goes when so many go.
fn leaving(pods: &[View], how_many: usize) -> Vec<usize> {
    let candidates: Vec<_> = pods
        .iter()
        .map(|view| {
            let reachable = if view.phase == Phase::Ready { Reachable::Ready } else { Reachable::No };
            Candidate::new(view.pod.to_string(), reachable, Some(&view.signals))
        })
        .collect();
    victims(&candidates, how_many).iter().filter_map(|id| id.parse().ok()).collect()
}
