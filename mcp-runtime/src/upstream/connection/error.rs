//! What can go wrong with a server behind us. The texts follow the server's name and hold no secret.

use crate::{
    egress::EgressError,
    exchange::Unanswered,
    outgoing::{NoCredential, SendError},
    program::ProgramError,
};
use http::StatusCode;
use mcpfleet_protocol::{
    client::{EndpointError, ReplyError, Unusable},
    jsonrpc::RpcError,
    mrtr::InputError,
};
use serde_json::value::RawValue;
use std::time::Duration;

/// Why a request to a server gave no result.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// It could not be sent, or its answer broke off.
    #[error(transparent)]
    Egress(#[from] EgressError),
    /// Nothing was sent: it could not carry what it is to carry.
    #[error(transparent)]
    Credential(#[from] NoCredential),
    /// It is a program, and there is no process of it, or none any more.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The hello or the list took too long.
    #[error("it did not answer within {} s", .0.as_secs())]
    Timeout(Duration),
    /// The probe found that the server is of no use to us.
    #[error(transparent)]
    Unusable(#[from] Unusable),
    /// It does not know our session, also not a new one.
    #[error("it forgets the session that it has just given")]
    SessionExpired,
    /// 401 or 403.
    #[error("it refuses our credentials (HTTP {0}); whoever runs this server must renew them")]
    Unauthorized(StatusCode),
    /// 429 or 503.
    #[error("it is overloaded (HTTP {0}); try again later")]
    Busy(StatusCode),
    /// Another status that is no success and says nothing that MCP knows.
    #[error("it answered HTTP {0}")]
    Status(StatusCode),
    /// A success in a form that MCP does not know.
    #[error("it answered in a form that is not MCP's ({0}); is its URL the MCP endpoint?")]
    Foreign(String),
    /// An answer above our bound.
    #[error("its answer is larger than {limit} bytes")]
    TooLarge {
        /// The bound, in bytes.
        limit: usize,
    },
    /// The stream or body ended before the answer came.
    #[error("it ended the exchange without an answer; whether the request took effect is unknown")]
    NoAnswer,
    /// What came was no answer to what was asked.
    #[error(transparent)]
    Reply(#[from] ReplyError),
    /// A modern server wants something in the middle of a call that the client has not declared.
    #[error("it asks for {0} in the middle of the call, which the client does not offer")]
    NotOffered(String),
    /// The client gave no answer to what a modern server wants in the middle of a call.
    #[error("it asks for {method} in the middle of the call, and {why}")]
    Unanswered {
        /// What it asked for.
        method: &'static str,
        /// Why there is no answer.
        why: Unanswered,
    },
    /// What a modern server wants cannot be read.
    #[error("what it asks for in the middle of the call cannot be used: {0}")]
    Inputs(#[from] InputError),
    /// A modern server asks back for ever.
    #[error("it asked back {rounds} times in one call, which is the most that is followed")]
    TooManyRounds {
        /// The bound.
        rounds: usize,
    },
    /// A legacy server has too many questions at once.
    #[error("it has more than {limit} questions at once in one call")]
    TooManyQuestions {
        /// The bound.
        limit: usize,
    },
    /// A request that has no form on the wire.
    #[error("{0}")]
    Unaskable(&'static str),
    /// What answers GET is no stream of HTTP+SSE.
    #[error("it has no event stream that says where to send messages")]
    NoEndpoint,
    /// The server of an HTTP+SSE stream wants its messages elsewhere.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// A modern server's result of a kind that we must not guess at.
    #[error("its result has an unknown resultType")]
    UnknownResultType,
    /// It answered with an error.
    #[error("{}", .0.message)]
    Rpc(RpcFailure),
}

impl From<SendError> for ClientError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Credential(error) => error.into(),
            SendError::Egress(error) => error.into(),
        }
    }
}

/// A JSON-RPC error.
#[derive(Debug)]
pub struct RpcFailure {
    /// Its code.
    pub code: i64,
    /// Its message.
    pub message: String,
    /// Its data.
    pub data: Option<Box<RawValue>>,
}

impl From<RpcError<'_>> for RpcFailure {
    fn from(error: RpcError<'_>) -> Self {
        Self {
            code: error.code,
            message: error.message.into_owned(),
            data: error.data.map(ToOwned::to_owned),
        }
    }
}
