//! Results that we write as a server, in the shape of the client's revision.
//!
//! In: typed values, or results and errors of an upstream as they came. Out: [`JsonText`], to be wrapped by
//! [`crate::jsonrpc::success`]. What does not depend on the request (initialize, discover, lists) is written once per
//! snapshot and revision and sent many times.

mod call;
mod content;
mod definition;
mod error;
mod forward;
mod handshake;
mod list;
mod own;

pub use crate::capabilities::ListChanges;
pub use call::{CallResult, Content, ToolOutcome};
pub(crate) use content::block;
pub(crate) use definition::is_known;
pub use definition::{Definition, DefinitionError};
pub use error::{translate_error, url_elicitations};
pub use forward::{Forward, ForwardError, forward_result};
pub(crate) use handshake::server_meta_members;
pub use handshake::{Implementation, Keeps, ServerIdentity, discover, discover_keeping, initialize};
pub use list::{CachePolicy, CacheScope, ListPage, ToolsPage, list, list_tools, write_definitions};
pub use own::{
    MAX_COMPLETIONS, ResourceBody, ResourceContents, Role, complete, empty_result, get_prompt,
    input_required, read_resource,
};

use crate::json::JsonText;

/// The result of `ping`; legacy only (2025-11-25, basic/utilities/ping).
pub fn pong() -> JsonText {
    JsonText::empty_object()
}
