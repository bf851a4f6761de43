//! The pods of one server: who is connected, what each has said, what is to be sent. No clock, no socket: time is
//! given, and what is to be sent is put into outboxes.

use super::{
    Answer, Config,
    outbox::Outbox,
    rollout::{self, Attendance, Offer, Pod, Which},
};
use crate::world::Endpoint;
use mcpfleet_config::{
    ConfigHash,
    status::PodStatus,
    stream::{Report, Serving, Signals},
};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

/// How long a pod may take to answer an offer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the word of a pod whose stream has ended still counts: a reconnect is no news.
const GRACE: Duration = Duration::from_secs(15);

/// All that is known of one server's pods.
#[derive(Debug, Default)]
pub struct Group {
    desired: Option<Config>,
    accepted: Option<Config>,
    members: BTreeMap<String, Member>,
    /// Pods that the Service sends calls to, by uid.
    ready: Vec<String>,
    awaited: bool,
}

/// One pod that has dialled.
#[derive(Debug)]
struct Member {
    pod: String,
    format: u32,
    /// The stream, while there is one, and its number.
    link: Option<Link>,
    status: Option<PodStatus>,
    signals: Signals,
    offered: Option<(ConfigHash, Instant)>,
    lost: Option<Instant>,
    /// What it was told to be.
    serving: Serving,
}

#[derive(Debug)]
struct Link {
    session: u64,
    outbox: Arc<Outbox>,
}

/// Whether something has happened that a report could speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// It has.
    Yes,
    /// It has not.
    No,
}

impl Group {
    /// What the objects compile to now. The first accepted one is what the ConfigMap holds, when it holds one.
    pub fn desire(&mut self, wanted: &Arc<mcpfleet_config::Encoded>, now: Instant) -> News {
        if self.desired.as_ref().is_none_or(|desired| *desired.hash() != wanted.hash) {
            let same = self.accepted.as_ref().filter(|accepted| *accepted.hash() == wanted.hash);
            let candidate =
                same.cloned().unwrap_or_else(|| Config::new(self.next_revision(), wanted.clone()));
            self.desired = Some(candidate);
        }
        self.settle(now)
    }

    /// What the ConfigMap holds, after a start.
    pub fn recall(&mut self, stored: Config) {
        if self.accepted.is_none() {
            if let Some(desired) = self.desired.as_mut().filter(|desired| desired.hash() == stored.hash()) {
                *desired = stored.clone();
            }
            self.accepted = Some(stored);
        }
    }

    /// What new pods are to start with.
    pub fn accepted(&self) -> Option<&Config> {
        self.accepted.as_ref()
    }

    /// Who is expected: the pods of the Service's endpoints.
    pub fn expect(&mut self, endpoints: &[Endpoint], settling: bool, now: Instant) -> News {
        self.ready = endpoints.iter().filter(|end| end.ready).map(|end| end.uid.clone()).collect();
        self.awaited =
            settling && endpoints.iter().any(|end| end.ready && !self.members.contains_key(&end.uid));
        self.settle(now)
    }

    /// A pod has dialled; an older stream of it is replaced.
    pub fn join(&mut self, uid: &str, pod: &str, format: u32, session: u64, outbox: Arc<Outbox>) {
        let before = self.members.remove(uid);
        let serving = before.as_ref().map_or(Serving::Normal, |member| member.serving);
        let member = Member {
            pod: pod.to_owned(),
            format,
            link: Some(Link { session, outbox: outbox.clone() }),
            status: None,
            signals: before.map_or_else(Signals::default, |member| member.signals),
            offered: None,
            lost: None,
            serving,
        };
        if serving == Serving::Draining {
            outbox.serve(serving);
        }
        // Nothing is offered before it has said what it serves.
        self.members.insert(uid.to_owned(), member);
    }

    /// A pod reports.
    pub fn hear(&mut self, uid: &str, session: u64, report: Report, now: Instant) -> News {
        let Some(member) = self.linked(uid, session) else { return News::No };
        member.signals = report.signals;
        let Some(status) = report.status else { return News::No };
        member.offered = None;
        let news = member.status.as_ref() != Some(&status);
        member.status = Some(status);
        match (news, self.settle(now)) {
            (false, News::No) => News::No,
            _ => News::Yes,
        }
    }

    /// A stream has ended.
    pub fn leave(&mut self, uid: &str, session: u64, now: Instant) {
        if let Some(member) = self.linked(uid, session) {
            member.link = None;
            member.offered = None;
            member.lost = Some(now);
        }
        self.settle(now);
    }

