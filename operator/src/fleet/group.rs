//! The pods of one server: who is connected, what each has said, what is to be sent. No clock, no socket: time is
//! given, and what is to be sent is put into outboxes.

use super::{
    Answer, Config,
    member::{Link, Member},
    outbox::Outbox,
    rollout::{self, Attendance, Place, Pod, Which},
};
use crate::world::Endpoint;
use mcpfleet_config::stream::{Hello, Report, Serving, Signals};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

/// How long the word of a pod whose stream has ended still counts: a reconnect is no news.
const GRACE: Duration = Duration::from_secs(15);

/// All that is known of one server's pods.
#[derive(Debug, Default)]
pub struct Group {
    /// Identity of the McpServer: another one of the same name begins anew.
    owner: String,
    desired: Option<Config>,
    /// Since when that is desired.
    changed: Option<Instant>,
    accepted: Option<Config>,
    /// Some pod has refused what is desired: it is accepted only when another pod serves it.
    refused: bool,
    members: BTreeMap<String, Member>,
    /// The Service's pods, by uid.
    places: BTreeMap<String, Place>,
    awaited: bool,
    /// Where replicas reach each other, as all were told.
    peers: Vec<SocketAddr>,
    /// Something was accepted that nobody was told of.
    untold: bool,
}

/// How long a change may take to reach pods before it is worth a report that it has not.
const FRESH: Duration = Duration::from_millis(500);

/// Whether something has happened that a report could speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// It has.
    Yes,
    /// It has not.
    No,
}

impl Group {
    /// Belongs to the McpServer of this uid from now on.
    pub fn claim(&mut self, owner: &str) {
        if self.owner != owner {
            let members = std::mem::take(&mut self.members);
            *self = Self { owner: owner.to_owned(), members, ..Self::default() };
        }
    }

