//! Whether what opened a stream is still good.
//!
//! A request is judged once, before it is answered. A stream outlives that: it ends when its credential expires, and when
//! the server would not let it in any more, because the key was taken out or changed, or the issuer is trusted no longer.
//!
//! ```text
//! Door (one a server) ──► Pass (one a stream): looks again when the door is another, when the credential ends, and now
//!                          and then, because an issuer that withdraws a key tells nobody
//! ```
//! The judge is the same [`Gatekeeper`] that judges requests.

use super::{Gatekeeper, Principal, presented::CREDENTIALS};
use http::HeaderMap;
use jiff::Timestamp;
use std::{future, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

/// How often a credential is looked at that nothing seems to have happened to. Verified tokens are remembered for less.
const LOOK: Duration = Duration::from_mins(5);
/// Pause between looks at one that has ended and is let in all the same, for the issuer's clock may be late.
const GRACE: Duration = Duration::from_secs(1);

/// The door of one server, through all its configurations.
#[derive(Debug)]
pub struct Door(watch::Sender<Arc<Gatekeeper>>);

/// What was shown at the door, and who came in by it. It cannot be printed.
#[derive(Clone, Debug)]
pub struct Bearer {
    shown: HeaderMap,
    principal: Arc<Principal>,
}

/// The right to keep a stream.
#[derive(Debug)]
pub struct Pass(Option<Judged>);

#[derive(Debug)]
struct Judged {
    door: watch::Receiver<Arc<Gatekeeper>>,
    bearer: watch::Receiver<Bearer>,
    by: Arc<Gatekeeper>,
    look: Instant,
}

impl Door {
    /// A door with this keeper.
    pub fn new(gate: Arc<Gatekeeper>) -> Self {
        Self(watch::Sender::new(gate))
    }

    /// Another keeper, from now on: every pass is looked at.
    pub fn change(&self, gate: Arc<Gatekeeper>) {
        self.0.send_replace(gate);
    }

    /// The pass of a bearer that `by` has let in.
    pub fn pass(&self, by: &Arc<Gatekeeper>, bearer: Bearer) -> Pass {
        self.renewable(by, bearer).0
    }

    /// The same, and where to show a newer credential of the same caller.
    pub fn renewable(&self, by: &Arc<Gatekeeper>, bearer: Bearer) -> (Pass, watch::Sender<Bearer>) {
        let look = bearer.next_look();
        let (renewal, bearer) = watch::channel(bearer);
        let judged = Judged { door: self.0.subscribe(), bearer, by: by.clone(), look };
        (Pass(Some(judged)), renewal)
    }
}

impl Bearer {
    /// Who was let in with these headers.
    pub fn new(headers: &HeaderMap, principal: Arc<Principal>) -> Self {
        let mut shown = HeaderMap::new();
        for (name, value) in
            CREDENTIALS.iter().flat_map(|name| headers.get_all(name).iter().map(move |it| (name, it)))
        {
            let mut value = value.clone();
            value.set_sensitive(true);
            shown.append(name, value);
        }
        Self { shown, principal }
    }

    /// Whether another request has come with the same credential.
    pub fn is(&self, other: &Principal) -> bool {
        *self.principal == *other
    }

    fn next_look(&self) -> Instant {
        let left = self.principal.expires.map(|end| end.duration_since(Timestamp::now()));
        // A negative rest is no duration: the end has come.
        let left = left.map_or(LOOK, |left| Duration::try_from(left).unwrap_or_default());
        Instant::now() + left.clamp(GRACE, LOOK)
    }

    /// The same bearer, judged now; `None` when it would not be let in as the same caller with the same rights.
    async fn judged(&self, gate: &Gatekeeper) -> Option<Self> {
        match gate.admit(&self.shown).await {
            // Its end may be another by now.
            Ok(principal) if self.principal.is_like(&principal) => Some(Self { principal, ..self.clone() }),
            // Nobody can tell: it was good, and keeps its time.
            Err(challenge) if challenge.is_undecided() => {
                self.principal.expires.is_none_or(|end| Timestamp::now() < end).then(|| self.clone())
            }
            Ok(_) | Err(_) => None,
        }
    }
}

impl Pass {
    /// The pass of a client that nobody asks who it is: one at standard input, or whose transport has a pass already.
    pub const fn unlimited() -> Self {
        Self(None)
    }

    /// Waits until it is good no more. Cancel safe.
    pub async fn lapsed(&mut self) {
        match &mut self.0 {
            Some(judged) => judged.lapsed().await,
            None => future::pending().await,
        }
    }
}

impl Judged {
    async fn lapsed(&mut self) {
        loop {
            let gate = self.door.borrow_and_update().clone();
            if !Arc::ptr_eq(&gate, &self.by) || Instant::now() >= self.look {
                let bearer = self.bearer.borrow().clone();
                let Some(bearer) = bearer.judged(&gate).await else { return };
                (self.by, self.look) = (gate, bearer.next_look());
            }
            tokio::select! {
                // Without a server there is nothing to be let in to.
                changed = self.door.changed() => if changed.is_err() { return },
                () = renewed(&mut self.bearer) => self.look = self.bearer.borrow().next_look(),
                () = sleep_until(self.look) => {}
            }
        }
    }
}

/// Waits for a newer credential; for ever where none can come.
async fn renewed(bearer: &mut watch::Receiver<Bearer>) {
    if bearer.changed().await.is_err() {
        future::pending::<()>().await;
    }
}
