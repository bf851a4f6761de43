//! When a master key is replaced, and by which steps no client notices. Pure, but for the keys that are made.
//!
//! A replica can only open what it has the key of. So the next epoch is announced to all of them a day before anything
//! is sealed by it, and the one before opens for as long as the current one seals:
//!
//! ```text
//! epoch 1  |============= seals, 30 days =============|~~~~~~~~~~~~~ opens ~~~~~~~~~~~~~|
//! epoch 2                                   |~ 1 day ~|============= seals =============|~~~ opens
//! ```

use super::Error;
use aws_lc_rs::{
    hkdf::{HKDF_SHA256, KeyType, Salt},
    rand::{SecureRandom as _, SystemRandom},
};
use jiff::{SignedDuration, Timestamp};
use mcpfleet_config::stream::{KEY_BYTES, SessionKey};
use std::fmt;

/// How long an epoch seals.
pub const LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long it is announced before it does. Streams bring it within milliseconds, to a pod that was cut off later.
pub const NOTICE: SignedDuration = SignedDuration::from_hours(24);

/// Separates what follows from a master key from whatever else may ever be derived from it.
const SALT: &[u8] = b"mcpfleet master key 1";

/// The master key of one epoch.
#[derive(Clone, PartialEq, Eq)]
pub struct Master {
    /// Its number, from 1.
    pub epoch: u32,
    /// When it was made.
    pub made: Timestamp,
    /// Never leaves the Secret and the operator's memory.
    pub(super) secret: [u8; KEY_BYTES],
}

/// One change of the Secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// There is no key: make one.
    Found,
    /// The newest has sealed for long: make the next.
    Announce,
    /// Some open no longer: drop them.
    Forget,
}

impl Step {
    /// What was done, for a log.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Found => "made a session key; what was sealed by an earlier one cannot be opened any more",
            Self::Announce => "made the next session key; it seals in a day",
            Self::Forget => "dropped a session key that opened long enough",
        }
    }
}

/// The step that is due for `masters`, oldest first; `None` while all is well.
pub fn plan(masters: &[Master], now: Timestamp) -> Option<Step> {
    let Some(newest) = masters.last() else { return Some(Step::Found) };
    if now.duration_since(newest.made) >= LIFE {
        return Some(Step::Announce);
    }
    (sealing(masters, now) > 1).then_some(Step::Forget)
}

/// Takes all steps that are due, and tells which.
///
/// # Errors
/// No key could be made.
pub fn rotate(mut masters: Vec<Master>, now: Timestamp) -> Result<(Vec<Master>, Vec<Step>), Error> {
    let mut steps = Vec::new();
    while let Some(step) = plan(&masters, now) {
        match step {
            Step::Found | Step::Announce => {
                let last = masters.last().map_or(0, |newest| newest.epoch);
                masters.push(Master::make(last.checked_add(1).unwrap_or(1), now)?);
            }
            Step::Forget => drop(masters.drain(..sealing(&masters, now) - 1)),
        }
        steps.push(step);
    }
    Ok((masters, steps))
}

/// Which of them seals: the newest that everybody has heard of.
fn sealing(masters: &[Master], now: Timestamp) -> usize {
    let announced = |master: &Master| now.duration_since(master.made) >= NOTICE;
    masters.iter().rposition(announced).unwrap_or(0)
}

/// The one that seals, and then those that open, in an order that is always the same.
pub(super) fn ordered(masters: &[Master], now: Timestamp) -> Vec<Master> {
    let mut ordered = masters.to_vec();
    ordered[..(sealing(masters, now) + 1).min(masters.len())].reverse();
    ordered
}

impl Master {
    /// A random one.
    ///
    /// # Errors
    /// The crypto library failed.
    pub fn make(epoch: u32, now: Timestamp) -> Result<Self, Error> {
        let mut secret = [0; KEY_BYTES];
        SystemRandom::new().fill(&mut secret).map_err(|_| Error::Library)?;
        // The Secret knows seconds.
        let made = Timestamp::from_second(now.as_second()).unwrap_or(now);
        Ok(Self { epoch, made, secret })
    }

    /// The key of this epoch of the server with this uid: HKDF-SHA256.
    ///
    /// # Errors
    /// The crypto library failed.
    pub(super) fn key_of(&self, uid: &str) -> Result<SessionKey, Error> {
        let info = [b"session key".as_slice(), &self.epoch.to_be_bytes(), uid.as_bytes()];
        let mut secret = [0; KEY_BYTES];
        let master = Salt::new(HKDF_SHA256, SALT).extract(&self.secret);
        let key = master.expand(&info, Length).map_err(|_| Error::Library)?;
        key.fill(&mut secret).map_err(|_| Error::Library)?;
        Ok(SessionKey { epoch: self.epoch, secret })
    }
}

struct Length;

impl KeyType for Length {
    fn len(&self) -> usize {
        KEY_BYTES
    }
}

/// Without the key.
impl fmt::Debug for Master {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Master({} of {})", self.epoch, self.made)
    }
}
