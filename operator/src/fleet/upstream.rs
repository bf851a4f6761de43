//! What the pods of a server say of one upstream, taken together.

use mcpfleet_config::status::{UpstreamState, UpstreamStatus, UpstreamWire, WithheldTool};
use std::collections::{BTreeMap, btree_map::Entry};

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
    /// Tools that some pod keeps back and names, by name.
    pub withheld: BTreeMap<String, WithheldTool>,
    /// How many are kept back, as the pod with the most of them counts; those that are named at least.
    pub withheld_count: u32,
}

impl UpstreamWord {
    /// The word of one pod.
    pub fn of(status: &UpstreamStatus) -> Self {
        let UpstreamStatus { state, tools, message, revision, transport, withheld_count, .. } =
            status.clone();
        let mut word =
            Self { state, tools, message, revision, transport, withheld: BTreeMap::new(), withheld_count };
        word.note_withheld(&status.withheld);
        word
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
        self.withheld_count = self.withheld_count.max(other.withheld_count);
        self.note_withheld(&status.withheld);
    }

    fn note_withheld(&mut self, tools: &[WithheldTool]) {
        for tool in tools {
            match self.withheld.entry(tool.tool.clone()) {
                Entry::Vacant(place) => _ = place.insert(tool.clone()),
                Entry::Occupied(mut known) if account(tool) > account(known.get()) => {
                    known.insert(tool.clone());
                }
                Entry::Occupied(_) => {}
            }
        }
        let named = u32::try_from(self.withheld.len()).unwrap_or(u32::MAX);
        self.withheld_count = self.withheld_count.max(named);
    }
}

/// How much is told of a change: a pod that started after it no longer knows what was approved. The rest keeps the word
/// the same whichever pod is heard first.
fn account(tool: &WithheldTool) -> impl Ord + '_ {
    (!tool.difference.is_empty(), &tool.changed, &tool.difference)
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

    #[test]
    fn what_any_pod_keeps_back_is_told_with_what_any_pod_knows_of_it() {
        let keeping = |count: u32, tools: &[(&str, &str)]| -> UpstreamStatus {
            let withheld = |(tool, difference): &(&str, &str)| json!({"tool": tool, "changed": ["description"], "difference": difference});
            let withheld: Vec<_> = tools.iter().map(withheld).collect();
            let told = json!({"name": "crm", "state": "Connected", "tools": 1, "withheldCount": count, "withheld": withheld});
            serde_json::from_value(told).unwrap()
        };
        let knowing = keeping(1, &[("find", "description: a -> b")]);
        let started_since = keeping(2, &[("find", ""), ("get", "")]);
        let word = |first: &UpstreamStatus, second: &UpstreamStatus| {
            let mut word = UpstreamWord::of(first);
            word.join(second);
            word
        };
        let joined = word(&knowing, &started_since);
        assert_eq!(joined, word(&started_since, &knowing));
        assert_eq!(joined.withheld_count, 2);
        let told: Vec<_> =
            joined.withheld.values().map(|tool| (tool.tool.as_str(), tool.difference.as_str())).collect();
        assert_eq!(told, [("find", "description: a -> b"), ("get", "")]);
        // Replicas of an upstream that are not of one version: each pod keeps another tool back.
        assert_eq!(word(&knowing, &keeping(1, &[("get", "")])).withheld_count, 2);
    }
}
