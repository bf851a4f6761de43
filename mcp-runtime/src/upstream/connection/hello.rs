//! What greetings have in common, whatever the server is reached by.

use super::{
    ClientError, Ids, RpcFailure,
    exchange::Reply,
    outlet::Outlet,
    questions,
    session::{About, Session, Side, Wire},
};
use crate::{
    exchange::{Standing, Unanswered},
    upstream::bell::Bell,
};
use bytes::Bytes;
use mcpfleet_protocol::{
    ClientCapabilities, Era, Revision,
    answer::Implementation,
    client::{DiscoverReply, InitializeReply, LegacyPeer, ModernPeer, Outgoing, Peer, initialize},
    header::SessionId,
    json::JsonText,
    jsonrpc::{self, Id},
};
use serde_json::value::RawValue;
use std::{borrow::Cow, sync::Arc};

/// A greeting of what is reached at `to`.
pub(super) struct Hello<'a, T> {
    pub(super) to: &'a T,
    pub(super) declared: &'a ClientCapabilities,
    pub(super) ids: &'a Ids,
    pub(super) bell: &'a Arc<Bell>,
    /// The way to the client that the session is for.
    pub(super) standing: &'a Standing,
}

/// What a first greeting found out, so that others need not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The server's era.
    pub era: Era,
    /// How messages travel to it.
    pub wire: Wire,
}

impl<T> Clone for Hello<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Hello<'_, T> {}

impl<T> Hello<'_, T> {
    pub(super) fn ourselves(self) -> ModernPeer {
        let capabilities = self.declared.write(Revision::LATEST_MODERN);
        ModernPeer { client: ourselves(), capabilities, log_level: None }
    }

    pub(super) fn initialize(self, id: &Id<'_>) -> Outgoing {
        let revision = Revision::LATEST_LEGACY;
        initialize(id, &ourselves(), &self.declared.write(revision), revision)
    }

    /// The session with a server that has answered `server/discover`.
    pub(super) fn modern(
        self,
        outlet: Outlet,
        (wire, side): (Wire, Option<Side>),
        result: &RawValue,
    ) -> Result<Session, ClientError> {
        let reply = DiscoverReply::read(result)?;
        let about = About {
            capabilities: reply.offers,
            instructions: reply.instructions.map(Cow::into_owned),
            info: reply.server_info.and_then(Implementation::read),
        };
        let peer = Peer::Modern(self.ourselves());
        Ok(Session::new(outlet, (wire, side), peer, self.declared.clone(), about))
    }
}

/// A server that has answered `initialize`, which gives no session id where there is only one session.
pub(super) fn greeted(
    result: &RawValue,
    session: Option<SessionId>,
) -> Result<(LegacyPeer, About), ClientError> {
    let reply = InitializeReply::read(result)?;
    let about = About {
        capabilities: reply.offers,
        instructions: reply.instructions.map(Cow::into_owned),
        info: reply.server_info.and_then(Implementation::read),
    };
    Ok((LegacyPeer { revision: reply.revision, session }, about))
}

/// The message that a reply came in, for the probe.
pub(super) fn message(id: &Id<'_>, reply: &Reply) -> Bytes {
    match reply {
        Reply::Result(result) => jsonrpc::success(id, &JsonText::from(&**result)),
        Reply::Error(RpcFailure { code, message, data }) => {
            let (code, message, data) = (*code, message.clone(), data.clone());
            questions::body(id, Err(Unanswered::Refused { code, message, data }))
        }
    }
}

fn ourselves() -> Implementation {
    Implementation::new("mcp-runtime", env!("CARGO_PKG_VERSION"))
}
