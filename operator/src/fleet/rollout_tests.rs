//! Single decisions, and that many in a row come to an end.

use super::*;
use proptest::{collection::vec, prelude::*, sample::select};

static NOTHING: BTreeSet<ConfigHash> = BTreeSet::new();

fn pod<'a>(uid: &'a str, serves: &'a ConfigHash) -> Pod<'a> {
    Pod {
        uid,
        name: uid,
        place: Place::Ready,
        format: 2,
        serves: Some(serves),
        refuses: &NOTHING,
        offered: None,
    }
}

fn offer(hash: &ConfigHash) -> Offer<'_> {
    Offer { hash, overdue: false }
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
    pods[0].offered = Some(offer(&new));
    assert_eq!(decide(&new, &old, &pods), Plan::default(), "it has not answered");
    pods[0] = pod("a", &new);
    assert!(decide(&new, &old, &pods).accept);
    let all = plan(&new, Some(&new), &pods, Attendance::Complete).send;
    assert_eq!(all, [("b", Which::Desired), ("c", Which::Desired)]);
}

#[test]
fn the_oldest_runtime_that_serves_goes_first() {
    let (new, old) = hashes();
    let starting = Pod { place: Place::Starting, format: 1, ..pod("a", &old) };
    let pods = [starting, pod("b", &old), Pod { format: 1, ..pod("c", &old) }];
    assert_eq!(decide(&new, &old, &pods).send, [("c", Which::Desired)]);
}

#[test]
fn a_refusal_freezes_the_candidate_and_gives_back_the_accepted_one() {
    let (new, old) = hashes();
    let no = BTreeSet::from([new.clone()]);
    let refuses = Pod { refuses: &no, ..pod("a", &old) };
    let fresh = Pod { serves: None, ..pod("b", &old) };
    assert_eq!(decide(&new, &old, &[refuses, fresh.clone()]).send, [("b", Which::Accepted)]);
    // The one that refused has gone: the candidate is tried again.
    assert_eq!(decide(&new, &old, &[fresh]).send, [("b", Which::Desired)]);
}

#[test]
fn who_is_no_pod_of_the_service_decides_nothing() {
    let (new, old) = hashes();
    let no = BTreeSet::from([new.clone()]);
    let leaving = Pod { place: Place::Outside, refuses: &no, ..pod("a", &old) };
    assert_eq!(decide(&new, &old, &[leaving, pod("b", &old)]).send, [("b", Which::Desired)]);
    let stranger = Pod { place: Place::Outside, ..pod("a", &new) };
    assert!(!decide(&new, &old, &[stranger, pod("b", &old)]).accept);
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

/// A pod that answers everything it is sent.
#[derive(Clone, Debug)]
struct Answering {
    name: String,
    serves: Option<ConfigHash>,
    cannot: Vec<ConfigHash>,
    refuses: BTreeSet<ConfigHash>,
}

impl Answering {
    fn take(&mut self, hash: &ConfigHash) {
        if self.cannot.contains(hash) {
            self.refuses.insert(hash.clone());
        } else {
            self.serves = Some(hash.clone());
        }
    }

    fn pod(&self) -> Pod<'_> {
        Pod {
            uid: &self.name,
            name: &self.name,
            place: Place::Ready,
            format: 1,
            serves: self.serves.as_ref(),
            refuses: &self.refuses,
            offered: None,
        }
    }
}

proptest! {
    #[test]
    fn whatever_pods_refuse_there_is_an_end_and_a_candidate_reaches_one_at_a_time(
        drawn in vec((select(vec![None, Some(0), Some(1), Some(2)]), any::<bool>(), any::<bool>()), 1..6),
    ) {
        let (new, old) = hashes();
        let all = [new.clone(), old.clone(), ConfigHash::of(b"older")];
        let mut pods: Vec<Answering> = drawn.iter().enumerate().map(|(n, (serves, no_new, no_old))| Answering {
            name: n.to_string(),
            serves: serves.map(|n: usize| all[n].clone()),
            cannot: [(*no_new, &new), (*no_old, &old)].into_iter().filter(|(no, _)| *no).map(|(_, h)| h.clone()).collect(),
            refuses: BTreeSet::new(),
        }).collect();
        let mut accepted = old.clone();
        for round in 0.. {
            prop_assert!(round < 40, "it never ends: {pods:?}");
            let seen = pods.clone();
            let seen: Vec<Pod<'_>> = seen.iter().map(Answering::pod).collect();
            let made = plan(&new, Some(&accepted), &seen, Attendance::Complete);
            if made.accept {
                accepted = new.clone();
                continue;
            }
            if made.send.is_empty() {
                break;
            }
            if accepted != new {
                prop_assert!(made.send.iter().filter(|(_, which)| *which == Which::Desired).count() <= 1);
            }
            for (uid, which) in &made.send {
                let hash = if *which == Which::Desired { &new } else { &accepted };
                pods.iter_mut().find(|pod| pod.name == *uid).unwrap().take(hash);
            }
        }
        // Everyone has what is accepted, or cannot have it.
        for pod in &pods {
            prop_assert!(pod.serves.as_ref() == Some(&accepted) || pod.refuses.contains(&accepted));
        }
    }
}
