//! What a connection is to be, and the greeting that makes it so.

use super::{
    ClientError, Endpoint, Found, Ids,
    open::Hello,
    outside::Outside,
    session::{About, Session, Wire},
    side,
};
use crate::{exchange::Standing, upstream::bell::Bell};
use arc_swap::ArcSwap;
use mcpfleet_protocol::{ClientCapabilities, client::Peer, header::ParamHeader};
use std::{collections::HashMap, sync::Arc};

/// Parameters that a modern server wants mirrored into headers, by tool, from the last list of its tools.
pub(in crate::upstream) type Mirrored = Arc<ArcSwap<HashMap<String, Vec<ParamHeader>>>>;

/// What a connection is to be.
#[derive(Clone, Debug)]
pub(in crate::upstream) struct Plan {
    pub(in crate::upstream) endpoint: Endpoint,
    /// What we say that we can do.
    pub(in crate::upstream) declared: ClientCapabilities,
    pub(in crate::upstream) listens: Listens,
    pub(in crate::upstream) bell: Arc<Bell>,
    pub(in crate::upstream) mirrored: Mirrored,
    /// The way to the one client that it is for, when it is for one.
    pub(in crate::upstream) standing: Standing,
}

/// Whether a legacy session has a stream beside its calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::upstream) enum Listens {
    /// The server may ask something of it there.
    Always,
    /// If the server has news to tell.
    ForNews,
    /// Nothing of interest can come.
    Never,
}

impl Plan {
    /// Greets, and opens the session's own stream when there is to be one.
    pub(super) async fn greet(&self, ids: &Ids, found: Option<Found>) -> Result<Session, ClientError> {
        let Self { endpoint, declared, bell, standing, .. } = self;
        let hello = Hello { endpoint, declared, ids, bell, standing };
        let mut session = match found {
            Some(found) => hello.again(found).await?,
            None => hello.first().await?,
        };
        if let (Peer::Legacy(peer), Wire::StreamableHttp) = (&session.peer, session.wire)
            && self.listens.to(&session.about)
        {
            let outside = Outside::new(standing.clone(), declared.clone());
            session.side = Some(side::open(&session.endpoint, peer, bell, outside).await);
        }
        Ok(session)
    }
}

impl Listens {
    fn to(self, about: &About) -> bool {
        match self {
            Self::Always => true,
            Self::ForNews => about.has_news(),
            Self::Never => false,
        }
    }
}
