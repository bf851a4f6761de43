//! Whom to send which configuration: pure. A candidate goes to one pod first; see ADR 5.

use mcpfleet_config::ConfigHash;

/// A connected pod, as far as this decision goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod<'a> {
    /// Its identity.
    pub uid: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Whether its Service sends it calls.
    pub ready: bool,
    /// Newest format that it reads.
    pub format: u32,
    /// What it serves.
    pub serves: Option<&'a ConfigHash>,
    /// What it has refused since.
    pub rejected: Option<&'a ConfigHash>,
    /// What it was sent on this connection and has not answered.
    pub offered: Option<Offer<'a>>,
}

/// A configuration that a pod was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer<'a> {
    /// Which.
    pub hash: &'a ConfigHash,
    /// Whether the pod has had time to answer.
    pub overdue: bool,
}

/// Which configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// What the objects compile to.
    Desired,
    /// What a runtime has accepted last.
    Accepted,
}

/// What to do now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan<'a> {
    /// The candidate has proved itself: plan again with it as the accepted one.
    pub accept: bool,
    /// Pods, by uid, that are to be sent something.
    pub send: Vec<(&'a str, Which)>,
}

/// Whether pods are expected that have not connected yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attendance {
    /// Some may still come: nothing is accepted for want of anyone to ask.
    Awaited,
    /// Who is not connected by now will not be waited for.
    Complete,
}

/// Decides for one server.
pub fn plan<'a>(
    desired: &ConfigHash,
    accepted: Option<&ConfigHash>,
    pods: &[Pod<'a>],
    attendance: Attendance,
) -> Plan<'a> {
    if accepted == Some(desired) {
        return Plan { accept: false, send: bring(desired, Which::Desired, pods.iter().cloned()) };
    }
    let served = pods.iter().any(|pod| pod.serves == Some(desired));
    let nobody = pods.is_empty() && attendance == Attendance::Complete;
    if served || nobody {
        return Plan { accept: true, send: Vec::new() };
    }
    let frozen = pods.iter().any(|pod| pod.rejected == Some(desired));
    let waiting = pods.iter().filter_map(|pod| asked(pod, desired)).any(|offer| !offer.overdue);
    let unasked = || pods.iter().filter(|pod| asked(pod, desired).is_none());
    let first = if frozen || waiting { None } else { first(unasked()) };
    let mut send: Vec<_> = first.map(|pod| (pod.uid, Which::Desired)).into_iter().collect();
    if let Some(accepted) = accepted {
        let others = unasked().filter(|pod| Some(pod.uid) != first.map(|first| first.uid));
        send.extend(bring(accepted, Which::Accepted, others.cloned()));
    }
    Plan { accept: false, send }
}

/// What a pod was sent, if that is what is desired.
fn asked<'a>(pod: &Pod<'a>, desired: &ConfigHash) -> Option<Offer<'a>> {
    pod.offered.filter(|offer| offer.hash == desired)
}

/// Everyone who does not serve it, was not sent it and has not refused it.
fn bring<'a>(hash: &ConfigHash, which: Which, pods: impl Iterator<Item = Pod<'a>>) -> Vec<(&'a str, Which)> {
    pods.filter(|pod| pod.serves != Some(hash) && pod.rejected != Some(hash))
        .filter(|pod| pod.offered.is_none_or(|offer| offer.hash != hash))
        .map(|pod| (pod.uid, which))
        .collect()
}

