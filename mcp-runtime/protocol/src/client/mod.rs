//! The up side: we are the client.
//!
//! In: what to ask, of a [`Peer`] whose era is known ([`classify_probe`] finds it out). Out: [`Outgoing`], headers and
//! body of a POST. Back: the head of the answer says where the message is ([`answer_form`]), [`read`] says what a
//! message from the server is, [`classify_failure`] what a bad status means.

mod failure;
mod outgoing;
mod peer;
mod probe;
mod reply;

pub use failure::{AnswerForm, Failure, SentSession, answer_form, classify_failure};
pub use outgoing::{CallParams, Outgoing};
pub use peer::{LegacyPeer, ModernPeer, Peer, initialize};
pub use probe::{Probe, Unusable, classify_probe};
pub use reply::{FromServer, InitializeReply, ReplyError, ToolsReply, answer_server_request, read};
