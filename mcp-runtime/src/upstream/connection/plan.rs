//! What a connection is to be, and the greeting that makes it so.

use super::{
    ClientError, Endpoint, Ids,
    hello::{Found, Hello},
    inbox::Manner,
    outlet::Target,
    outside::Outside,
    session::{About, Session, Wire},
    side,
};
use crate::{
    exchange::Standing,
    program::{Program, Seat},
    upstream::bell::Bell,
};
use arc_swap::ArcSwap;
use mcpfleet_config::Processes;
use mcpfleet_protocol::{ClientCapabilities, client::Peer, header::ParamHeader};
use std::{collections::HashMap, sync::Arc};

/// Parameters that a modern server wants mirrored into headers, by tool, from the last list of its tools.
pub(in crate::upstream) type Mirrored = Arc<ArcSwap<HashMap<String, Vec<ParamHeader>>>>;

/// What a connection is to be.
#[derive(Clone, Debug)]
pub(in crate::upstream) struct Plan {
    pub(in crate::upstream) target: Target,
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
        match &self.target {
            // It is large and seldom, and part of every request, which may have to renew its session.
            Target::Url(endpoint) => Box::pin(self.greet_at(endpoint, ids, found)).await,
            Target::Program(program) => Box::pin(self.greet_program(program, ids, found)).await,
        }
    }

    async fn greet_at(
        &self,
        endpoint: &Endpoint,
        ids: &Ids,
        found: Option<Found>,
    ) -> Result<Session, ClientError> {
        let Self { declared, bell, standing, .. } = self;
        let hello = Hello { to: endpoint, declared, ids, bell, standing };
        let mut session = match found {
            Some(found) => hello.again(found).await?,
            None => hello.first().await?,
        };
        if let (Peer::Legacy(peer), Wire::StreamableHttp) = (&session.peer, session.wire)
            && self.listens.to(&session.about)
        {
            let outside = Outside::new(standing.clone(), declared.clone());
            session.side = Some(side::open(endpoint, peer, bell, outside).await);
        }
        Ok(session)
    }

    async fn greet_program(
        &self,
        program: &Arc<Program>,
        ids: &Ids,
        found: Option<Found>,
    ) -> Result<Session, ClientError> {
        // A legacy server says nothing of which call it asks for: who shares it cannot be asked.
        let mut silent = ClientCapabilities::default();
        silent.extensions.clone_from(&self.declared.extensions);
        let declared = match program.processes() {
            Processes::Shared => &silent,
            Processes::PerSession => &self.declared,
        };
        // Nor does it say whom.
        let nobody = Standing::default();
        let (manner, standing) = match self.listens {
            Listens::Always => (Manner::Own, &self.standing),
            Listens::ForNews | Listens::Never => (Manner::Shared, &nobody),
        };
        let hello = Hello { to: program, declared, ids, bell: &self.bell, standing };
        let seat = match self.listens {
            Listens::ForNews => Seat::Lists,
            Listens::Always | Listens::Never => Seat::Session,
        };
        hello.started((manner, seat), found.map(|found| found.era)).await
    }

    /// Whether the server keeps something for each session, so that two of them are two.
    pub(super) fn is_stateful(&self, session: &Session) -> bool {
        match &self.target {
            Target::Url(_) => session.is_stateful(),
            Target::Program(program) => program.processes() == Processes::PerSession,
        }
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
