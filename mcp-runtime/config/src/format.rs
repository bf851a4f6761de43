//! Which version of the format a configuration needs.

use crate::{Access, Header, RuntimeConfig, Tool, ToolPriority, Upstream, UpstreamTransport};

/// The version that brought prompts, resources, guidance on tools, and callers that must say who they are.
const THIRD: u32 = 3;
/// The version that brought upstreams that are programs, filters of what upstreams offer, tools whose calls are tasks, a
/// store, tool search and neighbours.
const FOURTH: u32 = 4;

impl RuntimeConfig {
    /// The oldest [`FORMAT`](crate::FORMAT) that can say all of this; what `format` is to be.
    pub fn oldest_format(&self) -> u32 {
        let offers = !self.prompts.is_empty() || !self.resources.is_empty();
        let scoped = self.tools.iter().any(|tool| !tool.scopes.is_empty())
            || self.upstreams.iter().any(|upstream| !upstream.scopes.is_empty());
        let third = offers || scoped || self.access != Access::Anonymous;
        let headers = self.headers().map(Header::oldest_format).max().unwrap_or(1);
        let tools = self.tools.iter().map(Tool::oldest_format).max().unwrap_or(1);
        let upstreams = self.upstreams.iter().map(Upstream::oldest_format).max().unwrap_or(1);
        let fourth = self.store.is_some() || self.tool_search.is_some() || !self.neighbours.is_empty();
        let fields = match (fourth, third) {
            (true, _) => FOURTH,
            (false, true) => THIRD,
            (false, false) => 1,
        };
        [self.admission.oldest_format(), headers, tools, upstreams, fields].into_iter().max().unwrap_or(1)
    }
}

impl Tool {
    fn oldest_format(&self) -> u32 {
        match self.asynchronous {
            Some(_) => FOURTH,
            None if self.is_guided() => THIRD,
            None => 1,
        }
    }

    /// Whether it says what only format 3 can.
    fn is_guided(&self) -> bool {
        self.priority != ToolPriority::Normal || !self.examples.is_empty() || self.output_schema.is_some()
    }
}

impl Upstream {
    fn oldest_format(&self) -> u32 {
        let program = matches!(self.transport, UpstreamTransport::Stdio { .. });
        if program || !self.tools.is_everything() { FOURTH } else { 1 }
    }
}
