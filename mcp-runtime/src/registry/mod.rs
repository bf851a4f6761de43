//! `/registry`: every server and tool that a caller may use.
//!
//! The shape is that of the MCP registry's list of servers (`GET /v0.1/servers`, `ServerList` of its `OpenAPI` document of
//! 2025-12-01) with `tools` beside each `server`, and what is ours in `_meta`. A page is made of what its caller may see at
//! that moment; nothing is kept between pages, for a cursor names the last server and tool of the one before.

mod entry;
mod page;

pub use entry::{Entry, Listed, Place};
pub use page::{BadQuery, Page, Query};
