//! Events: one for each change of a condition's reason, never for a retry.

use crate::{children::OPERATOR, condition};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Client, Resource,
    runtime::events::{Event, EventType, Recorder, Reporter},
};
use mcpfleet_crds::v1alpha1::{Condition, McpServer, UpstreamState, UpstreamStatus};

/// Longest note that the API takes, in bytes.
const MAX_NOTE: usize = 1_024;
/// Conditions that come and go with `Ready`, or with Events of their own, say nothing new.
const SILENT: [&str; 4] = ["Available", "Reconciling", "Stalled", "UpstreamsConnected"];

/// Writes Events. One for the whole process, so that repetitions become a series.
#[derive(Clone)]
pub struct Events {
    recorder: Recorder,
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

impl Events {
    /// Events in the name of this pod.
    pub fn new(client: Client, pod: String) -> Self {
        let reporter = Reporter { controller: OPERATOR.into(), instance: Some(pod) };
        Self { recorder: Recorder::new(client, reporter) }
    }

    /// Tells what is different. Failing to tell is no reason to fail: the condition says it too.
    pub async fn publish(&self, object: &ObjectReference, before: &[Condition], after: &[Condition]) {
        for change in changes(before, after) {
            let event = Event {
                type_: if is_trouble(change) { EventType::Warning } else { EventType::Normal },
                reason: change.reason.clone(),
                note: Some(note(&change.message)),
                action: change.type_.clone(),
                secondary: None,
            };
            self.tell(&event, object).await;
        }
    }
}

/// Name of the Event of a change of `spec.replicas` by the scaler.
const SCALED: &str = "Scaled";

impl Events {
    /// Tells that the number of pods was changed, and why.
    pub async fn scaled(&self, server: &McpServer, from: i32, to: u32, why: &str) {
        let event = Event {
            type_: EventType::Normal,
            reason: SCALED.into(),
            note: Some(note(&format!("from {from} to {to} replicas: {why}"))),
            action: "Scale".into(),
            secondary: None,
        };
        self.tell(&event, &server.object_ref(&())).await;
    }

    /// Tells of each upstream that is lost, or is there again.
    pub async fn upstreams(&self, server: &McpServer, before: &[UpstreamStatus], after: &[UpstreamStatus]) {
        for event in upstream_changes(before, after) {
            self.tell(&event, &server.object_ref(&())).await;
        }
    }

