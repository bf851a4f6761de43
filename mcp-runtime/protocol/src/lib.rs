//! JSON-RPC and the revisions of the Model Context Protocol, sans-IO.

pub mod answer;
pub mod client;
mod error_code;
pub mod header;
pub mod json;
pub mod jsonrpc;
mod revision;
pub mod server;
pub mod sse;
mod tool;

pub use error_code::ErrorCode;
pub use revision::{Era, Revision, names_modern_era};
pub use tool::{Tool, ToolError};
