//! Replicas that could not be reached a moment ago: their sessions are served here without trying again each time.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// How long a replica is taken for gone. One that only restarts has another address, or comes back within this.
const FOR: Duration = Duration::from_secs(10);
/// Most that are remembered; more than any server has replicas.
const MOST: usize = 1_000;

/// Addresses, and since when.
#[derive(Debug, Default)]
pub struct Absent(Mutex<HashMap<String, Instant>>);

impl Absent {
    /// Whether it was found gone just now.
    pub fn has(&self, owner: &str) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(owner).is_some_and(|since| since.elapsed() < FOR)
    }

    /// It cannot be reached.
    pub fn note(&self, owner: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, since| since.elapsed() < FOR);
        if known.len() < MOST {
            known.insert(owner.to_owned(), Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_replica_is_tried_again_after_a_while() {
        let absent = Absent::default();
        absent.note("10.0.0.1:8082");
        assert!(absent.has("10.0.0.1:8082") && !absent.has("10.0.0.2:8082"));
        tokio::time::advance(FOR).await;
        assert!(!absent.has("10.0.0.1:8082"));
    }
}
