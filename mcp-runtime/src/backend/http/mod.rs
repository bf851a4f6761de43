//! Backend `http`: one request made from the arguments.
//!
//! In: the arguments of a call, already checked against the tool's schema. Out: a result, which is a failure that the
//! model reads when the service answered with an error, or [`CallError::Unavailable`] when there was no answer.
//! The host is fixed by the tool's author; no argument reaches it.

mod excerpt;
mod request;
mod response;

use crate::{
    call::{CallError, ToolResult},
    credentials::Credentials,
    egress::{Egress, EgressError},
};
use mcpfleet_config::HttpBackend;
use request::BuildError;
use serde_json::{Map, Value};

/// Sends the request and turns the response into a result.
pub async fn run(
    backend: &HttpBackend,
    arguments: &Map<String, Value>,
    credentials: &Credentials,
    egress: &Egress,
) -> Result<ToolResult, CallError> {
    let request = match request::build(backend, arguments, credentials, egress) {
        Ok(request) => request,
        Err(BuildError::ForModel(text)) => return Ok(ToolResult::failure(text)),
        Err(BuildError::Credential(missing)) => {
            return Err(CallError::Unavailable { message: missing.to_string() });
        }
    };
    let response = egress.send(request).await.map_err(|error| unavailable(&error))?;
    response::read(response, backend.max_response_bytes).await.map_err(|error| unavailable(&error))
}

fn unavailable(error: &EgressError) -> CallError {
    let advice = match error {
        EgressError::Refused { .. } | EgressError::Unsendable => "whoever wrote this tool must correct it",
        EgressError::Interrupted { .. } => {
            "whether the request took effect is unknown; look before you repeat it"
        }
        EgressError::Dns { .. } | EgressError::Connect { .. } | EgressError::Tls { .. } => {
            "nothing was sent; try again later, or tell whoever runs this server"
        }
    };
    CallError::Unavailable { message: format!("{error}: {advice}") }
}
