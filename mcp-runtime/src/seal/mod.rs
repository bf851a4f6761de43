//! State that clients carry for us, sealed: whoever holds it can neither read nor change it, and any replica that has
//! the key can open it. Also where replicas get the keys by which they know each other ([`crate::peer`]).
//!
//! ```text
//! session key (32 bytes, one an epoch) --HKDF-SHA256--> a key for each Purpose --XAES-256-GCM--> text
//! text = base64url( version 1 | epoch 4 | nonce 24 | ciphertext | tag 16 ), version, epoch and purpose authenticated
//! ```
//! Nonces are random and 192 bits long: with the 96 bits of plain AES-GCM a fleet would have to change keys before 2^32
//! seals, which many busy replicas with one key reach within days; here the bound is 2^80.

pub mod file;
mod ring;
#[cfg(test)]
mod tests;
mod xaes;

pub use ring::Seed;

use arc_swap::ArcSwap;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use mcpfleet_config::stream::SessionKey;
use ring::{Entry, Ring};
use std::{fmt, sync::Arc};
use tokio::sync::watch;

/// First byte of what is sealed.
const VERSION: u8 = 1;
/// Version and epoch.
const HEAD: usize = 1 + 4;
/// Most bytes that can be sealed.
pub const MAX_PLAIN: usize = 32 * 1024;
/// How many bytes more what is sealed has than what it holds.
pub const OVERHEAD: usize = HEAD + xaes::NONCE + xaes::TAG;
/// Longest sealed text, in bytes; a longer one is refused unread.
pub const MAX_SEALED: usize = (OVERHEAD + MAX_PLAIN).div_ceil(3) * 4;
/// Epoch of the key that a process makes for itself.
const OWN: u32 = 0;

/// What is sealed. What was sealed for one purpose cannot be opened for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// A session id of a revision that has sessions.
    Session,
    /// The `requestState` of an input-required result (2026-07-28, multi round-trip requests).
    RequestState,
    /// The id of a task (extension `io.modelcontextprotocol/tasks`).
    Task,
    /// What replicas share in a store outside them ([`crate::store`]).
    Store,
}

/// What cannot be opened: forged, cut, sealed for another purpose, by another server, or by a key that is kept no
/// longer. It is one error on purpose: which of these it is would help only whoever tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this was not sealed by this server, or so long ago that its key is kept no longer")]
pub struct Unsealable;

/// What cannot be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSealed {
    /// It would be refused when it comes back.
    #[error("{bytes} bytes of state are too many; {most} are allowed")]
    TooLong {
        /// How many there are.
        bytes: usize,
        /// How many there may be.
        most: usize,
    },
    /// The crypto library failed. It does not, short of a broken machine.
    #[error("the cryptographic library failed to seal")]
    Library,
}

/// The keys of this process, whichever are current. Shared as an `Arc`; readers never wait.
///
/// It begins with a key of its own that no other process has. What that key seals this process opens as long as it
/// lives, also after it was given shared keys; other replicas cannot.
pub struct Keyring {
    own: Arc<Entry>,
    ring: ArcSwap<Ring>,
    changes: watch::Sender<u64>,
}

impl Keyring {
    /// With a random key and no shared ones.
    ///
    /// # Errors
    /// The crypto library failed.
    pub fn random() -> Result<Arc<Self>, NotSealed> {
        let own = Arc::new(Entry::derive(&SessionKey { epoch: OWN, secret: ring::random()? })?);
        let ring = ArcSwap::from_pointee(Ring::alone(own.clone()));
        Ok(Arc::new(Self { own, ring, changes: watch::Sender::new(0) }))
    }

    /// Replaces the shared keys: the first seals, all open. Without any, what is sealed is only this process's again.
    ///
    /// # Errors
    /// The crypto library failed; the keys stay as they are.
    pub fn set(&self, keys: &[SessionKey]) -> Result<(), NotSealed> {
        if self.ring.load().is_of(keys) {
            return Ok(());
        }
        self.ring.store(Arc::new(Ring::shared(keys, self.own.clone())?));
        self.changes.send_modify(|changes| *changes += 1);
        Ok(())
    }

