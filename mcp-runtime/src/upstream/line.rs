//! What one request goes through.

use super::{
    again::{self, Repeat},
    failure,
    remote::Remote,
};
use crate::{
    admission::Permit,
    call::{CallError, Outcome},
    exchange::{Caller, Request},
};
use mcpfleet_protocol::Era;
use mcpfleet_protocol::client::Ask;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

/// How long an upstream may take for a subscription.
const PATIENCE: Duration = Duration::from_secs(2);

/// What becomes of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Following {
    /// It begins.
    Begins,
    /// It ends.
    Ends,
}

/// An upstream as it was when the request began.
#[derive(Debug)]
pub struct Line {
    pub(super) remote: Arc<Remote>,
    /// Somebody has reason to believe that the upstream is not what it was.
    pub(super) check: Arc<Notify>,
    /// When the request may be sent again.
    pub(super) repeat: Repeat,
}

impl Line {
    /// Subscribes to a resource in the caller's own session, or unsubscribes, where it has one there. What it is told comes
    /// out of [`super::Pool::updates`] as everything else does.
    pub async fn follow(&self, uri: &str, following: Following, caller: &Caller) {
        let ask = match following {
            Following::Begins => Ask::Subscribe(uri),
            Following::Ends => Ask::Unsubscribe(uri),
        };
        // The session that listens has subscribed as well: this one failing costs only what is told to it alone.
        if let Ok(Err(error)) = timeout(PATIENCE, self.remote.follow(&ask, caller)).await {
            tracing::debug!(uri, %error, "not followed in the client's own session");
        }
    }

    /// The same, for a request that may be sent again when `repeat` says so.
    #[must_use]
    pub fn repeating(self, repeat: Repeat) -> Self {
        Self { repeat, ..self }
    }

    /// The era of the upstream.
    pub fn era(&self) -> Era {
        self.remote.watching.era()
    }

    /// Carries out a request at the upstream, `name` of which is for errors; names and URIs in it are the upstream's own.
    /// What comes before the answer goes through `caller`. Dropping the future cancels the request there. `permit` is told
    /// while it waits for others on its way. There is no deadline but the caller's: a person may be asked on the way.
    ///
    /// # Errors
    /// [`CallError::Upstream`] with the upstream's own error, otherwise [`CallError::Unavailable`].
    pub async fn send(
        self,
        name: &str,
        request: &Request,
        caller: &Caller,
        permit: Option<&Permit>,
    ) -> Result<Outcome, CallError> {
        let Self { remote, check, repeat } = self;
        remote.budget.earn();
        let mut tries = 0;
        loop {
            let error = match remote.send(request, caller, permit).await {
                Ok(outcome) => return Ok(outcome),
                Err(error) => error,
            };
            if failure::is_about_the_connection(&error) {
                check.notify_one();
            }
            if tries == again::TRIES || !again::may(&error, repeat, caller) || !remote.budget.spend() {
                return Err(failure::for_caller(name, error, remote.watching.era()));
            }
            // More replicas would not help it.
            let _blocked = caller.blocked();
            sleep(again::pause(tries)).await;
            tries += 1;
        }
    }
}
