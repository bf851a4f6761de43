//! State that outlives a request and that replicas share: small values by key, each for a time.
//!
//! ```text
//! Store ──► Memory   no spec.store: this process alone, bounded in bytes and entries
//!     └───► Redis    spec.store.redis: every replica sees the same; values are sealed, and bound to their keys
//! ```
//! A shared store may be gone at any time. Each operation ends within [`PATIENCE`] whatever it does, and once it was
//! found gone, operations fail at once for [`PAUSE`]. Whoever uses it then goes on as a process without a store would;
//! that it is gone is said in `/healthz`, `/status` and metric `mcpfleet_store_up`.

mod guard;
mod memory;
mod redis;
#[cfg(test)]
mod tests;

use crate::{
    credentials::Credentials,
    seal::{Keyring, Purpose},
};
use arc_swap::ArcSwap;
use memory::Memory;
use redis::Redis;
use std::{fmt, sync::Arc, time::Duration};

/// Longest value, in bytes.
pub const MAX_VALUE: usize = 1024 * 1024;
/// Longest name of a value, in bytes.
pub const MAX_NAME: usize = 256;
/// How long one operation may take, connecting included.
pub const PATIENCE: Duration = Duration::from_secs(1);
/// How long a store that was found gone is left alone.
pub const PAUSE: Duration = Duration::from_secs(2);

/// What values are for. Names of one family never meet those of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// What a client has said once in a session: log level, watched resources, who serves it.
    Session,
    /// Sessions that were deleted.
    Ended,
    /// Tasks.
    Task,
    /// Embeddings of definitions of tools.
    Embedding,
}

/// Names one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key<'a> {
    /// What it is for.
    pub family: Family,
    /// Its name there, at most [`MAX_NAME`] bytes.
    pub name: &'a str,
}

/// A value as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The value.
    pub value: Vec<u8>,
    /// For [`Store::swap`].
    pub version: Version,
}

/// Tells whether a value was written since it was read.
#[derive(Clone, PartialEq, Eq)]
pub struct Version(Vec<u8>);

/// Whether something was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Written {
    /// It was.
    Yes,
    /// Somebody else was faster: nothing was changed.
    No,
}

/// Why an operation failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The store cannot be reached, or refuses. A write may have been carried out all the same.
    #[error("the store of this server does not serve: {0}")]
    Unavailable(String),
    /// The value or its name is too long.
    #[error("{bytes} bytes are too many for the store of this server; {most} are allowed")]
    TooLong {
        /// How many there are.
        bytes: usize,
        /// How many there may be.
        most: usize,
    },
    /// There is no room in memory. It comes back as values reach their ends.
    #[error("this process keeps as much as it may already")]
    Full,
    /// Somebody wrote there what we did not seal, or with a key that is kept no longer.
    #[error("what the store of this server holds there was not sealed by it")]
    Foreign,
    /// The cryptographic library failed.
    #[error("the cryptographic library failed to seal a value for the store of this server")]
    Library,
}

/// Whether a store serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// There is none outside this process.
    Own,
    /// Every replica sees the same.
    Shared,
    /// It does not serve just now.
    Gone {
        /// Why. Holds no secret.
        why: String,
    },
}

/// The store of one server. Shared as an `Arc`; which one it is may change with the configuration.
#[derive(Debug)]
pub struct Store {
    keys: Arc<Keyring>,
    /// `namespace/name`.
    server: String,
    place: ArcSwap<Place>,
}

#[derive(Debug)]
enum Place {
    Memory(Memory),
    Redis(Box<Redis>),
    /// Declared, and cannot be opened: its URL is missing or no good.
    Unusable(String),
}

impl Store {
    /// In this process alone.
    pub fn in_memory(keys: Arc<Keyring>, server: &str) -> Arc<Self> {
        let place = ArcSwap::from_pointee(Place::Memory(Memory::default()));
        Arc::new(Self { keys, server: server.to_owned(), place })
    }

    /// Takes the store that a configuration declares. One that it goes on with keeps its connection, or what it holds.
    pub fn configure(&self, declared: Option<&mcpfleet_config::Store>, credentials: &Credentials) {
        let Some(declared) = declared else {
            if !matches!(&**self.place.load(), Place::Memory(_)) {
                self.place.store(Arc::new(Place::Memory(Memory::default())));
            }
            return;
        };
        let mcpfleet_config::Store::Redis { url } = declared;
        let place = match credentials.secret(url) {
            Ok(secret) if matches!(&**self.place.load(), Place::Redis(old) if old.is_at(secret)) => return,
            Ok(secret) => {
                Redis::new(secret.clone()).map_or_else(Place::Unusable, |redis| Place::Redis(redis.into()))
            }
            Err(error) => Place::Unusable(error.to_string()),
        };
        if let Place::Unusable(why) = &place {
            tracing::warn!(server = self.server, why, "the store of this server cannot be used");
        }
        self.place.store(Arc::new(place));
    }