    async fn tell(&self, event: &Event, object: &ObjectReference) {
        if let Err(error) = self.recorder.publish(event, object).await {
            tracing::warn!(%error, reason = %event.reason, "an Event could not be written");
        }
    }
}

fn upstream_changes(before: &[UpstreamStatus], after: &[UpstreamStatus]) -> Vec<Event> {
    let event = |now: &UpstreamStatus| {
        let old = before.iter().find(|old| old.name == now.name);
        let (type_, reason) = upstream_change(old, now)?;
        let message = now.message.as_deref().unwrap_or("it answers again");
        Some(Event {
            type_,
            reason: reason.into(),
            note: Some(note(&format!("upstream {}: {message}", now.name))),
            action: "Connect".into(),
            secondary: None,
        })
    };
    after.iter().filter_map(event).collect()
}

/// That a new upstream answers goes without saying.
fn upstream_change(old: Option<&UpstreamStatus>, now: &UpstreamStatus) -> Option<(EventType, &'static str)> {
    use UpstreamState::{Connected, Connecting, Refused, Unreachable};
    let was = old.map(|old| old.state);
    let keeps_back = |upstream: &UpstreamStatus| upstream.withheld_count > 0;
    let was_degraded = old.is_some_and(|old| old.state == Connected && old.message.is_some());
    match now.state {
        Unreachable if was != Some(Unreachable) => Some((EventType::Warning, "UpstreamUnreachable")),
        Refused if was != Some(Refused) => Some((EventType::Warning, "UpstreamRefused")),
        // What a model reads has changed behind everybody's back: told even of one that had something else to say.
        Connected if keeps_back(now) && !old.is_some_and(keeps_back) => {
            Some((EventType::Warning, "ToolsWithheld"))
        }
        Connected if now.message.is_some() => {
            (!was_degraded).then_some((EventType::Warning, "UpstreamDegraded"))
        }
        Connected if matches!(was, Some(Unreachable | Refused)) => {
            Some((EventType::Normal, "UpstreamConnected"))
        }
        Connected | Connecting | Unreachable | Refused => None,
    }
}

fn changes<'a>(before: &'a [Condition], after: &'a [Condition]) -> impl Iterator<Item = &'a Condition> {
    after.iter().filter(|now| !SILENT.contains(&now.type_.as_str())).filter(|now| {
        let old = condition::find(before, &now.type_);
        match old {
            Some(old) => (&old.status, &old.reason) != (&now.status, &now.reason),
            // That a new object has no trouble goes without saying.
            None => is_trouble(now),
        }
    })
}

/// Waiting for something that is on its way is no trouble.
fn is_trouble(condition: &Condition) -> bool {
    const ON_ITS_WAY: [&str; 9] = [
        "RolloutInProgress",
        "ConfigPropagating",
        "Connecting",
        "PodsStale",
        "Idle",
        "ScalingDown",
        "ScalingPaused",
        "Propagating",
        "NoReadyPod",
    ];
    condition.status != "True" && !ON_ITS_WAY.contains(&condition.reason.as_str())
}

fn note(message: &str) -> String {
    message.chars().take(MAX_NOTE / 4).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::{Verdict, settle};

    fn ready(status: bool, reason: &str, message: &str) -> Vec<Condition> {
        settle(&[], vec![Verdict::new("Ready", status, reason, message)], None, jiff::Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn only_a_new_reason_is_news() {
        let before = ready(false, "SecretMissing", "one");
        assert_eq!(changes(&before, &ready(false, "SecretMissing", "two")).count(), 0);
        assert_eq!(changes(&before, &ready(false, "ImagePullFailed", "")).count(), 1);
        assert_eq!(changes(&[], &before).count(), 1);
        assert_eq!(changes(&[], &ready(true, "Served", "")).count(), 0, "a new object without trouble");
        assert_eq!(changes(&before, &ready(true, "Served", "")).count(), 1);
    }

    #[test]
    fn an_upstream_that_is_lost_or_back_is_told_once() {
        let upstream = |state: UpstreamState, message: Option<&str>| {
            let value = serde_json::json!({
                "name": "crm", "state": state, "since": "2026-01-01T00:00:00Z", "message": message,
            });
            vec![serde_json::from_value::<UpstreamStatus>(value).unwrap()]
        };
        let reasons = |before: &[UpstreamStatus], after: &[UpstreamStatus]| -> Vec<String> {
            upstream_changes(before, after).into_iter().map(|event| event.reason).collect()
        };
        let connected = upstream(UpstreamState::Connected, None);
        let degraded = upstream(UpstreamState::Connected, Some("the next image cannot be pulled"));
        let down = upstream(UpstreamState::Unreachable, Some("refused"));
        let connecting = upstream(UpstreamState::Connecting, None);
        assert_eq!(reasons(&connecting, &connected), [""; 0], "a new upstream that answers");
        assert_eq!(reasons(&[], &down), ["UpstreamUnreachable"]);
        assert_eq!(reasons(&connected, &down), ["UpstreamUnreachable"]);
        assert_eq!(reasons(&down, &upstream(UpstreamState::Unreachable, Some("timed out"))), [""; 0]);
        assert_eq!(reasons(&down, &connected), ["UpstreamConnected"]);
        assert_eq!(reasons(&connected, &degraded), ["UpstreamDegraded"]);
        assert_eq!(reasons(&degraded, &degraded), [""; 0]);
        let mut withholding = degraded.clone();
        withholding[0].withheld_count = 1;
        assert_eq!(reasons(&degraded, &withholding), ["ToolsWithheld"]);
        assert_eq!(reasons(&withholding, &withholding), [""; 0]);
        assert_eq!(reasons(&withholding, &degraded), [""; 0]);
    }

    #[test]
    fn progress_is_no_warning() {
        assert!(!is_trouble(&ready(false, "RolloutInProgress", "")[0]));
        assert!(is_trouble(&ready(false, "ImagePullFailed", "")[0]));
    }
}
