//! The runtime's edges against real sockets: tiny HTTP servers with scripted faults, and a ledger of what they received.
//! Nothing here measures time; where order matters, one side waits for the other.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::needless_pass_by_value, clippy::unnecessary_wraps, reason = "scripts read better so")]

mod call_command;
mod callers;
mod chat;
mod http_backend;
mod http_faults;
mod mcp;
mod refused_streams;
mod server;
mod speech;
mod tls;
mod upstream;
mod upstream_again;
mod upstream_faults;
mod upstream_filters;
mod upstream_interim;
mod upstream_lists;
mod upstream_news;
mod upstream_pool;
mod upstream_questions;
mod upstream_rounds;
mod upstream_sessions;
mod upstream_sse;
