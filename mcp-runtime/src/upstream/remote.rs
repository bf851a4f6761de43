//! An upstream that answers: the connection that its lists come from, and those that calls go through.

use super::{
    again::Budget,
    connection::{ClientError, Connection},
    sessions::Sessions,
};
use crate::{
    admission::Permit,
    call::Outcome,
    exchange::{Caller, Request},
};
use mcpfleet_protocol::client::{Ask, AskContext};
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct Remote {
    pub(super) watching: Arc<Connection>,
    pub(super) sessions: Arc<Sessions>,
    /// How much may be sent to it again.
    pub(super) budget: Budget,
}

impl Remote {
    /// Makes the subscription known in the caller's own session too: there are servers that tell each session of its own
    /// resources only. Where the server keeps nothing for a session, the one that listens is enough.
    pub(super) async fn follow(&self, ask: &Ask<'_>, caller: &Caller) -> Result<(), ClientError> {
        if !self.watching.is_stateful() {
            return Ok(());
        }
        let lease = self.sessions.lease(caller.profile(), None).await?;
        let asked = match lease.connection() {
            Some(connection) => connection.ask(ask, &AskContext::default()).await.map(drop),
            None => Err(ClientError::NoAnswer),
        };
        self.sessions.give_back(lease);
        asked
    }

    /// Carries out a request on the connection that is right for its caller.
    pub(super) async fn send(
        &self,
        request: &Request,
        caller: &Caller,
        permit: Option<&Permit>,
    ) -> Result<Outcome, ClientError> {
        // Where the server keeps nothing for a connection there is no use in a second.
        if !self.watching.is_stateful() {
            return self.watching.send(request, caller, permit).await;
        }
        // It waits for a session of the upstream, which more replicas would not give it.
        let blocked = caller.blocked();
        let lease = self.sessions.lease(caller.profile(), permit).await?;
        drop(blocked);
        let Some(connection) = lease.connection() else { return Err(ClientError::NoAnswer) };
        if let Some(level) = caller.profile().log_level {
            connection.log_from(level).await;
        }
        let outcome = connection.send(request, caller, permit).await;
        if matches!(outcome, Ok(_) | Err(ClientError::Rpc(_))) {
            self.sessions.give_back(lease);
        }
        outcome
    }
}