    /// Time passes: words expire, offers become overdue.
    pub fn tick(&mut self, now: Instant) -> News {
        let before = self.members.len();
        let expired = |member: &Member| member.lost.is_some_and(|lost| now.duration_since(lost) >= GRACE);
        self.members.retain(|_, member| !expired(member));
        match (self.members.len() == before, self.settle(now)) {
            (true, News::No) => News::No,
            _ => News::Yes,
        }
    }

    /// What the pods have said last, one answer for each that there is.
    pub fn answers(&self, endpoints: &[Endpoint]) -> Vec<Answer> {
        endpoints
            .iter()
            .map(|endpoint| {
                let member = self.members.get(&endpoint.uid);
                let status = member.and_then(|member| member.status.clone());
                Answer { endpoint: endpoint.clone(), status }
            })
            .collect()
    }

    /// The load that a connected pod reported last.
    pub fn signals(&self, uid: &str) -> Option<Signals> {
        let member = self.members.get(uid).filter(|member| member.link.is_some())?;
        member.status.as_ref().map(|_| member.signals)
    }

    /// Tells a pod what to be.
    pub fn serve(&mut self, uid: &str, serving: Serving) {
        if let Some(member) = self.members.get_mut(uid) {
            member.serving = serving;
            if let Some(link) = &member.link {
                link.outbox.serve(serving);
            }
        }
    }

    /// Whether some pod is expected that has not dialled.
    pub fn is_awaiting(&self) -> bool {
        self.awaited
    }

    fn linked(&mut self, uid: &str, session: u64) -> Option<&mut Member> {
        let member = self.members.get_mut(uid)?;
        member.link.as_ref().is_some_and(|link| link.session == session).then_some(member)
    }

    fn next_revision(&self) -> u64 {
        let reported = self
            .members
            .values()
            .filter_map(|member| member.status.as_ref())
            .map(|status| status.config_revision);
        let known = self.accepted.iter().chain(&self.desired).map(|config| config.revision);
        reported.chain(known).max().unwrap_or_default().saturating_add(1)
    }

    /// Sends what is to be sent until nothing is left to decide.
    fn settle(&mut self, now: Instant) -> News {
        let Some(desired) = self.desired.clone() else { return News::No };
        let accepted = self.accepted.clone();
        let attendance = if self.awaited { Attendance::Awaited } else { Attendance::Complete };
        let pods: Vec<Pod<'_>> =
            self.members.iter().filter_map(|(uid, member)| member.pod(uid, &self.ready, now)).collect();
        // A pod that has dialled and not reported yet is somebody to ask, soon.
        let silent = self.members.values().any(|member| member.link.is_some() && member.status.is_none());
        let attendance = if silent { Attendance::Awaited } else { attendance };
        let plan = rollout::plan(desired.hash(), accepted.as_ref().map(Config::hash), &pods, attendance);
        let send: Vec<(String, Which)> =
            plan.send.iter().map(|(uid, which)| ((*uid).to_owned(), *which)).collect();
        if plan.accept {
            tracing::debug!(
                revision = desired.revision,
                hash = desired.hash().short(),
                "configuration accepted"
            );
            self.accepted = Some(desired);
            self.settle(now);
            return News::Yes;
        }
        for (uid, which) in send {
            let config = if which == Which::Desired { Some(&desired) } else { accepted.as_ref() };
            if let (Some(config), Some(member)) = (config, self.members.get_mut(&uid)) {
                member.offer(config, now);
            }
        }
        News::No
    }
}

impl Member {
    fn pod<'a>(&'a self, uid: &'a str, ready: &[String], now: Instant) -> Option<Pod<'a>> {
        self.link.as_ref()?;
        let status = self.status.as_ref()?;
        Some(Pod {
            uid,
            name: &self.pod,
            ready: ready.iter().any(|ready| ready == uid),
            format: self.format,
            serves: status.config_hash.as_ref(),
            rejected: status.rejected.as_ref().map(|rejected| &rejected.hash),
            offered: self.offered.as_ref().map(|(hash, at)| {
                let overdue = now.duration_since(*at) >= PATIENCE;
                Offer { hash, overdue }
            }),
        })
    }

    fn offer(&mut self, config: &Config, now: Instant) {
        if let Some(link) = &self.link {
            self.offered = Some((config.hash().clone(), now));
            link.outbox.config(config.clone());
        }
    }
}

#[cfg(test)]
#[path = "group_tests.rs"]
mod tests;