    /// What the objects compile to now. The first accepted one is what the ConfigMap holds, when it holds one.
    pub fn desire(&mut self, wanted: &Arc<mcpfleet_config::Encoded>, now: Instant) {
        if self.desired.as_ref().is_none_or(|desired| *desired.hash() != wanted.hash) {
            let same = self.accepted.as_ref().filter(|accepted| *accepted.hash() == wanted.hash);
            let candidate =
                same.cloned().unwrap_or_else(|| Config::new(self.next_revision(), wanted.clone()));
            self.desired = Some(candidate);
            self.changed = Some(now);
            self.refused = self.members.values().any(|member| member.refuses.contains(&wanted.hash));
        }
        self.settle(now);
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

    /// Whether a change has just been sent out, and its answers are on their way.
    pub fn is_fresh(&self, now: Instant) -> bool {
        let Some(desired) = &self.desired else { return false };
        let young = self.changed.is_some_and(|changed| now.duration_since(changed) < FRESH);
        let has_it = |member: &Member| {
            member.status.as_ref().is_some_and(|status| status.config_hash.as_ref() == Some(desired.hash()))
        };
        let mut linked = self.members.values().filter(|member| member.link.is_some());
        young && !self.refused && linked.any(|member| !has_it(member))
    }

    /// What new pods are to start with.
    pub fn accepted(&self) -> Option<&Config> {
        self.accepted.as_ref()
    }

    /// Who is expected: the pods of the Service's endpoints.
    pub fn expect(&mut self, endpoints: &[Endpoint], settling: bool, now: Instant) {
        let place = |endpoint: &Endpoint| if endpoint.ready { Place::Ready } else { Place::Starting };
        self.places = endpoints.iter().map(|endpoint| (endpoint.uid.clone(), place(endpoint))).collect();
        self.awaited =
            settling && endpoints.iter().any(|end| end.ready && !self.members.contains_key(&end.uid));
        self.settle(now);
    }

    /// A pod has dialled; an older stream of it is ended.
    pub fn join(&mut self, uid: &str, pod: &str, hello: &Hello, session: u64, outbox: &Arc<Outbox>) {
        let before = self.members.remove(uid);
        if let Some(old) = before.as_ref().and_then(|member| member.link.as_ref()) {
            old.outbox.close();
        }
        let member = Member {
            pod: pod.to_owned(),
            format: hello.format,
            peer: hello.peer,
            link: Some(Link { session, outbox: outbox.clone() }),
            introduced: false,
            offered: None,
            lost: None,
            ..before.unwrap_or_default()
        };
        if member.serving == Serving::Draining {
            outbox.serve(Serving::Draining);
        }
        // Nothing is offered before it has said what it serves.
        self.members.insert(uid.to_owned(), member);
        if !self.peers.is_empty() {
            outbox.peers(self.peers.clone());
        }
        self.acquaint();
    }

    /// A pod reports. `None`: this stream of it counts no longer.
    pub fn hear(&mut self, uid: &str, session: u64, report: Report, now: Instant) -> Option<News> {
        let member = self.linked(uid, session)?;
        member.signals = report.signals;
        if report.signals.serving != member.serving
            && report.signals.serving == Serving::Draining
            && let Some(link) = &member.link
        {
            // A former leader told it so; whoever scales now will say it again.
            link.outbox.serve(member.serving);
        }
        let Some(status) = report.status else { return Some(News::No) };
        let was_introduced = std::mem::replace(&mut member.introduced, true);
        let answers = member.offered.take().is_some();
        let news = member.status.as_ref() != Some(&status);
        let refused = status.rejected.as_ref().map(|rejected| rejected.hash.clone());
        member.remember(refused.as_ref());
        member.status = Some(status);
        let desired = self.desired.as_ref().map(Config::hash);
        self.refused |= refused.is_some() && refused.as_ref() == desired;
        if news || answers || !was_introduced {
            self.settle(now);
        }
        Some(if news || std::mem::take(&mut self.untold) { News::Yes } else { News::No })
    }

    /// A stream has ended.
    pub fn leave(&mut self, uid: &str, session: u64, now: Instant) -> News {
        if let Some(member) = self.linked(uid, session) {
            member.link = None;
            member.offered = None;
            member.lost = Some(now);
        }
        self.settle(now);
        if std::mem::take(&mut self.untold) { News::Yes } else { News::No }
    }

    /// Time passes: words expire, offers become overdue.
    pub fn tick(&mut self, now: Instant) -> News {
        let before = self.members.len();
        let expired = |member: &Member| member.lost.is_some_and(|lost| now.duration_since(lost) >= GRACE);
        self.members.retain(|_, member| !expired(member));
        self.acquaint();
        self.settle(now);
        let told = !std::mem::take(&mut self.untold);
        if told && self.members.len() == before { News::No } else { News::Yes }
    }

    /// What the pods have said last, one answer for each that there is.
    pub fn answers(&self, endpoints: &[Endpoint]) -> Vec<Answer> {
        endpoints
            .iter()
            .map(|endpoint| {
                let member = self.members.get(&endpoint.uid);
                let status = member.and_then(|member| member.status.clone());
                let serving = member.map_or(Serving::Normal, |member| member.signals.serving);
                Answer { endpoint: endpoint.clone(), status, serving }
            })
            .collect()
    }

    /// The load that a connected pod reported last.
    pub fn signals(&self, uid: &str) -> Option<Signals> {
        let member = self.members.get(uid).filter(|member| member.link.is_some() && member.introduced)?;
        Some(member.signals)
    }

    /// Tells a pod what to be.
    pub fn serve(&mut self, uid: &str, serving: Serving) {
        if let Some(member) = self.members.get_mut(uid) {
            member.serve(serving);
        }
    }

    /// Tells every pod that drains to serve again.
    pub fn serve_all(&mut self) {
        for member in self.members.values_mut().filter(|member| member.serving == Serving::Draining) {
            member.serve(Serving::Normal);
        }
    }

    /// Whether some pod is expected that has not dialled.
    pub fn is_awaiting(&self) -> bool {
        self.awaited
    }

    /// Tells all where they reach each other, when that has changed. Who has hung up may be back in a moment.
    fn acquaint(&mut self) {
        let peers: Vec<SocketAddr> = self.members.values().filter_map(|member| member.peer).collect();
        if peers != self.peers {
            let links = self.members.values().filter_map(|member| member.link.as_ref());
            links.for_each(|link| link.outbox.peers(peers.clone()));
            self.peers = peers;
        }
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

    /// Whether the compiler may be believed: nobody is served by what would be replaced, and nobody is to be asked.
    fn attendance(&self) -> Attendance {
        let serving = self.places.values().any(|place| *place == Place::Ready);
        // One in its grace may be back in a moment.
        if self.awaited || self.refused || serving || !self.members.is_empty() {
            Attendance::Awaited
        } else {
            Attendance::Complete
        }
    }

    /// Sends what is to be sent until nothing is left to decide.
    fn settle(&mut self, now: Instant) {
        let Some(desired) = self.desired.clone() else { return };
        let accepted = self.accepted.clone();
        let places = &self.places;
        let pods: Vec<Pod<'_>> =
            self.members.iter().filter_map(|(uid, member)| member.pod(uid, places, now)).collect();
        let plan =
            rollout::plan(desired.hash(), accepted.as_ref().map(Config::hash), &pods, self.attendance());
        if plan.accept {
            tracing::debug!(revision = desired.revision, hash = desired.hash().short(), "accepted");
            self.accepted = Some(desired);
            self.untold = true;
            return self.settle(now);
        }
        let send: Vec<(String, Which)> =
            plan.send.into_iter().map(|(uid, which)| (uid.to_owned(), which)).collect();
        for (uid, which) in send {
            let config = if which == Which::Desired { Some(&desired) } else { accepted.as_ref() };
            if let (Some(config), Some(member)) = (config, self.members.get_mut(&uid)) {
                member.offer(config, now);
            }
        }
    }
}

#[cfg(test)]
#[path = "group_tests.rs"]
mod tests;
