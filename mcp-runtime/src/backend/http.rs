//! Backend `http`: one request made from the arguments.

use crate::{
    call::{CallError, ToolResult},
    credentials::Credentials,
    egress::Egress,
};
use mcpfleet_config::HttpBackend;
use serde_json::{Map, Value};

/// Sends the request and turns the response into a result.
pub async fn run(
    _backend: &HttpBackend,
    _arguments: &Map<String, Value>,
    _credentials: &Credentials,
    _egress: &Egress,
) -> Result<ToolResult, CallError> {
    Err(CallError::Unavailable { message: "not there yet".into() })
}
