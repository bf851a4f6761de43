//! Version `v1alpha1` of the API group `mcpfleet.dev`: what users write.
//!
//! Every string and list has a bound (it makes the cost of the CEL rules computable), every rule has a
//! message that names field and remedy, and a field exists only when the product acts on it.

// KubeSchema repeats each struct and its attributes inside a function, where `pub` reaches nobody;
// and the hints of ToolAnnotations have MCP's own names.
#![allow(unreachable_pub, clippy::duplicated_attributes, clippy::struct_field_names)]

mod asynchronous;
mod auth;
mod autoscaling;
mod duration;
mod http_auth;
mod prompt;
mod reference;
mod resource;
mod route;
mod server;
mod status;
mod store;
mod tool;
mod tool_search;
mod upstream;

pub use asynchronous::AsyncCalls;
pub use auth::{Anonymous, Auth, Issuer, Keys, Scope, TokenAlgorithm};
pub use autoscaling::{Autoscaling, Scaler};
pub use duration::{DurationError, DurationString};
pub use http_auth::{BasicAuth, Empty, HeaderAuth, HttpAuth, LoginRef, Secret, TokenClient};
pub use prompt::{EmbeddedResource, Image, Prompt, PromptArgument, PromptMessage, Role};
pub use reference::{SecretKeyRef, SecretRef};
pub use resource::{Resource, ResourceAnnotations, ResourceContent, ResourceVariable};
pub use route::{Model, Provider, ProviderApi, ProviderRoute, ProviderRouteSpec, ProviderRouteStatus};
pub use server::{Admission, McpServer, McpServerSpec, McpServerStatus, PodTemplate, Selection, Tls};
pub use status::{
    Condition, ConditionStatus, ConfigStatus, DefinitionPart, Membership, UpstreamState, UpstreamStatus,
    UpstreamWire, WithheldTool,
};
pub use store::{Redis, Store};
pub use tool::{
    Backend, BodySource, HttpBackend, HttpHeader, HttpMethod, McpTool, McpToolSpec, McpToolStatus,
    StaticBackend, ToolAnnotations, ToolExample, ToolPriority,
};
pub use tool_search::{Embeddings, ToolSearch};
pub(crate) use upstream::default_path;
pub use upstream::{
    EnvVar, EnvVarSource, Pin, Pinning, Processes, Remote, ServerGroup, ServerRef, ServiceRef, Stdio,
    ToolOverride, Upstream, UpstreamAccess, UpstreamSelector, UpstreamTools,
};

/// API group of the three kinds.
pub const GROUP: &str = "mcpfleet.dev";