    /// Whether other replicas see what is written here, when it serves.
    pub fn is_shared(&self) -> bool {
        !matches!(&**self.place.load(), Place::Memory(_))
    }

    /// How it does.
    pub fn health(&self) -> Health {
        match &**self.place.load() {
            Place::Memory(_) => Health::Own,
            Place::Redis(redis) => redis.health(),
            Place::Unusable(why) => Health::Gone { why: why.clone() },
        }
    }

    /// The value at `key`, if there is one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get(&self, key: Key<'_>) -> Result<Option<Entry>, StoreError> {
        let path = self.path(key)?;
        match &**self.place.load() {
            Place::Memory(memory) => Ok(memory.get(&path)),
            Place::Redis(redis) => {
                let Some(sealed) = redis.get(&path).await? else { return Ok(None) };
                Ok(Some(Entry { value: self.open(&path, &sealed)?, version: Version(sealed) }))
            }
            Place::Unusable(why) => Err(StoreError::Unavailable(why.clone())),
        }
    }

    /// Writes a value for `ttl`, whatever was there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put(&self, key: Key<'_>, value: &[u8], ttl: Duration) -> Result<(), StoreError> {
        let path = self.path(key)?;
        fits(value.len(), MAX_VALUE)?;
        match &**self.place.load() {
            Place::Memory(memory) => memory.put(path, value, ttl),
            Place::Redis(redis) => redis.put(&path, &self.seal(&path, value)?, ttl).await,
            Place::Unusable(why) => Err(StoreError::Unavailable(why.clone())),
        }
    }

    /// Writes a value for `ttl` where there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_new(&self, key: Key<'_>, value: &[u8], ttl: Duration) -> Result<Written, StoreError> {
        let path = self.path(key)?;
        fits(value.len(), MAX_VALUE)?;
        match &**self.place.load() {
            Place::Memory(memory) => memory.put_new(path, value, ttl),
            Place::Redis(redis) => redis.put_new(&path, &self.seal(&path, value)?, ttl).await,
            Place::Unusable(why) => Err(StoreError::Unavailable(why.clone())),
        }
    }

    /// Writes a value for `ttl` if nothing was written since `before` was read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn swap(
        &self,
        key: Key<'_>,
        before: &Version,
        value: &[u8],
        ttl: Duration,
    ) -> Result<Written, StoreError> {
        let path = self.path(key)?;
        fits(value.len(), MAX_VALUE)?;
        match &**self.place.load() {
            Place::Memory(memory) => memory.swap(path, before, value, ttl),
            Place::Redis(redis) => redis.swap(&path, &before.0, &self.seal(&path, value)?, ttl).await,
            Place::Unusable(why) => Err(StoreError::Unavailable(why.clone())),
        }
    }

    /// Removes a value; none is no mistake.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete(&self, key: Key<'_>) -> Result<(), StoreError> {
        let path = self.path(key)?;
        match &**self.place.load() {
            Place::Memory(memory) => {
                memory.delete(&path);
                Ok(())
            }
            Place::Redis(redis) => redis.delete(&path).await,
            Place::Unusable(why) => Err(StoreError::Unavailable(why.clone())),
        }
    }

    fn path(&self, key: Key<'_>) -> Result<String, StoreError> {
        fits(key.name.len(), MAX_NAME)?;
        Ok(format!("mcpfleet:{}:{}:{}", self.server, key.family.label(), key.name))
    }

    /// Bound to its key: whoever may write to the store cannot put one value in another's place.
    fn seal(&self, path: &str, value: &[u8]) -> Result<Vec<u8>, StoreError> {
        let plain = [path.as_bytes(), b"\n", value].concat();
        self.keys.seal_bytes(Purpose::Store, &plain).map_err(|_| StoreError::Library)
    }

    fn open(&self, path: &str, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        let plain = self.keys.open_bytes(Purpose::Store, sealed);
        let mut plain = plain.map_err(|_| StoreError::Foreign)?;
        if !plain.strip_prefix(path.as_bytes()).is_some_and(|rest| rest.starts_with(b"\n")) {
            return Err(StoreError::Foreign);
        }
        Ok(plain.split_off(path.len() + 1))
    }
}

impl Family {
    /// Part of the key in the store: it never changes.
    const fn label(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Ended => "ended",
            Self::Task => "task",
            Self::Embedding => "embedding",
        }
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Version(..)")
    }
}

fn fits(bytes: usize, most: usize) -> Result<(), StoreError> {
    if bytes > most { Err(StoreError::TooLong { bytes, most }) } else { Ok(()) }
}
