//! A request with its whole body: what is answered here or sent on to the replica that can.

use super::{Shared, intake::Share};
use crate::{
    model::Body,
    peer::{Forwarded, PeerError},
};
use bytes::Bytes;
use http::{Request, Response, request::Parts};

/// A request that has arrived.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// Everything but the body.
    pub parts: Parts,
    /// The body.
    pub body: Bytes,
    /// Of the memory that there is for bodies.
    pub share: Share,
}

impl Shared {
    /// `ip:port` under which other replicas reach this one; empty when they cannot.
    pub fn own_address(&self) -> String {
        self.peers.as_ref().map_or_else(String::new, |peers| peers.own_address().to_string())
    }

    /// Whether what `owner` holds is here, as far as anybody knows.
    pub fn is_here(&self, owner: &str, arrived: &Arrived) -> bool {
        let forwarded = arrived.parts.extensions.get::<Forwarded>().is_some();
        forwarded || owner.is_empty() || self.peers.is_none() || owner == self.own_address()
    }

    /// The answer of the replica at `owner`. `None` when that is this one, when there is no way there, or when it is gone:
    /// then whoever asked goes on here. A request that was sent on once stays where it is.
    pub async fn forward(&self, owner: &str, arrived: &Arrived) -> Option<Response<Body>> {
        match self.ask_peer(owner, arrived).await? {
            Ok(response) => Some(response),
            Err(PeerError::Unreachable { .. }) => None,
            Err(error) => Some(super::answer::peer_failed(&error)),
        }
    }

    /// The answer of the replica at `owner`, or why there is none; `None` when nobody was asked.
    pub async fn ask_peer(
        &self,
        owner: &str,
        arrived: &Arrived,
    ) -> Option<Result<Response<Body>, PeerError>> {
        let peers = self.peers.as_ref()?;
        if self.is_here(owner, arrived) || self.absent.has(owner) {
            return None;
        }
        let request = Request::from_parts(arrived.parts.clone(), arrived.body.clone());
        let answered = peers.forward(owner, request).await;
        if let Err(PeerError::Unreachable { .. }) = &answered {
            self.absent.note(owner);
        }
        Some(answered)
    }
}
