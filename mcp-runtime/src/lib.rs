//! `mcp-runtime`: serves MCP and model calls from a [`mcpfleet_config::RuntimeConfig`].
//!
//! One call, one way through:
//! ```text
//! socket -> transport -> protocol (era) -> Call { tool, arguments, deadline }
//!   -> call::stack: validate | admission | deadline | telemetry -> backend or upstream -> Outcome
//!   -> protocol -> socket
//! ```
//! A request takes one [`catalog`] snapshot at entry and keeps it to its end; [`reload`] swaps snapshots.

pub mod backend;
pub mod call;
pub mod cli;
pub mod credentials;
pub mod egress;
pub mod model;
pub mod upstream;
