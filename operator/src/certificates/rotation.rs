//! When an authority is replaced, and by which steps nobody notices. Pure, but for the keys that are made.
//!
//! A client can only verify what its bundle knew when it was delivered. So the next authority is announced
//! in the bundle a day before anything is signed by it, and the one before stays there until it expires:
//!
//! ```text
//! current  |=========== signs ===========|~~~~~ trusted until it expires ~~~~~|
//! next                          |~ 1 day |=========== signs ...
//!                            2/3 of its life
//! ```

use super::authority::{Anchor, Ca};
use jiff::{SignedDuration, Timestamp};

/// How long an authority is announced before it signs. Kubelets bring a changed ConfigMap within minutes.
pub const NOTICE: SignedDuration = SignedDuration::from_hours(24);

/// All that the Secret holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// Signs.
    pub current: Ca,
    /// Will sign.
    pub next: Option<Ca>,
    /// Have signed; something that they signed may still be served. Oldest first.
    pub previous: Vec<Anchor>,
}

/// One change of the Secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// There is no authority that could sign: make one.
    Found,
    /// The current one is getting old: make the next.
    Announce,
    /// The next one is known everywhere: let it sign.
    Switch,
    /// Some that have signed have expired: drop them.
    Forget,
}

impl Step {
    /// What was done, for a log.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Found => {
                "made a certificate authority; runtimes trust it once their ConfigMap is delivered"
            }
            Self::Announce => "made the next certificate authority; it signs in a day",
            Self::Switch => "the next certificate authority signs from now on",
            Self::Forget => "dropped a certificate authority that has expired",
        }
    }
}

/// The step that is due; `None` while all is well.
pub fn plan(authority: Option<&Authority>, now: Timestamp) -> Option<Step> {
    let Some(authority) = authority else { return Some(Step::Found) };
    let late = authority.current.anchor.expired(now);
    let next = authority.next.as_ref().filter(|next| !next.anchor.expired(now));
    match next {
        Some(next) if late || announced(next, now) => Some(Step::Switch),
        None if late => Some(Step::Found),
        None if worn(&authority.current.anchor, now) => Some(Step::Announce),
        _ if authority.previous.iter().any(|anchor| anchor.expired(now)) => Some(Step::Forget),
        _ => None,
    }
}

/// Takes all steps that are due, and tells which.
///
/// # Errors
/// No key could be made.
pub fn rotate(
    mut authority: Option<Authority>,
    now: Timestamp,
) -> Result<(Authority, Vec<Step>), rcgen::Error> {
    let mut steps = Vec::new();
    loop {
        match (plan(authority.as_ref(), now), authority) {
            (None, Some(whole)) => return Ok((whole, steps)),
            (due, before) => {
                authority = Some(step(before, due, now)?);
                steps.extend(due);
            }
        }
    }
}

fn step(authority: Option<Authority>, step: Option<Step>, now: Timestamp) -> Result<Authority, rcgen::Error> {
    let (Some(mut authority), Some(step @ (Step::Announce | Step::Switch | Step::Forget))) =
        (authority, step)
    else {
        return Ok(Authority { current: Ca::make(now)?, next: None, previous: Vec::new() });
    };
    match (step, authority.next.take()) {
        (Step::Switch, Some(next)) => {
            authority.previous.push(std::mem::replace(&mut authority.current, next).anchor);
        }
        (Step::Announce, _) => authority.next = Some(Ca::make(now)?),
        (_, next) => authority.next = next,
    }
    authority.previous.retain(|anchor| !anchor.expired(now));
    authority.previous.sort();
    Ok(authority)
}

/// Whether clients have had the time to hear of it.
fn announced(next: &Ca, now: Timestamp) -> bool {
    now.duration_since(next.anchor.not_before) >= NOTICE + super::authority::SKEW
}

/// Whether two thirds of its life are over.
fn worn(anchor: &Anchor, now: Timestamp) -> bool {
    two_thirds_over(anchor.not_before, anchor.not_after, now)
}

/// Whether two thirds of the time from `start` to `end` are over.
pub(super) fn two_thirds_over(start: Timestamp, end: Timestamp, now: Timestamp) -> bool {
    let seconds = |until: Timestamp| until.duration_since(start).as_secs();
    seconds(now).saturating_mul(3) >= seconds(end).saturating_mul(2)
}

impl Authority {
    /// What runtimes trust, as PEM, oldest first: the same certificates are always the same text.
    pub fn bundle(&self) -> String {
        let mut anchors: Vec<&Anchor> = self.previous.iter().collect();
        anchors.push(&self.current.anchor);
        anchors.extend(self.next.as_ref().map(|next| &next.anchor));
        anchors.sort();
        anchors.dedup();
        anchors.into_iter().map(Anchor::pem).collect()
    }
}