/// Who is asked first: a Ready one, of the oldest format, by name.
fn first<'a, 'p>(pods: impl Iterator<Item = &'p Pod<'a>>) -> Option<&'p Pod<'a>>
where
    'a: 'p,
{
    pods.min_by_key(|pod| (!pod.ready, pod.format, pod.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, option, prelude::*, sample::select};

    fn pod<'a>(uid: &'a str, serves: &'a ConfigHash) -> Pod<'a> {
        Pod { uid, name: uid, ready: true, format: 2, serves: Some(serves), rejected: None, offered: None }
    }

    fn offer(hash: &ConfigHash) -> Option<Offer<'_>> {
        Some(Offer { hash, overdue: false })
    }

    fn hashes() -> (ConfigHash, ConfigHash) {
        (ConfigHash::of(b"new"), ConfigHash::of(b"old"))
    }

    fn decide<'a>(new: &ConfigHash, old: &ConfigHash, pods: &[Pod<'a>]) -> Plan<'a> {
        plan(new, Some(old), pods, Attendance::Complete)
    }

    #[test]
    fn one_pod_first_then_all() {
        let (new, old) = hashes();
        let mut pods = [pod("a", &old), pod("b", &old), pod("c", &old)];
        assert_eq!(decide(&new, &old, &pods).send, [("a", Which::Desired)]);
        pods[0].offered = offer(&new);
        assert_eq!(decide(&new, &old, &pods), Plan::default(), "it has not answered");
        pods[0] = pod("a", &new);
        assert!(decide(&new, &old, &pods).accept);
        let all = plan(&new, Some(&new), &pods, Attendance::Complete).send;
        assert_eq!(all, [("b", Which::Desired), ("c", Which::Desired)]);
    }

    #[test]
    fn the_oldest_runtime_that_serves_goes_first() {
        let (new, old) = hashes();
        let starting = Pod { ready: false, format: 1, ..pod("a", &old) };
        let pods = [starting, pod("b", &old), Pod { format: 1, ..pod("c", &old) }];
        assert_eq!(decide(&new, &old, &pods).send, [("c", Which::Desired)]);
    }

    #[test]
    fn a_refusal_freezes_the_candidate_and_gives_back_the_accepted_one() {
        let (new, old) = hashes();
        let refuses = Pod { rejected: Some(&new), ..pod("a", &old) };
        let fresh = Pod { serves: None, ..pod("b", &old) };
        assert_eq!(decide(&new, &old, &[refuses, fresh.clone()]).send, [("b", Which::Accepted)]);
        // The one that refused has gone: the candidate is tried again.
        assert_eq!(decide(&new, &old, &[fresh]).send, [("b", Which::Desired)]);
    }

    #[test]
    fn a_pod_that_does_not_answer_is_passed_over() {
        let (new, old) = hashes();
        let mute = Pod { offered: Some(Offer { hash: &new, overdue: true }), ..pod("a", &old) };
        assert_eq!(decide(&new, &old, &[mute, pod("b", &old)]).send, [("b", Which::Desired)]);
    }

    #[test]
    fn without_anyone_to_ask_the_compiler_is_believed_once_nobody_is_awaited() {
        let (new, old) = hashes();
        assert!(plan(&new, None, &[], Attendance::Complete).accept);
        assert!(!plan(&new, Some(&old), &[], Attendance::Awaited).accept);
    }

    proptest! {
        #[test]
        fn a_candidate_reaches_at_most_one_pod_and_nobody_is_sent_what_it_has(
            drawn in vec((select(vec![0, 1, 2]), option::of(select(vec![0, 1])), option::of((select(vec![0, 1]), any::<bool>()))), 0..6),
            has_accepted in any::<bool>(),
        ) {
            let (new, old) = hashes();
            let of = |n: i32| if n == 0 { &new } else { &old };
            let names: Vec<String> = (0..drawn.len()).map(|n| n.to_string()).collect();
            let pods: Vec<Pod<'_>> = drawn.iter().zip(&names).map(|((serves, rejected, offered), name)| Pod {
                uid: name,
                name,
                ready: true,
                format: 1,
                serves: (*serves < 2).then(|| of(*serves)),
                rejected: rejected.map(of),
                offered: offered.map(|(n, overdue)| Offer { hash: of(n), overdue }),
            }).collect();
            let accepted = has_accepted.then_some(&old);
            let made = plan(&new, accepted, &pods, Attendance::Complete);
            let candidates = made.send.iter().filter(|(_, which)| *which == Which::Desired).count();
            prop_assert!(candidates <= 1);
            prop_assert!(!(made.accept && candidates > 0));
            for (uid, which) in &made.send {
                let hash = if *which == Which::Desired { &new } else { &old };
                let pod = pods.iter().find(|pod| pod.uid == *uid).unwrap();
                prop_assert!(pod.serves != Some(hash) && pod.rejected != Some(hash));
                prop_assert!(pod.offered.is_none_or(|offer| offer.hash != hash));
            }
            if pods.iter().any(|pod| pod.rejected == Some(&new)) {
                prop_assert_eq!(candidates, 0);
            }
        }
    }
}
