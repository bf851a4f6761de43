//! JSON-RPC 2.0 as MCP narrows it: one message a body, ids are strings or integers, params are objects.
//!
//! In: a body's bytes (its size already bounded by whoever read it). Out: a [`Message`] that borrows from them.
//! And back: [`success`] and [`error`] write answers around results that are already text.

mod id;
mod parse;
mod write;

pub use id::{Id, MAX_ID_BYTES};
pub use parse::{Body, MAX_BATCH, Message, Outcome, ParseError, RpcError, parse, parse_body};
pub use write::{batch, error, error_with_null_id, forwarded_error, notification, request, success, with_id};
