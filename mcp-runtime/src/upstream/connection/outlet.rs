//! How a server is reached, and where the messages of one session go.

use super::{ClientError, Endpoint};
use crate::{
    identity::Principal,
    program::{Process, Program},
};
use mcpfleet_protocol::client::Outgoing;
use std::sync::Arc;

/// How a server is reached.
#[derive(Clone, Debug)]
pub enum Target {
    /// At a URL.
    Url(Endpoint),
    /// By starting it.
    Program(Arc<Program>),
}

impl Target {
    /// The same for requests in the name of `caller`. What a program may see of the world is its own affair.
    pub(in crate::upstream) fn acting_for(&self, caller: Option<&Arc<Principal>>) -> Self {
        match self {
            Self::Url(endpoint) => Self::Url(endpoint.acting_for(caller)),
            Self::Program(program) => Self::Program(program.clone()),
        }
    }

    /// Whether another session can be opened without another one's end.
    pub(in crate::upstream) fn has_room(&self) -> bool {
        match self {
            Self::Url(_) => true,
            Self::Program(program) => program.has_room(),
        }
    }

    /// What there is to complain of that keeps nothing from working.
    pub(in crate::upstream) fn complaint(&self) -> Option<String> {
        match self {
            Self::Url(_) => None,
            Self::Program(program) => program.complaint(),
        }
    }
}

/// Where the messages of one session go.
#[derive(Clone, Debug)]
pub(super) enum Outlet {
    Url(Endpoint),
    Process(Arc<Process>),
}

impl Outlet {
    /// Sends what is no request.
    ///
    /// # Errors
    /// It was not taken.
    pub(super) async fn send(&self, outgoing: Outgoing) -> Result<(), ClientError> {
        match self {
            Self::Url(endpoint) => match endpoint.post(outgoing).await?.status() {
                status if status.is_success() => Ok(()),
                status => Err(ClientError::Status(status)),
            },
            Self::Process(process) => {
                process.send(outgoing.body).await.map_err(|_| ClientError::SessionExpired)
            }
        }
    }
}
