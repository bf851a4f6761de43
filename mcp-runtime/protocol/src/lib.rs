//! JSON-RPC and the revisions of the Model Context Protocol, sans-IO: plain functions over headers and bytes.
//!
//! ```text
//!              headers + body bytes                       typed values, unread JSON
//!  client  ──────────────────────────►  server::accept  ──────────────────────────►  runtime
//!          ◄──────────────────────────  answer, jsonrpc ◄──────────────────────────
//!                                       server::Refusal
//!
//! upstream ◄──────────────────────────  client::Peer    ◄──────────────────────────  runtime
//!          ──────────────────────────►  sse, client::read ─────────────────────────►
//! ```
//!
//! | | legacy | modern |
//! |---|---|---|
//! | revisions served | 2025-11-25 | 2026-07-28 |
//! | known, not served yet | 2024-11-05, 2025-03-26, 2025-06-18 | |
//! | opens with | `initialize`, `notifications/initialized` | nothing; `server/discover` at will |
//! | revision, client, capabilities | in `initialize`, then the session | in `_meta` of each request |
//! | headers of a POST | `MCP-Protocol-Version`, `Mcp-Session-Id` | `MCP-Protocol-Version`, `Mcp-Method`, `Mcp-Name` |
//! | unknown method | -32601, HTTP 200 | -32601, HTTP 404 |
//! | notification stream | GET | `subscriptions/listen` |
//! | cancel | `notifications/cancelled` | closing the response stream |
//! | `ping` | `{}` | no such method |
//! | results | as they are | `resultType`; lists and discover `ttlMs`, `cacheScope`; `_meta` with the server |
//!
//! Which rule follows which clause of the specification (modelcontextprotocol.io/specification):
//!
//! | rule | clause | where |
//! |---|---|---|
//! | the era belongs to the message | 2026-07-28 versioning, "Backward Compatibility with Initialization-Based Versions" | [`server::accept`] |
//! | one message a POST, no batches | both, "Sending Messages" | [`jsonrpc::parse`] |
//! | ids are strings or integers, never null | 2026-07-28 basic, "Requests" | [`jsonrpc::Id`] |
//! | foreign `Origin` is 403 | "Security Warning" / "Security & Endpoint" | [`server::AllowedOrigins`] |
//! | bad revision header is 400 | 2025-11-25 transports, "Protocol Version Header" | [`server::Reason::ProtocolVersionHeader`] |
//! | headers mirror the body | 2026-07-28 streamable HTTP, "Server Validation" | [`server::Reason::HeaderMismatch`] |
//! | base64 where a value is not safe | 2026-07-28 streamable HTTP, "Value Encoding" | [`header::encode_value`] |
//! | parameters mirrored into headers | 2026-07-28 streamable HTTP, "Custom Headers from Tool Parameters" | [`header::ParamHeader`] |
//! | required `_meta` keys | 2026-07-28 basic, "Per-request protocol fields" | [`server::Reason::Envelope`] |
//! | unsupported revision names those that are | 2026-07-28 versioning, "Protocol Version Negotiation" | [`server::Reason::UnsupportedProtocolVersion`] |
//! | the answer to `initialize` | 2025-11-25 lifecycle, "Version Negotiation" | [`Revision::negotiate`] |
//! | sessions end with 404 | 2025-11-25 transports, "Session Management" | [`server::Refusal::session_unknown`], [`client::classify_failure`] |
//! | a GET opens a notification stream, or is 405 | 2025-11-25 transports, "Listening for Messages from the Server" | [`server::accept_get`] |
//! | subscriptions: opt-in, acknowledged first, ended by the empty response | 2026-07-28 basic/patterns/subscriptions | [`Subscription`] |
//! | probing a server | 2026-07-28 streamable HTTP, "Backward Compatibility" | [`client::classify_probe`] |
//! | error codes | 2026-07-28 basic, "Error Codes" | [`ErrorCode`] |
//!
//! What nobody here needs to understand is kept as text ([`json::JsonText`], `RawValue`) and handed on unchanged. Every
//! text from outside first passes [`json::scan`], which bounds its depth and refuses repeated keys. The size of a body is
//! for its reader to bound. No function panics, whatever its input.

pub mod answer;
mod capabilities;
pub mod client;
mod error_code;
pub mod header;
pub mod input;
pub mod json;
pub mod jsonrpc;
pub mod message;
mod method;
pub mod mrtr;
mod revision;
pub mod server;
pub mod sse;
mod subscription;
pub mod task;
mod tool;

pub use capabilities::{
    Capability, ClientCapabilities, ListChanges, Offered, ResourcesOffer, ServerCapabilities,
};
pub use error_code::ErrorCode;
pub use method::{AsksBack, Method};
pub use revision::{Era, Revision, names_modern_era};
pub use subscription::Subscription;
pub use tool::{Tool, ToolError};
