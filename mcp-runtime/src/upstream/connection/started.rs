//! The hello to a program (2026-07-28, basic/transports/stdio, "Backward Compatibility").
//!
//! ```text
//! start, server/discover -> a result, or a modern error: modern
//!   any other error      -> initialize
//!   nothing for a while  -> initialize as well; whichever is answered first says what it is
//!   it has died of it    -> start again, initialize; and never ask this program again
//! ```

use super::{
    ClientError, MAX_MESSAGE,
    delivery::Delivery,
    exchange::{Audience, Reply, exchange},
    hello::{Hello, greeted, message},
    inbox::{Inbox, Manner},
    outlet::Outlet,
    outside::{Mouth, Outside},
    pipe,
    session::{About, Session, Side, Wire},
    side::Listening,
};
use crate::{
    program::{Program, ProgramError, Seat},
    upstream::task::StopOnDrop,
};
use http::StatusCode;
use mcpfleet_protocol::{
    ClientCapabilities, Era, Revision,
    client::{LegacyPeer, Peer, Probe, classify_probe},
    jsonrpc::Id,
};
use serde_json::value::RawValue;
use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{sync::watch, time::timeout};

/// How long a program may take to say something to `server/discover`: there are servers that never do. It may only have
/// been slow to start, so its answer counts afterwards too.
const DISCOVER_PATIENCE: Duration = Duration::from_secs(3);

/// What a probe heard.
enum Heard {
    Modern(Box<RawValue>),
    Legacy,
    /// The result of `initialize`.
    Greeted(Box<RawValue>),
}

impl Hello<'_, Arc<Program>> {
    /// Starts a process and greets it.
    pub(super) async fn started(
        self,
        place: (Manner, Seat),
        era: Option<Era>,
    ) -> Result<Session, ClientError> {
        let greeted = Arc::new(AtomicBool::default());
        let session = if era == Some(Era::Legacy) || self.to.is_legacy() {
            let stranger = self.start(place, &greeted).await?;
            self.legacy(stranger).await?
        } else {
            self.probed(place, &greeted).await?
        };
        greeted.store(true, Ordering::Relaxed);
        Ok(session)
    }

    async fn probed(self, place: (Manner, Seat), greeted: &Arc<AtomicBool>) -> Result<Session, ClientError> {
        let mut stranger = self.start(place, greeted).await?;
        match self.hear(&stranger).await {
            Ok(Heard::Modern(result)) => self.modern(stranger.outlet.clone(), stranger.take_wire(), &result),
            Ok(Heard::Legacy) => self.legacy(stranger).await,
            Ok(Heard::Greeted(result)) => {
                self.to.found_legacy();
                self.opened(stranger, &result).await
            }
            Err(ClientError::Program(ProgramError::Ended(_))) => {
                drop(stranger);
                let stranger = self.start(place, greeted).await?;
                let session = self.legacy(stranger).await?;
                self.to.found_legacy();
                Ok(session)
            }
            Err(error) => Err(error),
        }
    }

    /// A process that nothing is known of.
    async fn start(
        self,
        (manner, seat): (Manner, Seat),
        greeted: &Arc<AtomicBool>,
    ) -> Result<Session, ClientError> {
        let (process, output) = self.to.start(MAX_MESSAGE, seat, greeted.clone()).await?;
        let outlet = Outlet::Process(Arc::new(process));
        let peer = Peer::Legacy(LegacyPeer { revision: Revision::LATEST_LEGACY, session: None });
        let inbox = Arc::new(Inbox::new(manner));
        let (sender, listening) = watch::channel(Listening::Open);
        let (bell, delivery_inbox) = (self.bell.clone(), inbox.clone());
        let mouth = Mouth { outlet: outlet.clone(), peer: peer.clone() };
        let outside = Outside::new(self.standing.clone(), self.declared.clone());
        let delivery = Delivery { mouth, outside, inbox: delivery_inbox, bell };
        let reader = tokio::spawn(pipe::read(output, delivery, self.to.clone(), sender));
        let side = Side { inbox, listening, _reader: StopOnDrop(reader) };
        let wire = (Wire::Stdio, Some(side));
        Ok(Session::new(outlet, wire, peer, ClientCapabilities::default(), About::default()))
    }

    async fn hear(self, stranger: &Session) -> Result<Heard, ClientError> {
        let id = self.ids.next();
        let discover = self.ourselves().discover(&id);
        let mut discover = pin!(exchange(stranger, self.bell, Audience::Nobody, &id, discover));
        if let Ok(reply) = timeout(DISCOVER_PATIENCE, &mut discover).await {
            return decide(&id, &reply?);
        }
        let second = self.ids.next();
        let initialize = self.initialize(&second);
        let mut initialize = pin!(exchange(stranger, self.bell, Audience::Nobody, &second, initialize));
        tokio::select! {
            biased;
            reply = &mut discover => match decide(&id, &reply?)? {
                Heard::Legacy => initialized(initialize.await?),
                heard => Ok(heard),
            },
            reply = &mut initialize => match reply? {
                Reply::Result(result) => Ok(Heard::Greeted(result)),
                // A modern server knows no `initialize`.
                Reply::Error(_) => decide(&id, &discover.await?),
            },
        }
    }

    /// Opens the session of a legacy program.
    async fn legacy(self, stranger: Session) -> Result<Session, ClientError> {
        let id = self.ids.next();
        let initialize = self.initialize(&id);
        match exchange(&stranger, self.bell, Audience::Nobody, &id, initialize).await? {
            Reply::Result(result) => self.opened(stranger, &result).await,
            Reply::Error(failure) => Err(ClientError::Rpc(failure)),
        }
    }

    /// The session of a legacy program that has answered `initialize`.
    async fn opened(self, mut stranger: Session, result: &RawValue) -> Result<Session, ClientError> {
        let (peer, about) = greeted(result, None)?;
        let outlet = stranger.outlet.clone();
        outlet.send(peer.initialized()).await?;
        let wire = stranger.take_wire();
        Ok(Session::new(outlet, wire, Peer::Legacy(peer), self.declared.clone(), about))
    }
}

fn decide(id: &Id<'_>, reply: &Reply) -> Result<Heard, ClientError> {
    match classify_probe(StatusCode::OK, &message(id, reply)) {
        Probe::Modern(result) => Ok(Heard::Modern(result.to_owned())),
        Probe::Legacy => Ok(Heard::Legacy),
        Probe::Unusable(why) => Err(why.into()),
    }
}

fn initialized(reply: Reply) -> Result<Heard, ClientError> {
    match reply {
        Reply::Result(result) => Ok(Heard::Greeted(result)),
        Reply::Error(failure) => Err(ClientError::Rpc(failure)),
    }
}
