//! From a recommendation to what is done: pure. Scale-down drains first and lowers the number when pods are empty
//! (ADR 6).

use super::{Candidate, victims, victims::Reachable};
use mcpfleet_config::stream::{Serving, Signals};

/// One pod of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// Its identity.
    pub uid: String,
    /// Its name.
    pub name: String,
    /// Whether its Service sends it calls.
    pub ready: bool,
    /// What it reported last; absent when it is not connected.
    pub signals: Option<Signals>,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Write `/scale`.
    Scale(u32),
    /// Tell a pod what to be.
    Serve(String, Serving),
}

impl Pod {
    fn is_draining(&self) -> bool {
        self.signals.is_some_and(|signals| signals.serving == Serving::Draining)
    }

    fn candidate(&self) -> Candidate {
        let reachable = if self.ready { Reachable::Ready } else { Reachable::No };
        Candidate::new(self.uid.clone(), reachable, self.signals.as_ref())
    }

    /// Whether nobody would miss it: nothing runs, waits or streams, and the Service has let go of it.
    fn is_empty(&self) -> bool {
        let idle = |signals: Signals| signals.running == 0 && signals.queued == 0 && signals.streams == 0;
        !self.ready && self.signals.is_some_and(idle)
    }
}

/// What to do when `wanted` pods are recommended and `/scale` says `replicas`.
pub fn acts(wanted: u32, replicas: u32, pods: &[Pod]) -> Vec<Act> {
    let draining: Vec<&Pod> = pods.iter().filter(|pod| pod.is_draining()).collect();
    if wanted > replicas {
        let mut acts = serve_again(&draining);
        acts.push(Act::Scale(wanted));
        return acts;
    }
    // Pods that /scale has no place for any more are on their way out.
    let surplus = count(pods.len()) > replicas;
    if surplus {
        return Vec::new();
    }
    let leaving = replicas - wanted;
    let too_many = count(draining.len()).saturating_sub(leaving) as usize;
    if too_many > 0 {
        return serve_again(draining.get(..too_many).unwrap_or_default());
    }
    // A ReplicaSet takes any pod that is not Ready: none may have work when the number falls. Those that neither serve
    // nor report go without being asked.
    let present = count(pods.iter().filter(|pod| pod.ready || pod.signals.is_some()).count());
    let free = count(draining.len()) + replicas.saturating_sub(present);
    if leaving > 0 && free > 0 && draining.iter().all(|pod| pod.is_empty()) {
        return vec![Act::Scale(replicas - free.min(leaving))];
    }
    // As many as are wanted go on serving.
    let serving = count(pods.iter().filter(|pod| pod.ready && !pod.is_draining()).count());
    let more = leaving.saturating_sub(count(draining.len())).min(serving.saturating_sub(wanted)) as usize;
    // One that is not connected cannot be told.
    let told = pods.iter().filter(|pod| pod.signals.is_some() && !pod.is_draining());
    let candidates: Vec<Candidate> = told.map(Pod::candidate).collect();
    victims(&candidates, more).into_iter().map(|uid| Act::Serve(uid, Serving::Draining)).collect()
}

fn serve_again(pods: &[&Pod]) -> Vec<Act> {
    pods.iter().map(|pod| Act::Serve(pod.uid.clone(), Serving::Normal)).collect()
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    fn pod(uid: &str, running: u32, serving: Serving) -> Pod {
        let signals = Signals { running, serving, ..Signals::default() };
        Pod { uid: uid.into(), name: uid.into(), ready: serving == Serving::Normal, signals: Some(signals) }
    }

    fn drain(uid: &str) -> Act {
        Act::Serve(uid.into(), Serving::Draining)
    }

    #[test]
    fn the_least_loaded_drains_and_the_number_falls_when_it_is_empty() {
        let mut pods = vec![pod("a", 3, Serving::Normal), pod("b", 1, Serving::Normal)];
        assert_eq!(acts(1, 2, &pods), [drain("b")]);
        pods[1] = pod("b", 1, Serving::Draining);
        assert_eq!(acts(1, 2, &pods), [], "its call goes on");
        pods[1] = pod("b", 0, Serving::Draining);
        assert_eq!(acts(1, 2, &pods), [Act::Scale(1)]);
        // The Service still sends it calls.
        pods[1].ready = true;
        assert_eq!(acts(1, 2, &pods), []);
    }

    #[test]
    fn load_that_comes_back_keeps_the_pod() {
        let pods = [pod("a", 9, Serving::Normal), pod("b", 1, Serving::Draining)];
        assert_eq!(acts(2, 2, &pods), [Act::Serve("b".into(), Serving::Normal)]);
        assert_eq!(acts(4, 2, &pods), [Act::Serve("b".into(), Serving::Normal), Act::Scale(4)]);
    }

    #[test]
    fn a_pod_that_is_being_deleted_is_not_called_back() {
        let pods = [pod("a", 9, Serving::Normal), pod("b", 0, Serving::Draining)];
        assert_eq!(acts(1, 1, &pods), []);
    }

    #[test]
    fn the_only_pod_that_serves_stays_when_the_other_never_started() {
        let broken = Pod { uid: "b".into(), name: "b".into(), ready: false, signals: None };
        let pods = [pod("a", 0, Serving::Normal), broken];
        assert_eq!(acts(1, 2, &pods), [Act::Scale(1)]);
    }

    proptest! {
        #[test]
        fn a_pod_with_work_is_never_taken(
            drawn in vec((0_u32..3, any::<bool>()), 1..8), wanted in 0_u32..8,
        ) {
            let pods: Vec<Pod> = drawn.iter().enumerate().map(|(n, (running, draining))| {
                pod(&n.to_string(), *running, if *draining { Serving::Draining } else { Serving::Normal })
            }).collect();
            let replicas = count(pods.len());
            let working = pods.iter().any(|pod| pod.is_draining() && !pod.is_empty());
            let leaving = replicas.saturating_sub(wanted);
            let mut drained = count(pods.iter().filter(|pod| pod.is_draining()).count());
            for act in acts(wanted, replicas, &pods) {
                match act {
                    Act::Scale(to) if to < replicas => prop_assert!(!working && replicas - to <= drained.min(leaving)),
                    Act::Scale(to) => prop_assert_eq!(to, wanted),
                    Act::Serve(_, Serving::Draining) => drained += 1,
                    Act::Serve(_, Serving::Normal) => drained -= 1,
                }
            }
            if wanted <= replicas {
                prop_assert!(drained <= leaving);
            }
        }
    }
}
