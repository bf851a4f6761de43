//! What the answers of a server's pods come to.

use super::{Answer, upstream::UpstreamWord};
use mcpfleet_config::{
    ConfigHash, CredentialRef,
    status::{CredentialUser, PodStatus, Rejected, TlsStatus},
    stream::Serving,
};
use std::collections::{BTreeMap, BTreeSet};

/// The answers, seen from the configuration that is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Pods that are connected, or Ready.
    pub total: usize,
    /// Pods of them that serve the wanted configuration.
    pub synced: usize,
    /// Pods of them that are not connected.
    pub stale: Vec<String>,
    /// Ready pods that are not connected, or serve another configuration.
    pub behind: Vec<String>,
    /// Pods that drain before a scale-down.
    pub draining: usize,
    /// Whether some pod has told of the parts.
    pub told: bool,
    /// Who refused the wanted configuration, and why.
    pub rejected: BTreeMap<String, String>,
    /// Who has no usable certificate, and why.
    pub tls: Option<(String, String)>,
    /// A pod that is not Ready, and why.
    pub not_ready: Option<(String, String)>,
    /// Missing credentials, each with what needs it.
    pub missing: BTreeMap<CredentialRef, BTreeSet<CredentialUser>>,
    /// What is told of each upstream.
    pub upstreams: BTreeMap<String, UpstreamWord>,
    /// Tools of upstreams, as the pod with the most of them counts.
    pub upstream_tools: usize,
}

impl Summary {
    /// Sums up. Only pods that hold the wanted configuration are believed about its parts; before one does, those that
    /// hold the `accepted` one.
    pub fn of(answers: &[Answer], wanted: &ConfigHash, accepted: Option<&ConfigHash>) -> Self {
        let mut summary = Self::default();
        let serves = |answer: &Answer, hash: &ConfigHash| {
            answer.status.as_ref().is_some_and(|status| status.config_hash.as_ref() == Some(hash))
        };
        let arrived = answers.iter().any(|answer| serves(answer, wanted));
        let believed = accepted.filter(|_| !arrived).unwrap_or(wanted);
        for answer in answers {
            let pod = &answer.endpoint.pod;
            let synced = serves(answer, wanted);
            if answer.status.is_none() && !answer.endpoint.ready {
                // It is starting: whether it connects is not known yet.
                continue;
            }
            summary.total += 1;
            summary.synced += usize::from(synced);
            if answer.endpoint.ready && !synced {
                summary.behind.push(pod.clone());
            }
            let Some(status) = &answer.status else {
                summary.stale.push(pod.clone());
                continue;
            };
            if let Some(reason) = status.not_ready_reason.as_ref().filter(|_| !status.ready) {
                summary.not_ready.get_or_insert_with(|| (pod.clone(), reason.clone()));
            }
            summary.note_refusals(pod, status, wanted);
            summary.draining += usize::from(answer.serving == Serving::Draining);
            if serves(answer, believed) {
                summary.note_parts(status);
            }
        }
        summary
    }

    fn note_refusals(&mut self, pod: &str, status: &PodStatus, wanted: &ConfigHash) {
        if let Some(Rejected { hash, message }) = &status.rejected
            && hash == wanted
        {
            self.rejected.insert(pod.into(), message.clone());
        }
        if let Some(TlsStatus { message, loaded }) = &status.tls
            && (!loaded || message.is_some())
        {
            let message = message.clone().unwrap_or_else(|| "no certificate is loaded".into());
            self.tls.get_or_insert_with(|| (pod.into(), message));
        }
    }

    fn note_parts(&mut self, status: &PodStatus) {
        self.told = true;
        for missing in &status.missing_credentials {
            self.missing
                .entry(missing.credential.clone())
                .or_default()
                .extend(missing.used_by.iter().cloned());
        }
        for upstream in &status.upstreams {
            match self.upstreams.get_mut(&upstream.name) {
                Some(word) => word.join(upstream),
                None => _ = self.upstreams.insert(upstream.name.clone(), UpstreamWord::of(upstream)),
            }
        }
        let tools = status.upstreams.iter().map(|upstream| upstream.tools as usize).sum();
        self.upstream_tools = self.upstream_tools.max(tools);
    }

    /// Whether every Ready pod, and at least one, serves the wanted configuration.
    pub fn has_arrived(&self) -> bool {
        self.synced > 0 && self.behind.is_empty()
    }

    /// Credentials that `user` lacks.
    pub fn missing_for<'a>(&'a self, user: &'a CredentialUser) -> impl Iterator<Item = &'a CredentialRef> {
        self.missing.iter().filter(move |(_, users)| users.contains(user)).map(|(credential, _)| credential)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Endpoint;
    use mcpfleet_config::status::MissingCredential;

    fn answer(pod: &str, status: Option<PodStatus>) -> Answer {
        let endpoint =
            Endpoint { pod: pod.into(), uid: pod.into(), address: [10, 0, 0, 1].into(), ready: true };
        Answer { endpoint, status, serving: Serving::Normal }
    }

    #[test]
    fn only_pods_that_hold_the_wanted_configuration_speak_of_its_parts() {
        let (wanted, old) = (ConfigHash::of(b"new"), ConfigHash::of(b"old"));
        let credential = CredentialRef { secret: "s".into(), key: "k".into() };
        let user = CredentialUser::Tool("t".into());
        let with = |hash: &ConfigHash| PodStatus {
            config_hash: Some(hash.clone()),
            missing_credentials: vec![MissingCredential {
                credential: credential.clone(),
                used_by: vec![user.clone()],
            }],
            ..PodStatus::default()
        };
        let behind = Summary::of(&[answer("a", Some(with(&old))), answer("b", None)], &wanted, None);
        assert_eq!((behind.total, behind.synced, behind.behind.len()), (2, 0, 2));
        assert_eq!(behind.stale, ["b"]);
        assert!(behind.missing.is_empty());
        // Before anyone has it, those that serve what is accepted say how it stands.
        let before = Summary::of(&[answer("a", Some(with(&old)))], &wanted, Some(&old));
        assert_eq!(before.missing_for(&user).count(), 1);
        let synced = Summary::of(&[answer("a", Some(with(&wanted)))], &wanted, None);
        assert_eq!((synced.total, synced.synced, synced.behind.len()), (1, 1, 0));
        assert_eq!(synced.missing_for(&user).collect::<Vec<_>>(), [&credential]);
        assert_eq!(synced.missing_for(&CredentialUser::Tool("u".into())).count(), 0);
    }

    #[test]
    fn a_refusal_of_another_configuration_is_history() {
        let wanted = ConfigHash::of(b"new");
        let refused = |hash: ConfigHash| PodStatus {
            rejected: Some(Rejected { hash, message: "no".into() }),
            ..PodStatus::default()
        };
        assert_eq!(
            Summary::of(&[answer("a", Some(refused(ConfigHash::of(b"old"))))], &wanted, None).rejected.len(),
            0
        );
        assert_eq!(
            Summary::of(&[answer("a", Some(refused(wanted.clone())))], &wanted, None).rejected.len(),
            1
        );
    }
}
