//! What a failed call says to whoever made it.

use super::connection::{ClientError, RpcFailure};
use crate::{call::CallError, egress::EgressError, program::ProgramError};
use mcpfleet_config::status::UpstreamError;
use mcpfleet_protocol::{Era, ErrorCode};

/// An upstream's own error goes on as it is; everything else names the upstream.
pub(super) fn for_caller(upstream: &str, error: ClientError, from: Era) -> CallError {
    match error {
        ClientError::Rpc(RpcFailure { code, message, data }) => {
            CallError::Upstream { code, message, data, from }
        }
        ClientError::Unaskable(why) => CallError::Upstream {
            code: ErrorCode::InvalidParams.number(),
            message: why.to_owned(),
            data: None,
            from,
        },
        ClientError::Egress(EgressError::Interrupted { .. }) => CallError::Unavailable {
            message: format!(
                "upstream {upstream:?} failed: {error}; whether the call took effect is unknown, so it was not repeated"
            ),
        },
        error => CallError::Unavailable { message: format!("upstream {upstream:?} failed: {error}") },
    }
}

/// What a call to an upstream that does not answer says.
pub(super) fn unreachable(upstream: &str, trouble: Option<&UpstreamError>) -> CallError {
    let why = trouble.map_or_else(
        || "it has not answered yet".to_owned(),
        |trouble| format!("it has not answered since {}: {}", trouble.since, trouble.message),
    );
    CallError::Unavailable {
        message: format!(
            "upstream {upstream:?} cannot be used now, {why}; it is asked again by itself, so try later, or do \
             without it"
        ),
    }
}

/// Whether the error gives reason to look at the upstream as a whole, rather than at this call.
pub(super) fn is_about_the_connection(error: &ClientError) -> bool {
    match error {
        ClientError::Egress(_)
        | ClientError::SessionExpired
        | ClientError::Unauthorized(_)
        | ClientError::Status(_)
        | ClientError::Foreign(_)
        | ClientError::Unusable(_)
        | ClientError::NoEndpoint
        | ClientError::Endpoint(_)
        | ClientError::NoAnswer => true,
        ClientError::Program(why) => *why != ProgramError::TooMany,
        ClientError::Credential(_)
        | ClientError::Timeout(_)
        | ClientError::Busy(_)
        | ClientError::TooLarge { .. }
        | ClientError::Reply(_)
        | ClientError::NotOffered(_)
        | ClientError::Unanswered { .. }
        | ClientError::Inputs(_)
        | ClientError::TooManyRounds { .. }
        | ClientError::TooManyQuestions { .. }
        | ClientError::Unaskable(_)
        | ClientError::UnknownResultType
        | ClientError::Rpc(_) => false,
    }
}
