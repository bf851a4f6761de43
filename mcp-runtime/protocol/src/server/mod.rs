//! The down side: we are the server.
//!
//! In: headers and body of a POST to the MCP endpoint, or headers of a GET. Out: [`Incoming`], or the [`Context`] of a
//! notification stream, or a [`Refusal`] that is a whole HTTP answer. Sessions, authentication and body size belong to the caller; [`Refusal`] has the answers for them.

mod accept;
mod accept_get;
mod incoming;
mod legacy;
mod media;
mod meta;
mod modern;
mod operation;
mod origin;
mod param_headers;
mod refusal;

pub use accept::accept;
pub use accept_get::accept_get;
pub use incoming::{
    CallTool, Context, Incoming, Initialize, Listen, Notification, Notified, Operation, Request, Response,
    Wanted,
};
pub use media::Accepts;
pub use meta::{LogLevel, Meta, key};
pub use origin::AllowedOrigins;
pub use param_headers::check_param_headers;
pub(crate) use refusal::clipped;
pub use refusal::{Reason, Refusal};
