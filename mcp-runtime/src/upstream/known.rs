//! What is known of one upstream: what it said last, and what of that is served.

use super::{
    approved::Approved,
    connection::{About, Listing, Wire},
    naming,
    offer::Offers,
    remote::Remote,
};
use jiff::Timestamp;
use mcpfleet_config::{
    Upstream,
    status::{MAX_WITHHELD, UpstreamError, UpstreamState, UpstreamStatus, UpstreamWire},
};
use mcpfleet_protocol::Revision;
use std::sync::Arc;

/// What is known of an upstream.
#[derive(Debug, Clone)]
pub(super) struct Known {
    state: UpstreamState,
    /// Since when it is in this state.
    since: String,
    /// What there is to say of its offer.
    note: Option<String>,
    /// What there is to say of how it talks.
    complaint: Option<String>,
    last_error: Option<UpstreamError>,
    /// What it said last, when it has said anything. Names, filters and pins are applied to it anew when they change.
    listing: Option<Arc<Listing>>,
    keep: Keep,
    approved: Approved,
    pub(super) offers: Offers,
    /// What the last hello said.
    pub(super) greeting: Option<Greeting>,
    /// What calls go through; absent while there is nothing.
    pub(super) remote: Option<Arc<Remote>>,
}

/// What a hello said.
#[derive(Debug, Clone)]
pub(super) struct Greeting {
    pub(super) revision: Revision,
    pub(super) wire: Wire,
    pub(super) about: About,
}

/// Whether the tools of an upstream that does not answer are listed still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// It may come back in a moment.
    Listed,
    /// It is gone for long.
    TakenOff,
}

impl Known {
    /// An upstream that was never asked.
    pub(super) fn nothing() -> Self {
        Self {
            state: UpstreamState::Connecting,
            since: now(),
            note: None,
            complaint: None,
            last_error: None,
            listing: None,
            keep: Keep::Listed,
            approved: Approved::default(),
            offers: Offers::default(),
            greeting: None,
            remote: None,
        }
    }

    /// One that cannot be asked at all.
    pub(super) fn unusable(why: String) -> Self {
        let mut known = Self::nothing();
        known.enter(UpstreamState::Unreachable);
        known.last_error = Some(UpstreamError { message: why, since: known.since.clone() });
        known
    }

    /// It has answered.
    pub(super) fn answered(
        &mut self,
        upstream: &Upstream,
        listing: Listing,
        greeting: Greeting,
        remote: Arc<Remote>,
    ) {
        self.enter(UpstreamState::Connected);
        self.listing = Some(Arc::new(listing));
        self.keep = Keep::Listed;
        self.greeting = Some(greeting);
        self.remote = Some(remote);
        self.expose(upstream);
    }

    /// It answers, and does what it should not.
    pub(super) fn complain(&mut self, complaint: Option<String>) {
        self.complaint = complaint;
    }

    /// It has not.
    pub(super) fn lost(&mut self, upstream: &Upstream, error: String, keep: Keep) {
        self.enter(UpstreamState::Unreachable);
        self.last_error = Some(UpstreamError { message: error, since: self.since.clone() });
        self.remote = None;
        if self.keep != keep {
            self.keep = keep;
            self.expose(upstream);
        }
    }

    /// Applies names, filters and pins to what it said last.
    pub(super) fn expose(&mut self, upstream: &Upstream) {
        let Some(listing) = &self.listing else { return };
        let (mut offers, note) = naming::expose(upstream, listing, &mut self.approved);
        let before = &self.offers.withheld;
        for tool in offers.withheld.iter().filter(|tool| !before.contains(tool)) {
            let (tool, difference) = (&tool.tool, &tool.difference);
            tracing::warn!(
                upstream = upstream.name,
                tool,
                difference,
                "tool withheld: it is not what was approved"
            );
        }
        if self.keep == Keep::TakenOff {
            offers = offers.taken_off();
        }
        (self.offers, self.note) = (offers, note);
    }

    /// What it said last, while it answers.
    pub(super) fn listing(&self) -> Option<&Listing> {
        self.listing.as_deref().filter(|_| self.state == UpstreamState::Connected)
    }

    /// Why it cannot be used, when it cannot.
    pub(super) fn trouble(&self) -> Option<&UpstreamError> {
        self.last_error.as_ref().filter(|_| self.state == UpstreamState::Unreachable)
    }

    pub(super) fn status(&self, name: &str) -> UpstreamStatus {
        let count = |length| u32::try_from(length).unwrap_or(u32::MAX);
        let withheld = &self.offers.withheld;
        UpstreamStatus {
            name: name.to_owned(),
            state: self.state,
            tools: count(self.offers.tools.len()),
            message: self.message(),
            revision: self.greeting.as_ref().map(|greeting| greeting.revision.to_string()),
            transport: self.greeting.as_ref().map(|greeting| match greeting.wire {
                Wire::StreamableHttp => UpstreamWire::StreamableHttp,
                Wire::HttpSse => UpstreamWire::HttpSse,
                Wire::Stdio => UpstreamWire::Stdio,
            }),
            since: Some(self.since.clone()),
            last_error: self.last_error.clone(),
            withheld: withheld.iter().take(MAX_WITHHELD).cloned().collect(),
            withheld_count: count(withheld.len()),
        }
    }

    fn message(&self) -> Option<String> {
        if let Some(trouble) = self.trouble() {
            return Some(trouble.message.clone());
        }
        let said: Vec<&str> =
            [&self.note, &self.complaint].into_iter().flatten().map(String::as_str).collect();
        (!said.is_empty()).then(|| said.join("; "))
    }

    fn enter(&mut self, state: UpstreamState) {
        if self.state != state {
            (self.state, self.since) = (state, now());
        }
    }
}

/// To the second: it is for people, and for the model.
fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
