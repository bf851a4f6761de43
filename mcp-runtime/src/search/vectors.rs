//! Vectors that are kept: in this process, and in the store where replicas share one.

use crate::store::{Family, Key as StoreKey, Store, StoreError};
use aws_lc_rs::digest::{SHA256, digest};
use std::{
    collections::{HashMap, HashSet},
    fmt::Write,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Most bytes of vectors of one server.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// How long the store keeps one that nobody has written anew.
const KEPT: Duration = Duration::from_hours(30 * 24);

/// Which model has read which text.
pub(super) type Key = [u8; 32];

/// Vectors by what they are of.
#[derive(Debug)]
pub(super) struct Vectors {
    store: Arc<Store>,
    here: Mutex<HashMap<Key, Arc<[f32]>>>,
}

/// There is no more room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the vectors of all tools would take more than {} MiB", MAX_BYTES / 1024 / 1024)]
pub(super) struct Full;

/// The key of a text's vector.
pub(super) fn key(model: &str, text: &str) -> Key {
    let mut hash = [0; 32];
    let bytes = [model.as_bytes(), b"\n", text.as_bytes()].concat();
    hash.copy_from_slice(digest(&SHA256, &bytes).as_ref());
    hash
}

impl Vectors {
    pub(super) fn new(store: Arc<Store>) -> Self {
        Self { store, here: Mutex::default() }
    }

    /// The vectors of those of `keys` that are visible, each with its place; `None` unless all are there.
    pub(super) fn all(&self, keys: &[Key], visible: &[bool]) -> Option<Vec<(usize, Arc<[f32]>)>> {
        let here = self.here();
        let seen = keys.iter().enumerate().zip(visible).filter(|(_, seen)| **seen);
        seen.map(|((at, key), _)| Some((at, here.get(key)?.clone()))).collect()
    }

    /// Forgets all but these.
    pub(super) fn keep_only(&self, keys: &[Key]) {
        let keys: HashSet<&Key> = keys.iter().collect();
        self.here().retain(|key, _| keys.contains(key));
    }

    /// The places of `keys` that have no vector, neither here nor in the store; what the store has is here from now on.
    pub(super) async fn missing(&self, keys: &[Key]) -> Vec<usize> {
        let mut missing: Vec<usize> = {
            let here = self.here();
            keys.iter().enumerate().filter(|(_, key)| !here.contains_key(*key)).map(|(at, _)| at).collect()
        };
        if !self.store.is_shared() {
            return missing;
        }
        let mut absent = Vec::new();
        while let Some(at) = missing.pop() {
            let Some(key) = keys.get(at) else { continue };
            match self.stored(key).await {
                Ok(Some(vector)) => {
                    if self.insert(*key, vector).is_err() {
                        absent.push(at);
                    }
                }
                Ok(None) => absent.push(at),
                // A store that is gone is not asked for the rest.
                Err(_) => {
                    absent.push(at);
                    absent.append(&mut missing);
                }
            }
        }
        absent.sort_unstable();
        absent
    }

    /// Keeps a vector, and shares it.
    pub(super) async fn put(&self, key: Key, vector: Vec<f32>) -> Result<(), Full> {
        let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.insert(key, vector)?;
        if self.store.is_shared() {
            // Without it another replica embeds the same once more.
            let _ = self.store.put(named(&name(&key)), &bytes, KEPT).await;
        }
        Ok(())
    }

    async fn stored(&self, key: &Key) -> Result<Option<Vec<f32>>, StoreError> {
        let found = self.store.get(named(&name(key))).await?;
        Ok(found.and_then(|entry| read(&entry.value)))
    }

    fn insert(&self, key: Key, vector: Vec<f32>) -> Result<(), Full> {
        let mut here = self.here();
        let kept: usize = here.values().map(|vector| size_of_val::<[f32]>(vector)).sum();
        if kept + size_of_val(vector.as_slice()) > MAX_BYTES {
            return Err(Full);
        }
        here.insert(key, vector.into());
        Ok(())
    }

    fn here(&self) -> MutexGuard<'_, HashMap<Key, Arc<[f32]>>> {
        self.here.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Numbers of four bytes; `None` for what is none of ours.
fn read(bytes: &[u8]) -> Option<Vec<f32>> {
    let (numbers, rest) = bytes.as_chunks::<4>();
    (rest.is_empty() && !numbers.is_empty())
        .then(|| numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}

fn name(key: &Key) -> String {
    key.iter().fold(String::new(), |mut name, byte| {
        // Writing to a string cannot fail.
        let _ = write!(name, "{byte:02x}");
        name
    })
}

const fn named(name: &str) -> StoreKey<'_> {
    StoreKey { family: Family::Embedding, name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let numbers = [0.5_f32, -1.0];
        let bytes: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
        assert_eq!(read(&bytes).unwrap(), numbers);
        assert_eq!(read(&bytes[..7]), None);
        assert_eq!(read(&[]), None);
    }

    #[test]
    fn a_key_tells_models_and_texts_apart() {
        assert_ne!(key("a", "b"), key("b", "b"));
        assert_ne!(key("a", "b"), key("a", "c"));
        assert_eq!(name(&key("a", "b")).len(), 64);
    }
}
