//! Whom to send which configuration: pure. A candidate goes to one pod first; see ADR 5.

use mcpfleet_config::ConfigHash;
use std::collections::BTreeSet;

/// A connected pod, as far as this decision goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod<'a> {
    /// Its identity.
    pub uid: &'a str,
    /// Its name.
    pub name: &'a str,
    /// What it is to its Service.
    pub place: Place,
    /// Newest format that it reads.
    pub format: u32,
    /// What it serves.
    pub serves: Option<&'a ConfigHash>,
    /// What it has ever refused: it is not asked again.
    pub refuses: &'a BTreeSet<ConfigHash>,
    /// What it was sent on this connection and has not answered.
    pub offered: Option<Offer<'a>>,
}

/// What a pod is to its server's Service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// It is sent calls.
    Ready,
    /// It is one of its pods.
    Starting,
    /// It is none of them, or none any more: it decides nothing.
    Outside,
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
    /// Some serve, or may still come: nothing is accepted for want of anyone to ask.
    Awaited,
    /// Nobody serves, and nobody is to be waited for.
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
    let ours = || pods.iter().filter(|pod| pod.place != Place::Outside);
    let served = ours().any(|pod| pod.serves == Some(desired));
    let nobody = ours().next().is_none() && attendance == Attendance::Complete;
    if served || nobody {
        return Plan { accept: true, send: Vec::new() };
    }
    let frozen = ours().any(|pod| pod.refuses.contains(desired));
    let waiting = ours().filter_map(|pod| asked(pod, desired)).any(|offer| !offer.overdue);
    let unasked = || pods.iter().filter(|pod| asked(pod, desired).is_none());
    let first =
        if frozen || waiting { None } else { first(unasked().filter(|pod| pod.place != Place::Outside)) };
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
    pods.filter(|pod| pod.serves != Some(hash) && !pod.refuses.contains(hash))
        .filter(|pod| pod.offered.is_none_or(|offer| offer.hash != hash))
        .map(|pod| (pod.uid, which))
        .collect()
}

/// Who is asked first: a Ready one, of the oldest format, by name.
fn first<'a, 'p>(pods: impl Iterator<Item = &'p Pod<'a>>) -> Option<&'p Pod<'a>>
where
    'a: 'p,
{
    pods.min_by_key(|pod| (pod.place, pod.format, pod.name))
}

#[cfg(test)]
#[path = "rollout_tests.rs"]
mod tests;
