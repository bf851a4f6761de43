//! The up side: we are the client.
//!
//! In: what to [`Ask`], of a [`Peer`] whose era is known ([`classify_probe`] finds it out), and what goes with it
//! ([`AskContext`]). Out: [`Outgoing`], headers and body of a POST. Back: the head of the answer says where the message
//! is ([`answer_form`]), [`read`] says what a message from the server is, [`classify_failure`] what a bad status means.

mod ask;
mod endpoint;
mod failure;
mod frames;
mod handshake;
mod lists;
mod outgoing;
mod peer;
mod probe;
mod reply;

pub use ask::{Ask, AskContext, ListKind};
pub use endpoint::{EndpointError, sse_endpoint};
pub use failure::{AnswerForm, Failure, SentSession, answer_form, classify_failure};
pub use frames::{Frame, read_frame};
pub use handshake::{DiscoverReply, InitializeReply};
pub use lists::{ListReply, MAX_LIST, ToolsReply};
pub use outgoing::Outgoing;
pub use peer::{LegacyPeer, ModernPeer, Peer, initialize};
pub use probe::{Probe, Unusable, classify_probe};
pub use reply::{FromServer, ReplyError, answer_server_request, messages, read};
