//! An MCP server with everything that the official conformance suite asks for, of either era, on `rmcp`: the upstream
//! of our tests. It keeps a ledger, so that a test can tell what a gateway really did: how often each tool began,
//! finished, was asked again or cancelled, and which answers came.
//!
//! ```text
//!  HTTP -> front (era, sessions, /ledger) ┬-> rmcp -> server -> tools -> dialogue (asks the client, either era's way)
//!  stdio -> pipe (a ledger in a file)     ┘
//! ```

// Sampling, roots and logging are deprecated in 2026-07-28, and this server is there to show them.
#![allow(deprecated)]

mod bus;
mod catalog;
mod dialogue;
mod era;
mod front;
mod ledger;
mod page;
mod pipe;
mod server;
mod shared;
mod tools;

pub use era::Era;
pub use front::serve;
pub use pipe::serve_stdio;
pub use shared::Options;
