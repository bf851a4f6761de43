//! Who is drained first when fewer pods are wanted.

use super::PodId;
use mcpfleet_config::stream::{Serving, Signals};

/// A pod that could go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The pod.
    pub id: PodId,
    /// Whether new clients are sent to it.
    pub reachable: Reachable,
    /// Calls that run or wait, and streams that are open.
    pub work: u64,
    /// Age of its process in ms.
    pub age_ms: u64,
}

/// Whether new clients are sent to a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reachable {
    /// It is not Ready, or drains already. A `ReplicaSet` takes such pods first, whatever we would like.
    No,
    /// It is Ready and serves.
    Ready,
}

impl Candidate {
    /// A pod by its last report; `ready` is what Kubernetes says of it. One that has not reported has no work.
    pub fn new(id: PodId, ready: Reachable, signals: Option<&Signals>) -> Self {
        let Some(signals) = signals else { return Self { id, reachable: ready, work: 0, age_ms: 0 } };
        let reachable = if signals.serving == Serving::Draining { Reachable::No } else { ready };
        let work = [signals.running, signals.queued, signals.streams].map(u64::from).iter().sum();
        Self { id, reachable, work, age_ms: signals.uptime_ms }
    }
}

/// The pods that drain first: those that serve nobody new, then those with the least work; the youngest, then the
/// first by name, among equals. Fewer than `how_many` when there are not as many.
pub fn victims(pods: &[Candidate], how_many: usize) -> Vec<PodId> {
    let mut order: Vec<&Candidate> = pods.iter().collect();
    order.sort_unstable_by_key(|pod| (pod.reachable, pod.work, pod.age_ms, &pod.id));
    order.into_iter().take(how_many).map(|pod| pod.id.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pod(id: &str, reachable: Reachable, work: u64, age_ms: u64) -> Candidate {
        Candidate { id: id.into(), reachable, work, age_ms }
    }

    #[test]
    fn those_that_serve_nobody_new_go_first_then_the_least_loaded_then_the_youngest() {
        let pods = [
            pod("busy", Reachable::Ready, 9, 1),
            pod("old", Reachable::Ready, 0, 50),
            pod("young-b", Reachable::Ready, 0, 5),
            pod("young-a", Reachable::Ready, 0, 5),
            pod("draining", Reachable::No, 3, 99),
        ];
        assert_eq!(victims(&pods, 9), ["draining", "young-a", "young-b", "old", "busy"]);
        assert_eq!(victims(&pods, 1), ["draining"]);
    }

    #[test]
    fn a_pod_that_drains_is_not_reachable_though_kubernetes_has_not_seen_it_yet() {
        let signals = Signals { serving: Serving::Draining, running: 2, streams: 3, ..Signals::default() };
        let candidate = Candidate::new("a".into(), Reachable::Ready, Some(&signals));
        assert_eq!(candidate, pod("a", Reachable::No, 5, 0));
    }

    proptest! {
        #[test]
        fn no_ready_pod_with_work_goes_while_an_idle_one_stays(
            loads in prop::collection::vec((0_u64..4, 0_u64..3), 1..20), how_many in 0_usize..25,
        ) {
            let pods: Vec<_> = loads.iter().enumerate()
                .map(|(at, (work, age))| pod(&format!("p{at:02}"), Reachable::Ready, *work, *age))
                .collect();
            let chosen = victims(&pods, how_many);
            prop_assert_eq!(chosen.len(), how_many.min(pods.len()));
            let (gone, kept): (Vec<_>, Vec<_>) = pods.iter().partition(|pod| chosen.contains(&pod.id));
            let most = gone.iter().map(|pod| pod.work).max().unwrap_or(0);
            prop_assert!(kept.iter().all(|pod| pod.work >= most));
        }
    }
}
