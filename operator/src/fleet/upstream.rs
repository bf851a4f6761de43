//! What the pods of a server say of one upstream, taken together.

use mcpfleet_config::status::{UpstreamState, UpstreamStatus, UpstreamWire};

/// The word of all pods on one upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamWord {
    /// `Unreachable` when one of them cannot use it; else `Connected` when one can. One that has just started and asks
    /// for the first time changes nothing.
    pub state: UpstreamState,
    /// Tools, as the pod with the most of them counts.
    pub tools: u32,
    /// What the first of those in that state says.
    pub message: Option<String>,
    /// Revision of the protocol that is spoken with it.
    pub revision: Option<String>,
    /// How messages travel to it.
    pub transport: Option<UpstreamWire>,
}

impl UpstreamWord {
    /// The word of one pod.
    pub fn of(status: &UpstreamStatus) -> Self {
        let UpstreamStatus { state, tools, message, revision, transport, .. } = status.clone();
        Self { state, tools, message, revision, transport }
    }

    /// Takes that of another one in.
    pub fn join(&mut self, status: &UpstreamStatus) {
        let other = Self::of(status);
        match weight(other.state).cmp(&weight(self.state)) {
            std::cmp::Ordering::Greater => (self.state, self.message) = (other.state, other.message),
            std::cmp::Ordering::Equal => self.message = self.message.take().or(other.message),
            std::cmp::Ordering::Less => {}
        }
        self.tools = self.tools.max(other.tools);
        self.revision = self.revision.take().or(other.revision);
        self.transport = self.transport.or(other.transport);
    }
}

fn weight(state: UpstreamState) -> u8 {
    match state {
        UpstreamState::Connecting => 0,
        UpstreamState::Connected => 1,
        UpstreamState::Unreachable => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(state: UpstreamState, tools: u32, message: Option<&str>) -> UpstreamStatus {
        let revision = (state == UpstreamState::Connected).then_some("2025-11-25");
        let told =
            json!({"name": "crm", "state": state, "tools": tools, "message": message, "revision": revision});
        serde_json::from_value(told).unwrap()
    }

    /// State, tools and message of what two pods say, whoever comes first.
    fn joined(one: &UpstreamStatus, other: &UpstreamStatus) -> (UpstreamState, u32, Option<String>) {
        let join = |first: &UpstreamStatus, second: &UpstreamStatus| {
            let mut word = UpstreamWord::of(first);
            word.join(second);
            word
        };
        assert_eq!(join(one, other), join(other, one));
        let word = join(one, other);
        (word.state, word.tools, word.message)
    }

    #[test]
    fn one_pod_that_cannot_use_it_is_told_and_one_that_has_just_started_is_not() {
        let connected = said(UpstreamState::Connected, 4, None);
        let unreachable = said(UpstreamState::Unreachable, 0, Some("refused"));
        let starting = said(UpstreamState::Connecting, 0, Some("asking"));
        let refused = Some("refused".to_owned());
        assert_eq!(joined(&connected, &unreachable), (UpstreamState::Unreachable, 4, refused.clone()));
        assert_eq!(joined(&starting, &unreachable), (UpstreamState::Unreachable, 0, refused));
        assert_eq!(joined(&starting, &connected), (UpstreamState::Connected, 4, None));
    }
}
