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
//!
//! between: answer::forward_result, answer::translate_error (down), input::rewrite_request (a server's question, down),
//!          mrtr (questions in results, both ways), message and Subscription (what answers nothing)
//! ```
//!
//! | | legacy | modern |
//! |---|---|---|
//! | revisions served | 2024-11-05, 2025-03-26, 2025-06-18, 2025-11-25 | 2026-07-28 |
//! | opens with | `initialize`, `notifications/initialized` | nothing; `server/discover` at will |
//! | revision, client, capabilities | in `initialize`, then the session | in `_meta` of each request |
//! | headers of a POST | `MCP-Protocol-Version`, `Mcp-Session-Id` | `MCP-Protocol-Version`, `Mcp-Method`, `Mcp-Name` |
//! | unknown method | -32601, HTTP 200 | -32601, HTTP 404 |
//! | several messages a POST | 2025-03-26 only | no |
//! | notification stream | GET | `subscriptions/listen` |
//! | a server asks the client | by requests of its own | by an `input_required` result, answered by a retry |
//! | cancel | `notifications/cancelled` | closing the response stream |
//! | `ping` | `{}` | no such method |
//! | no such resource | -32002 | -32602 |
//! | results | as they are | `resultType`; lists and discover `ttlMs`, `cacheScope`; `_meta` with the server |
//!
//! Which rule follows which clause of the specification (modelcontextprotocol.io/specification):
//!
//! | rule | clause | where |
//! |---|---|---|
//! | the era belongs to the message | 2026-07-28 versioning, "Backward Compatibility with Initialization-Based Versions" | [`server::accept`] |
//! | one message a POST | all but 2025-03-26, "Sending Messages" | [`jsonrpc::parse`] |
//! | batches, bounded, without `initialize` | 2025-03-26 basic, "Batching"; lifecycle, "Initialization" | [`server::accept_post`] |
//! | no headers on stdio and HTTP+SSE | 2024-11-05 transports; 2026-07-28 stdio | [`server::accept_message`] |
//! | which revision has which method | schemas of all | [`Method`] |
//! | ids are strings or integers, never null | 2026-07-28 basic, "Requests" | [`jsonrpc::Id`] |
//! | foreign `Origin` is 403 | "Security Warning" / "Security & Endpoint" | [`server::AllowedOrigins`] |
//! | bad revision header is 400 | 2025-06-18 and 2025-11-25 transports, "Protocol Version Header" | [`server::Reason::ProtocolVersionHeader`] |
//! | without a header and a session it is 2025-03-26 | the same | [`Revision::WITHOUT_HEADER`] |
//! | headers mirror the body | 2026-07-28 streamable HTTP, "Server Validation" | [`server::Reason::HeaderMismatch`] |
//! | base64 where a value is not safe | 2026-07-28 streamable HTTP, "Value Encoding" | [`header::encode_value`] |
//! | parameters mirrored into headers | 2026-07-28 streamable HTTP, "Custom Headers from Tool Parameters" | [`header::ParamHeader`] |
//! | required `_meta` keys | 2026-07-28 basic, "Per-request protocol fields" | [`server::Reason::Envelope`] |
//! | unsupported revision names those that are | 2026-07-28 versioning, "Protocol Version Negotiation" | [`server::Reason::UnsupportedProtocolVersion`] |
//! | the answer to `initialize` | 2025-11-25 lifecycle, "Version Negotiation" | [`Revision::negotiate`] |
//! | sessions end with 404 | 2025-11-25 transports, "Session Management" | [`server::Refusal::session_unknown`], [`client::classify_failure`] |
//! | a GET opens a notification stream, or is 405 | 2025-11-25 transports, "Listening for Messages from the Server" | [`server::accept_get`] |
//! | subscriptions: opt-in, acknowledged first, ended by the empty response | 2026-07-28 basic/patterns/subscriptions | [`Subscription`] |
//! | which capability has which shape | schemas of all | [`ClientCapabilities`], [`ServerCapabilities`] |
//! | nobody is asked for what was not declared | 2026-07-28 basic/patterns/mrtr, "Server Requirements" | [`ClientCapabilities::allows`] |
//! | a server's requests in older words | 2025-06-18 and 2025-11-25 client/elicitation, client/sampling | [`input::rewrite_request`] |
//! | questions in results | 2026-07-28 basic/patterns/mrtr | [`mrtr`] |
//! | a URL that must be visited | 2025-11-25 client/elicitation, "URL Elicitation Required Error" | [`answer::url_elicitations`] |
//! | content that a revision lacks | server/tools of each | [`answer::forward_result`] |
//! | cache hints: the stricter of two | 2026-07-28 server/utilities/caching | [`answer::CachePolicy::and`] |
//! | the endpoint of HTTP+SSE stays at its origin | 2024-11-05 transports, "HTTP with SSE" | [`client::sse_endpoint`] |
//! | tasks are named by `taskId` | extension `io.modelcontextprotocol/tasks` | [`server::Operation::Task`] |
//! | probing a server | 2026-07-28 streamable HTTP, "Backward Compatibility" | [`client::classify_probe`] |
//! | error codes | 2026-07-28 basic, "Error Codes" | [`ErrorCode`] |
//!
//! What nobody here needs to understand is kept as text ([`json::JsonText`], `RawValue`) and handed on unchanged. Every
//! text from outside first passes [`json::scan`], which bounds its depth and refuses repeated keys. The size of a body is
//! for its reader to bound. No function panics, whatever its input;
//! `fuzz/README.md` says how that is looked for.

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
