//! The work behind a tool of ours.

pub mod http;

use crate::{
    call::{CallError, Outcome, ToolResult},
    egress::Egress,
    outgoing::Behalf,
};
use mcpfleet_config::Backend;
use serde_json::{Map, Value};

/// Runs a backend. Whoever calls sets the deadline around it: dropping the future cancels the work.
pub async fn run(
    backend: &Backend,
    arguments: &Map<String, Value>,
    behalf: &Behalf<'_>,
    egress: &Egress,
) -> Result<Outcome, CallError> {
    let result = match backend {
        Backend::Static(fixed) => ToolResult::text(&fixed.text),
        Backend::Http(request) => http::run(request, arguments, behalf, egress).await?,
    };
    Ok(Outcome::Made(result))
}
