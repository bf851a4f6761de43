use super::plain;
use crate::{
    fixtures::{serving, situation},
    server::{Applied, Observed, judge, status::compose},
};
use mcpfleet_crds::v1alpha1::McpServerStatus;
use std::sync::Arc;

fn status_of(observed: &Observed, before: &McpServerStatus) -> McpServerStatus {
    let applied = Applied::default();
    let situation = situation(observed, &applied, None);
    compose(before, &situation, &judge(&situation))
}

#[test]
fn a_status_that_was_reported_is_the_one_to_report() {
    let observed = serving(plain());
    let first = status_of(&observed, &McpServerStatus::default());
    // As the API server gives it back.
    let stored: McpServerStatus = serde_json::from_value(serde_json::to_value(&first).unwrap()).unwrap();
    assert_eq!(status_of(&observed, &stored), stored);
    assert_eq!((first.observed_generation, first.ready_replicas, first.tools), (Some(1), 1, 1));
    assert_eq!((first.config.total, first.config.synced), (1, 1));
    assert_eq!((first.config.rejected, first.config.stale), (0, 0));
    assert_eq!(first.config.accepted_hash, first.config.desired_hash);
    assert_eq!(first.url, "http://support.agents.svc/mcp");
    assert!(first.conditions.iter().all(|condition| condition.observed_generation == Some(1)));
}

#[test]
fn a_restarted_operator_says_nothing_before_it_has_asked() {
    let mut observed = serving(plain());
    let reported = status_of(&observed, &McpServerStatus::default());
    observed.answers = None;
    let mut object = observed.server.as_ref().clone();
    object.status = Some(reported);
    observed.server = Arc::new(object.clone());
    let waits = |observed: &Observed| judge(&situation(observed, &Applied::default(), None)).wait_for_answers;
    assert!(waits(&observed));
    object.metadata.generation = Some(2);
    observed.server = Arc::new(object);
    assert!(!waits(&observed), "a new generation is reported at once");
}
