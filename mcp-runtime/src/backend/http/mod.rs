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
    egress::{Egress, EgressError},
    outgoing::{Behalf, SendError},
};
use mcpfleet_config::HttpBackend;
use serde_json::{Map, Value};

/// Sends the request and turns the response into a result.
pub async fn run(
    backend: &HttpBackend,
    arguments: &Map<String, Value>,
    behalf: &Behalf<'_>,
    egress: &Egress,
) -> Result<ToolResult, CallError> {
    let draft = match request::Draft::of(backend, arguments) {
        Ok(draft) => draft,
        Err(for_model) => return Ok(ToolResult::failure(for_model)),
    };
    let without = |error: &dyn std::error::Error| CallError::Unavailable { message: error.to_string() };
    let source = behalf.source(&backend.headers).map_err(|error| without(&error))?;
    let sent = source.send(egress, behalf.caller, |headers| draft.request(egress, headers)).await;
    let response = sent.map_err(|error| match error {
        SendError::Credential(error) => without(&error),
        SendError::Egress(error) => unavailable(&error),
    })?;
    response::read(response, backend.max_response_bytes).await.map_err(|error| unavailable(&error))
}

fn unavailable(error: &EgressError) -> CallError {
    let advice = match error {
        EgressError::Refused { .. } | EgressError::Unsendable => "whoever wrote this tool must correct it",
        EgressError::Interrupted { .. } | EgressError::TooLarge { .. } => {
            "whether the request took effect is unknown; look before you repeat it"
        }
        EgressError::Dns { .. } | EgressError::Connect { .. } | EgressError::Tls { .. } => {
            "nothing was sent; try again later, or tell whoever runs this server"
        }
    };
    CallError::Unavailable { message: format!("{error}: {advice}") }
}