    /// Moves whenever other keys are set.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Epochs of the shared keys, the sealing one first. Empty while there are none.
    pub fn epochs(&self) -> Vec<u32> {
        self.ring.load().epochs()
    }

    /// For the identities by which replicas prove that they hold a shared key: a secret of each, the sealing one's
    /// first. Empty while there are none.
    pub fn peer_seeds(&self) -> Vec<Seed> {
        self.ring.load().seeds()
    }

    /// Seals `plain`: visible ASCII that fits a header and a JSON string as it is.
    ///
    /// # Errors
    /// [`NotSealed`].
    pub fn seal(&self, purpose: Purpose, plain: &[u8]) -> Result<String, NotSealed> {
        if plain.len() > MAX_PLAIN {
            return Err(NotSealed::TooLong { bytes: plain.len(), most: MAX_PLAIN });
        }
        Ok(URL_SAFE_NO_PAD.encode(self.seal_bytes(purpose, plain)?))
    }

    /// [`Keyring::seal`] for what no client carries: [`OVERHEAD`] bytes more than `plain`, which has no bound here.
    ///
    /// # Errors
    /// The crypto library failed.
    pub fn seal_bytes(&self, purpose: Purpose, plain: &[u8]) -> Result<Vec<u8>, NotSealed> {
        let ring = self.ring.load();
        let entry = ring.sealing();
        let head = head(entry.epoch);
        let nonce = ring::random()?;
        let sealed = entry.key(purpose).seal(&nonce, &bound(head, purpose), plain)?;
        Ok([&head[..], &nonce[..], &sealed[..]].concat())
    }

    /// Opens what some replica sealed for `purpose`.
    ///
    /// # Errors
    /// [`Unsealable`].
    pub fn open(&self, purpose: Purpose, sealed: &str) -> Result<Vec<u8>, Unsealable> {
        if sealed.len() > MAX_SEALED {
            return Err(Unsealable);
        }
        self.open_bytes(purpose, &URL_SAFE_NO_PAD.decode(sealed).map_err(|_| Unsealable)?)
    }

    /// Opens what [`Keyring::seal_bytes`] of some replica has sealed for `purpose`.
    ///
    /// # Errors
    /// [`Unsealable`].
    pub fn open_bytes(&self, purpose: Purpose, bytes: &[u8]) -> Result<Vec<u8>, Unsealable> {
        let (head, rest) = bytes.split_first_chunk::<HEAD>().ok_or(Unsealable)?;
        let (nonce, rest) = rest.split_first_chunk::<{ xaes::NONCE }>().ok_or(Unsealable)?;
        let [version, epoch @ ..] = *head;
        if version != VERSION {
            return Err(Unsealable);
        }
        let ring = self.ring.load();
        let mut fitting = ring.opening().filter(|entry| entry.epoch == u32::from_be_bytes(epoch));
        let bound = bound(*head, purpose);
        fitting.find_map(|entry| entry.key(purpose).open(nonce, &bound, rest)).ok_or(Unsealable)
    }
}

/// A name that no other replica gives either. It is a secret only as long as it is sealed.
///
/// # Errors
/// The crypto library failed.
pub fn name() -> Result<[u8; 16], NotSealed> {
    let mut name = [0; 16];
    name.copy_from_slice(&ring::random::<32>()?[..16]);
    Ok(name)
}

fn head(epoch: u32) -> [u8; HEAD] {
    let [a, b, c, d] = epoch.to_be_bytes();
    [VERSION, a, b, c, d]
}

/// What is authenticated beside the text.
fn bound(head: [u8; HEAD], purpose: Purpose) -> Vec<u8> {
    [&head[..], purpose.label()].concat()
}

impl Purpose {
    /// Never changes: it is part of what is sealed.
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Session => b"mcpfleet session",
            Self::RequestState => b"mcpfleet request state",
            Self::Task => b"mcpfleet task",
            Self::Store => b"mcpfleet store",
        }
    }
}

/// Without the keys.
impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("epochs", &self.epochs()).finish_non_exhaustive()
    }
}
