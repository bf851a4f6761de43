//! Who drains first: pure.

use super::act::Pod;

/// A pod that could go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its identity.
    pub uid: String,
    /// Whether its Service sends it calls.
    pub ready: bool,
    /// Calls that run or wait, and streams; absent when it does not say.
    pub work: Option<u64>,
}

impl Candidate {
    /// What a pod reported last.
    pub fn of(pod: &Pod) -> Self {
        let work = pod.signals.map(|signals| {
            u64::from(signals.running) + u64::from(signals.queued) + u64::from(signals.streams)
        });
        Self { uid: pod.uid.clone(), ready: pod.ready, work }
    }
}

/// The `count` that would be missed least: without work before with, not Ready before Ready, by uid. One that is not
/// connected cannot be told to drain and is passed over.
pub fn victims(pods: &[Candidate], count: usize) -> Vec<String> {
    let mut known: Vec<&Candidate> = pods.iter().filter(|pod| pod.work.is_some()).collect();
    known.sort_by_key(|pod| (pod.work, pod.ready, pod.uid.clone()));
    known.into_iter().take(count).map(|pod| pod.uid.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, option, prelude::*};

    proptest! {
        #[test]
        fn nobody_with_work_goes_while_somebody_without_stays(
            drawn in vec((any::<bool>(), option::of(0_u64..4)), 0..10), count in 0_usize..10,
        ) {
            let pods: Vec<Candidate> = drawn.iter().enumerate().map(|(n, (ready, work))| {
                Candidate { uid: n.to_string(), ready: *ready, work: *work }
            }).collect();
            let gone = victims(&pods, count);
            prop_assert_eq!(gone.len(), count.min(pods.iter().filter(|pod| pod.work.is_some()).count()));
            let most = pods.iter().filter(|pod| gone.contains(&pod.uid)).filter_map(|pod| pod.work).max();
            let least = pods.iter().filter(|pod| !gone.contains(&pod.uid)).filter_map(|pod| pod.work).min();
            prop_assert!(most.zip(least).is_none_or(|(most, least)| most <= least));
        }
    }
}
