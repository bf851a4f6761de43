//! What one `mcp-runtime` process serves for one server: the contract between whoever compiles
//! (operator, `serve -f`, `lint`) and the runtime that serves it.
//!
//! In: the fields that `mcpfleet_crds::compile` fills. Out: canonical JSON bytes and their hash
//! ([`RuntimeConfig::encode`]), and on the other side a checked value ([`RuntimeConfig::decode`]).
//! The crate knows neither Kubernetes nor sockets. A runtime refuses a configuration as a whole:
//! an unknown field or a newer format is an error, never something to skip.

mod access;
mod admission;
mod asynchronous;
mod auth;
mod backend;
mod credential;
mod encode;
mod format;
mod guidance;
mod media_type;
mod model;
pub mod name_pattern;
mod neighbour;
mod offer;
pub mod pin;
mod prompt;
mod resource;
pub mod schema;
mod search;
pub mod status;
mod store;
pub mod stream;
pub mod text_template;
pub mod tool_name;
mod upstream;
pub mod upstream_tools;
pub mod uri_pattern;
pub mod uri_template;
mod validate;

pub use access::{Access, Issuer, Restricted, Strangers, TokenAlgorithm, is_scope};
pub use admission::{Admission, DEFAULT_MAX_STREAMS};
pub use asynchronous::{AsyncCalls, MAX_TASK_TTL_MS, MIN_TASK_TTL_MS, TASK_CANCEL, TASK_STATUS, task_start};
pub use auth::{ClientId, Header, HeaderValue, TokenRequest};
pub use backend::{Backend, BodySource, HttpBackend, HttpMethod, StaticBackend};
pub use credential::{CredentialRef, WHOLE_SECRET};
pub use encode::{ConfigHash, DecodeError, Encoded, MAX_BYTES};
pub use guidance::{ToolExample, ToolPriority};
pub use model::{
    FORMAT, Listener, Provider, ProviderApi, RuntimeConfig, ServerName, TlsListener, Tool, ToolAnnotations,
};
pub use neighbour::{Admitted, MAX_NEIGHBOURS, Neighbour, mcp_endpoint};
pub use offer::{Fault, Flaw};
pub use prompt::{MessageContent, Prompt, PromptArgument, PromptMessage, Role};
pub use resource::{
    Located, Resource, ResourceAddress, ResourceAnnotations, ResourceContent, ResourceVariable, decoded_size,
};
pub use search::{CALL_TOOL, Embeddings, MAX_RESULTS, SEARCH_TOOLS, ToolSearch, is_reserved};
pub use store::Store;
pub use upstream::{
    EnvValue, EnvVar, Processes, ToolOverride, Upstream, UpstreamAccess, UpstreamTools, UpstreamTransport,
};
pub use validate::Invalid;
