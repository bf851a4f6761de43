//! Virtual keys: `mcpf_<id>_<secret>`, one entry of a Secret each.
//!
//! The entry holds SHA-256 of the whole key and what its bearer may. A slow hash would protect nothing: the secret part is
//! 43 random characters of 62, which is 256 bits, and no dictionary or cracking rig comes near; and a slow one, done on
//! every request, would be a way to keep the server busy.

mod entry;
mod generate;

pub use entry::{Entry, EntryError};
pub use generate::{Generated, generate};

use super::{Principal, presented::KEY_PREFIX, sha256};
use crate::credentials::Secret;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use jiff::Timestamp;
use std::{collections::BTreeMap, sync::Arc};

/// All keys of one server. Made anew when the Secret changes.
#[derive(Debug, Default)]
pub(super) struct Keyring {
    keys: BTreeMap<String, Key>,
}

#[derive(Debug)]
struct Key {
    hash: [u8; 32],
    principal: Arc<Principal>,
}

/// Why a key opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// No such key, or another secret: which of the two is nobody's business.
    Unknown,
    /// It was one.
    Expired,
}

impl Keyring {
    /// Reads the entries of a Secret. Those that cannot be read open nothing, and are given back with the reason.
    pub(super) fn read(entries: &BTreeMap<String, Secret>) -> (Self, BTreeMap<String, EntryError>) {
        let mut keyring = Self::default();
        let mut unusable = BTreeMap::new();
        for (id, text) in entries {
            match Entry::read(&text.0).and_then(|entry| entry.key(id)) {
                Ok((hash, principal)) => {
                    keyring.keys.insert(id.clone(), Key { hash, principal: Arc::new(principal) });
                }
                Err(error) => {
                    unusable.insert(id.clone(), error);
                }
            }
        }
        (keyring, unusable)
    }

    /// Whose key this is.
    pub(super) fn find(&self, presented: &str, now: Timestamp) -> Result<Arc<Principal>, Refused> {
        let hash = sha256(presented.as_bytes());
        // The id is no secret; a compare against nothing keeps one that exists from showing in the time.
        let known = id_of(presented).and_then(|id| self.keys.get(id));
        let expected = known.map_or([0; 32], |key| key.hash);
        if verify_slices_are_equal(&hash, &expected).is_err() {
            return Err(Refused::Unknown);
        }
        let principal = known.map(|key| key.principal.clone()).ok_or(Refused::Unknown)?;
        match principal.expires {
            Some(end) if end <= now => Err(Refused::Expired),
            _ => Ok(principal),
        }
    }
}

/// The id may hold `_`, the secret does not.
fn id_of(key: &str) -> Option<&str> {
    key.strip_prefix(KEY_PREFIX)?.rsplit_once('_').map(|(id, _)| id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn keyring(entries: &[(&str, &Entry)]) -> Keyring {
        let entries = entries
            .iter()
            .map(|(id, entry)| ((*id).to_owned(), Secret(entry.to_yaml().unwrap().into_bytes())));
        let (keyring, unusable) = Keyring::read(&entries.collect());
        assert!(unusable.is_empty(), "{unusable:?}");
        keyring
    }

    #[test]
    fn a_key_opens_and_nothing_that_is_almost_it_does() {
        let mut made = generate("ci_bot").unwrap();
        made.entry.tenant = Some("acme".into());
        let keyring = keyring(&[("ci_bot", &made.entry)]);
        let now = at("2026-01-01T00:00:00Z");
        let principal = keyring.find(&made.key, now).unwrap();
        assert_eq!((principal.key.as_deref(), principal.tenant.as_deref()), (Some("ci_bot"), Some("acme")));
        let cut = &made.key[..made.key.len() - 1];
        let renamed = made.key.replace("ci_bot", "ci_bat");
        for wrong in [cut, &format!("{}x", made.key), &renamed, "mcpf_ci_bot_", "mcpf_", "", "ci_bot"] {
            assert_eq!(keyring.find(wrong, now), Err(Refused::Unknown), "{wrong}");
        }
        let two = [generate("a").unwrap().key, generate("a").unwrap().key];
        assert_ne!(two[0], two[1]);
    }

    #[test]
    fn a_key_ends_with_its_last_second() {
        let mut made = generate("a").unwrap();
        made.entry.expires = Some(at("2026-01-01T00:00:00Z"));
        let keyring = keyring(&[("a", &made.entry)]);
        assert!(keyring.find(&made.key, at("2025-12-31T23:59:59Z")).is_ok());
        assert_eq!(keyring.find(&made.key, at("2026-01-01T00:00:00Z")), Err(Refused::Expired));
    }

    #[test]
    fn one_bad_entry_spoils_no_other() {
        let made = generate("good").unwrap();
        let entries = [
            ("good", made.entry.to_yaml().unwrap()),
            ("empty", String::new()),
            ("typo", made.entry.to_yaml().unwrap() + "tenent: x\n"),
            ("short", "hash: sha256:abcd\n".to_owned()),
            ("plain", made.key.clone()),
            ("odd id!", made.entry.to_yaml().unwrap()),
        ];
        let entries = entries.map(|(id, text)| (id.to_owned(), Secret(text.into_bytes())));
        let (keyring, unusable) = Keyring::read(&entries.into());
        assert_eq!(unusable.keys().collect::<Vec<_>>(), ["empty", "odd id!", "plain", "short", "typo"]);
        assert!(keyring.find(&made.key, at("2026-01-01T00:00:00Z")).is_ok());
        assert!(unusable.values().all(|why| !why.to_string().contains(&made.key)), "{unusable:?}");
    }
}
