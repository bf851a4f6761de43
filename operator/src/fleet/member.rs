//! One pod: its stream, what it has said, what it was sent.

use super::{
    Config,
    outbox::Outbox,
    rollout::{Offer, Place, Pod},
};
use mcpfleet_config::{
    ConfigHash,
    status::PodStatus,
    stream::{Serving, Signals},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

/// How long a pod may take to answer an offer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Refusals that are remembered of a pod.
const MAX_REFUSALS: usize = 64;

/// One pod that has dialled.
#[derive(Debug, Default)]
pub(super) struct Member {
    pub(super) pod: String,
    pub(super) format: u32,
    /// Where other replicas reach it.
    pub(super) peer: Option<SocketAddr>,
    /// The stream, while there is one, and its number.
    pub(super) link: Option<Link>,
    pub(super) status: Option<PodStatus>,
    /// Whether it has reported on this stream.
    pub(super) introduced: bool,
    /// What it has refused, whichever stream it was sent on.
    pub(super) refuses: BTreeSet<ConfigHash>,
    pub(super) signals: Signals,
    pub(super) offered: Option<(ConfigHash, Instant)>,
    pub(super) lost: Option<Instant>,
    /// What it was told to be.
    pub(super) serving: Serving,
}

#[derive(Debug)]
pub(super) struct Link {
    pub(super) session: u64,
    pub(super) outbox: Arc<Outbox>,
}

impl Member {
    /// As far as a rollout is concerned; `None` while it cannot be sent anything.
    pub(super) fn pod<'a>(
        &'a self,
        uid: &'a str,
        places: &BTreeMap<String, Place>,
        now: Instant,
    ) -> Option<Pod<'a>> {
        self.link.as_ref().filter(|_| self.introduced)?;
        let status = self.status.as_ref()?;
        Some(Pod {
            uid,
            name: &self.pod,
            place: places.get(uid).copied().unwrap_or(Place::Outside),
            format: self.format,
            serves: status.config_hash.as_ref(),
            refuses: &self.refuses,
            offered: self.offered.as_ref().map(|(hash, at)| {
                let overdue = now.duration_since(*at) >= PATIENCE;
                Offer { hash, overdue }
            }),
        })
    }

    pub(super) fn remember(&mut self, refused: Option<&ConfigHash>) {
        if self.refuses.len() >= MAX_REFUSALS {
            self.refuses.clear();
        }
        self.refuses.extend(refused.cloned());
    }

    /// Told at once, and again when it dials anew.
    pub(super) fn serve(&mut self, serving: Serving) {
        self.serving = serving;
        if let Some(link) = &self.link {
            link.outbox.serve(serving);
        }
    }

    pub(super) fn offer(&mut self, config: &Config, now: Instant) {
        if let Some(link) = &self.link {
            self.offered = Some((config.hash().clone(), now));
            link.outbox.config(config.clone());
        }
    }
}
