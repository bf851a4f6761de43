//! What follows from session keys: a key for each purpose, and a seed for the identity among peers. One secret never
//! serves two ends.

use super::{NotSealed, Purpose, xaes};
use aws_lc_rs::{
    hkdf::{HKDF_SHA256, KeyType, Prk, Salt},
    rand::{SecureRandom as _, SystemRandom},
};
use mcpfleet_config::stream::{KEY_BYTES, SessionKey};
use std::{fmt, sync::Arc};

/// Separates these keys from whatever else may ever be derived from the same secret.
const SALT: &[u8] = b"mcpfleet session key 1";
/// Of the identity among peers.
const PEER: &[u8] = b"mcpfleet peer";

/// Secret from which the identity of one epoch is made. It cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Seed(pub(crate) [u8; KEY_BYTES]);

/// One session key, unfolded.
pub(super) struct Entry {
    pub(super) epoch: u32,
    session: xaes::Key,
    request_state: xaes::Key,
    task: xaes::Key,
    store: xaes::Key,
    peer: Seed,
}

/// Keys of one moment.
pub(super) struct Ring {
    /// What it was made from.
    given: Vec<SessionKey>,
    shared: Vec<Entry>,
    own: Arc<Entry>,
}

impl Entry {
    pub(super) fn derive(key: &SessionKey) -> Result<Self, NotSealed> {
        let secret = Salt::new(HKDF_SHA256, SALT).extract(&key.secret);
        let sealing = |purpose: Purpose| xaes::Key::new(&expand(&secret, purpose.label())?);
        Ok(Self {
            epoch: key.epoch,
            session: sealing(Purpose::Session)?,
            request_state: sealing(Purpose::RequestState)?,
            task: sealing(Purpose::Task)?,
            store: sealing(Purpose::Store)?,
            peer: Seed(expand(&secret, PEER)?),
        })
    }

    pub(super) fn key(&self, purpose: Purpose) -> &xaes::Key {
        match purpose {
            Purpose::Session => &self.session,
            Purpose::RequestState => &self.request_state,
            Purpose::Task => &self.task,
            Purpose::Store => &self.store,
        }
    }
}

impl Ring {
    pub(super) fn alone(own: Arc<Entry>) -> Self {
        Self { given: Vec::new(), shared: Vec::new(), own }
    }

    pub(super) fn shared(keys: &[SessionKey], own: Arc<Entry>) -> Result<Self, NotSealed> {
        let shared = keys.iter().map(Entry::derive).collect::<Result<_, _>>()?;
        Ok(Self { given: keys.to_vec(), shared, own })
    }

    pub(super) fn is_of(&self, keys: &[SessionKey]) -> bool {
        self.given == keys
    }

    pub(super) fn sealing(&self) -> &Entry {
        self.shared.first().unwrap_or(&self.own)
    }

    pub(super) fn opening(&self) -> impl Iterator<Item = &Entry> {
        self.shared.iter().chain([&*self.own])
    }

    pub(super) fn epochs(&self) -> Vec<u32> {
        self.shared.iter().map(|entry| entry.epoch).collect()
    }

    pub(super) fn seeds(&self) -> Vec<Seed> {
        self.shared.iter().map(|entry| entry.peer.clone()).collect()
    }
}

/// Random bytes.
pub(super) fn random<const N: usize>() -> Result<[u8; N], NotSealed> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| NotSealed::Library)?;
    Ok(bytes)
}

struct Length;

impl KeyType for Length {
    fn len(&self) -> usize {
        KEY_BYTES
    }
}

pub(super) fn expand(secret: &Prk, label: &[u8]) -> Result<[u8; KEY_BYTES], NotSealed> {
    let mut key = [0; KEY_BYTES];
    let label = [label];
    let material = secret.expand(&label, Length).map_err(|_| NotSealed::Library)?;
    material.fill(&mut key).map_err(|_| NotSealed::Library)?;
    Ok(key)
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(..)")
    }
}
