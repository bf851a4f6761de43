//! One tool of a snapshot: where its calls go, and within which bounds.

use super::{
    directory,
    merge::{Merged, Target},
    task_tools,
};
use crate::{search::Helper, telemetry::ToolMetrics, upstream::Repeat};
use mcpfleet_config::{RuntimeConfig, ToolPriority};
use mcpfleet_protocol::{header::ParamHeader, task::TaskSupport};
use std::{sync::Arc, time::Duration};

/// For an upstream that has left the configuration while its tools are still listed.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// For a search: longer than any model of embeddings is waited for, so that it can go on without one.
const HELP_TIMEOUT: Duration = Duration::from_secs(90);

/// One tool, ready to be called.
#[derive(Debug)]
pub struct Entry {
    /// Where calls go.
    pub target: Target,
    /// Deadline of a call.
    pub timeout: Duration,
    /// Scopes that a caller needs.
    pub scopes: Vec<String>,
    /// Its place in the list.
    pub rank: ToolPriority,
    /// Whether the gateway may make tasks of its calls.
    pub task_support: TaskSupport,
    /// Whether an upstream may be sent its calls again.
    pub repeat: Repeat,
    /// How long tasks are kept that its calls are; `None` when they are none.
    pub async_ttl: Option<Duration>,
    /// Arguments that modern clients repeat in headers.
    pub mirrored: Vec<ParamHeader>,
    /// Counts its calls.
    pub metrics: Arc<ToolMetrics>,
}

impl Entry {
    /// What carries a helper of search out.
    pub(super) fn of_helper(helper: Helper, metrics: Arc<ToolMetrics>) -> Arc<Self> {
        Arc::new(Self {
            target: Target::Helper(helper),
            timeout: HELP_TIMEOUT,
            scopes: Vec::new(),
            rank: ToolPriority::High,
            task_support: TaskSupport::Forbidden,
            repeat: Repeat::default(),
            async_ttl: None,
            mirrored: Vec::new(),
            metrics,
        })
    }

    /// What carries a tool of the list out.
    pub(super) fn new(tool: Merged, config: &RuntimeConfig, metrics: Arc<ToolMetrics>) -> Self {
        let (timeout, scopes, rank) = match &tool.target {
            Target::Own(own) => {
                (Duration::from_millis(own.config.timeout_ms), own.config.scopes.clone(), own.config.priority)
            }
            Target::Upstream { upstream, .. } => (
                upstream_timeout(config, upstream),
                directory::scopes(config, upstream),
                ToolPriority::Normal,
            ),
            Target::OwnOffer | Target::Missing { .. } | Target::Helper(_) => {
                (DEFAULT_TIMEOUT, Vec::new(), ToolPriority::Normal)
            }
        };
        // A tool with a broken annotation is one that modern clients leave out by themselves.
        let mirrored = tool.definition.param_headers().unwrap_or_default();
        let task_support = tool.definition.task_support();
        let repeat = if tool.definition.is_idempotent() { Repeat::Idempotent } else { Repeat::Unsent };
        let async_ttl = task_tools::ttl(config, &tool.target);
        Self {
            target: tool.target,
            timeout,
            scopes,
            rank,
            task_support,
            repeat,
            async_ttl,
            mirrored,
            metrics,
        }
    }
}

/// Longest that a request to an upstream may take.
pub(super) fn upstream_timeout(config: &RuntimeConfig, upstream: &str) -> Duration {
    let declared = config.upstreams.iter().find(|known| known.name == upstream);
    declared.map_or(DEFAULT_TIMEOUT, |known| Duration::from_millis(known.timeout_ms))
}
