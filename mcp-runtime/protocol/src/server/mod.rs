//! The down side: we are the server.
//!
//! In: headers and body of a POST to the MCP endpoint, or headers of a GET. Out: [`Incoming`], or the [`Context`] of a
//! notification stream, or a [`Refusal`] that is a whole HTTP answer. Sessions, authentication and body size belong to the caller; [`Refusal`] has the answers for them.

mod accept;
mod accept_get;
mod batch;
mod incoming;
mod legacy;
mod media;
mod meta;
mod modern;
mod notified;
mod operation;
mod origin;
mod param_headers;
mod params;
mod refusal;

pub use accept::{accept, accept_message, accept_post};
pub use accept_get::accept_get;
pub use incoming::{Context, Incoming, Notification, Posted, Request, Response};
pub use media::Accepts;
pub use meta::{LogLevel, Meta, key};
pub(crate) use operation::read_filter;
pub use origin::AllowedOrigins;
pub use param_headers::check_param_headers;
pub use params::{
    CallTool, Complete, GetPrompt, Initialize, Listen, Notified, Operation, ReadResource, Reference,
    TaskVerb, Wanted,
};
pub(crate) use refusal::clipped;
pub use refusal::{Reason, Refusal};
