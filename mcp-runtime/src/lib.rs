//! `mcp-runtime`: serves MCP and model calls from a [`mcpfleet_config::RuntimeConfig`].
//!
//! One call, one way through:
//! ```text
//! socket -> transport -> protocol (era) -> Call { tool, arguments, deadline }
//!   -> call::stack: validate | admission | deadline | telemetry -> backend or upstream -> Outcome
//!   -> protocol -> socket
//! ```
//! A request takes one [`catalog`] snapshot at entry and keeps it to its end; [`reload`] swaps snapshots.

pub mod admin;
pub mod admission;
pub mod adoption;
pub mod backend;
pub mod call;
pub mod catalog;
pub mod cli;
pub mod conversation;
pub mod credentials;
pub mod egress;
pub mod exchange;
pub mod fleet;
pub mod identity;
pub mod model;
pub mod outgoing;
pub mod peer;
pub mod program;
pub mod readiness;
pub mod registry;
pub mod reload;
pub mod seal;
pub mod search;
pub mod server;
pub mod session;
pub mod source;
pub mod store;
pub mod telemetry;
pub mod transport;
pub mod uplink;
pub mod upstream;
