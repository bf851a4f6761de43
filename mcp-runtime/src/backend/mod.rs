//! The work behind a tool of ours.

pub mod http;

use crate::{
    call::{CallError, Outcome, ToolResult},
    credentials::Credentials,
    egress::Egress,
};
use mcpfleet_config::Backend;
use serde_json::{Map, Value};

/// Runs a backend. Whoever calls sets the deadline around it: dropping the future cancels the work.
pub async fn run(
    backend: &Backend,
    arguments: &Map<String, Value>,
    credentials: &Credentials,
    egress: &Egress,
) -> Result<Outcome, CallError> {
    let result = match backend {
        Backend::Static(fixed) => ToolResult::text(&fixed.text),
        Backend::Http(request) => http::run(request, arguments, credentials, egress).await?,
    };
    Ok(Outcome::Made(result))
}
