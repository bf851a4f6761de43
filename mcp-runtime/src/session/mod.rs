//! Sessions of the legacy revisions (2025-11-25, transports, "Session Management").
//!
//! What a session is, is sealed into its id ([`Ticket`]): revision, capabilities, whose it is, which replica made it.
//! So an idle session costs this process nothing, and any replica that holds the server's keys can read it. What only
//! one process can hold is [`Live`]: calls that run, questions that wait for the client, its log level and the
//! resources that it watches. It is made when there is something to hold and forgotten when there is nothing.
//!
//! ```text
//! initialize ──► Ticket::new ──seal──► Mcp-Session-Id
//! POST, GET  ──► Sessions::open ──► Ticket, or 404 (forged, ended, too old, another's)
//!                    └─ Sessions::live ──► Live, shared by everything that the session does here
//! DELETE     ──► Sessions::end ──► a tombstone, until the ticket is too old by itself
//! ```

mod live;
mod table;
mod ticket;

pub use live::{Live, Running};
pub use table::{Gone, Sessions};
pub use ticket::{LIFETIME, SessionKey, Ticket};
