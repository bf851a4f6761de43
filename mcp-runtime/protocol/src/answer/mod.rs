//! Results that we write as a server, in the shape of the client's era.
//!
//! In: typed values, or results of an upstream as they came. Out: [`JsonText`], to be wrapped by
//! [`crate::jsonrpc::success`]. What does not depend on the request (initialize, discover, lists) is written once per
//! snapshot and era and sent many times.

mod call;
mod handshake;
mod list;

pub use call::{CallResult, Content, ForwardError, ToolOutcome, forward_result};
pub(crate) use handshake::server_meta_members;
pub use handshake::{Implementation, ListChanges, ServerIdentity, discover, initialize, tools_capability};
pub use list::{CachePolicy, CacheScope, ToolsPage, list_tools};

use crate::json::JsonText;

/// The result of `ping`; legacy only (2025-11-25, basic/utilities/ping).
pub fn pong() -> JsonText {
    JsonText::empty_object()
}
