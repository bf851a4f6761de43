//! A store of one process.

use super::{Entry, StoreError, Version, Written};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Most values.
const MAX_ENTRIES: usize = 100_000;
/// Most bytes of keys and values.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Values, and when each ends.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    values: HashMap<String, Kept>,
    ends: BTreeSet<(Instant, String)>,
    bytes: usize,
    /// Goes up with each write.
    writes: u64,
}

#[derive(Debug)]
struct Kept {
    value: Vec<u8>,
    ends: Instant,
    written: u64,
}

impl Memory {
    pub(super) fn get(&self, path: &str) -> Option<Entry> {
        let mut state = self.lock();
        state.sweep();
        let kept = state.values.get(path)?;
        Some(Entry { value: kept.value.clone(), version: kept.version() })
    }

    pub(super) fn put(&self, path: String, value: &[u8], ttl: Duration) -> Result<(), StoreError> {
        self.lock().write(path, value, ttl)
    }

    pub(super) fn put_new(&self, path: String, value: &[u8], ttl: Duration) -> Result<Written, StoreError> {
        let mut state = self.lock();
        state.sweep();
        if state.values.contains_key(&path) {
            return Ok(Written::No);
        }
        state.write(path, value, ttl).map(|()| Written::Yes)
    }

    pub(super) fn swap(
        &self,
        path: String,
        before: &Version,
        value: &[u8],
        ttl: Duration,
    ) -> Result<Written, StoreError> {
        let mut state = self.lock();
        state.sweep();
        if state.values.get(&path).is_none_or(|kept| kept.version() != *before) {
            return Ok(Written::No);
        }
        state.write(path, value, ttl).map(|()| Written::Yes)
    }

    pub(super) fn delete(&self, path: &str) {
        self.lock().remove(path);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn write(&mut self, path: String, value: &[u8], ttl: Duration) -> Result<(), StoreError> {
        self.sweep();
        let before = self.values.get(&path).map_or(0, |kept| cost(&path, &kept.value));
        let entries = self.values.len() + usize::from(before == 0);
        let bytes = self.bytes - before + cost(&path, value);
        if entries > MAX_ENTRIES || bytes > MAX_BYTES {
            return Err(StoreError::Full);
        }
        self.remove(&path);
        self.writes += 1;
        let ends = Instant::now() + ttl;
        self.bytes = bytes;
        self.ends.insert((ends, path.clone()));
        self.values.insert(path, Kept { value: value.to_vec(), ends, written: self.writes });
        Ok(())
    }

    fn remove(&mut self, path: &str) {
        if let Some((path, kept)) = self.values.remove_entry(path) {
            self.bytes -= cost(&path, &kept.value);
            self.ends.remove(&(kept.ends, path));
        }
    }

    /// Removes what has reached its end.
    fn sweep(&mut self) {
        let now = Instant::now();
        while let Some((_, path)) = self.ends.first().filter(|(ends, _)| *ends <= now).cloned() {
            self.remove(&path);
        }
    }
}

impl Kept {
    fn version(&self) -> Version {
        Version(self.written.to_be_bytes().to_vec())
    }
}

/// The key stands twice.
fn cost(path: &str, value: &[u8]) -> usize {
    2 * path.len() + value.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    #[tokio::test(start_paused = true)]
    async fn what_has_reached_its_end_makes_room() {
        let memory = Memory::default();
        let large = vec![0; MAX_BYTES / 2 - 100];
        memory.put("a".into(), &large, LONG).unwrap();
        memory.put("b".into(), &large, 2 * LONG).unwrap();
        assert_eq!(memory.put("c".into(), &large, LONG), Err(StoreError::Full));
        memory.put("b".into(), &large, 2 * LONG).unwrap();
        tokio::time::advance(LONG).await;
        assert!(memory.get("a").is_none() && memory.get("b").is_some());
        memory.put("c".into(), &large, LONG).unwrap();
        memory.delete("b");
        memory.delete("c");
        let state = memory.lock();
        assert_eq!((state.bytes, state.ends.len(), state.values.len()), (0, 0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn entries_are_bounded_however_small() {
        let memory = Memory::default();
        for n in 0..MAX_ENTRIES {
            memory.put(n.to_string(), b"", LONG).unwrap();
        }
        assert_eq!(memory.put_new("one more".into(), b"", LONG), Err(StoreError::Full));
        assert_eq!(memory.put_new("0".into(), b"", LONG), Ok(Written::No));
    }
}
