//! The deciding steps on situations that stand for what happens in clusters.

mod judge;
mod plan;
mod selected;
mod status;
mod upstreams;
mod withheld;

use super::Observed;
use crate::fixtures::{observed, server, tool};
use mcpfleet_config::status::PodStatus;
use serde_json::json;
use std::sync::Arc;

/// `support` with one tool, before anything was applied.
fn plain() -> Observed {
    observed(server(json!({})), &[tool("hello", json!({}))])
}

/// The same with its pods saying something else.
fn with_status(mut observed: Observed, change: impl Fn(&mut PodStatus)) -> Observed {
    let mut answers = observed.answers.as_deref().cloned().unwrap_or_default();
    for status in answers.iter_mut().filter_map(|answer| answer.status.as_mut()) {
        change(status);
    }
    observed.answers = Some(Arc::new(answers));
    observed
}
