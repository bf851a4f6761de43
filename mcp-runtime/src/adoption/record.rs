//! What the store keeps of a session, so that whoever adopts it can go on: who holds it, and what its client has said
//! once. Written by its holder, compare and set, so that a holder that was taken for gone cannot take it back.

use crate::{
    session::{LIFETIME, Live, SessionKey},
    store::{Entry, Family, Key, Store, StoreError, Written},
};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// How often a write that others were faster with is tried.
const TRIES: usize = 4;

/// One session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    /// `ip:port` of the replica that holds it.
    pub(super) holder: String,
    /// `logging/setLevel`, in the word of the wire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) log_level: Option<String>,
    /// URIs of the resources that it watches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) watched: Vec<String>,
}

/// The record of a session, if there is one.
pub(super) async fn read(store: &Store, key: SessionKey) -> Result<Option<Record>, StoreError> {
    let found = store.get(Key { family: Family::Session, name: &name(key) }).await?;
    Ok(found.map(|entry| parse(&entry)))
}

/// Whether a session was deleted.
pub(super) async fn is_ended(store: &Store, key: SessionKey) -> Result<bool, StoreError> {
    Ok(store.get(Key { family: Family::Ended, name: &name(key) }).await?.is_some())
}

/// A session was deleted: nobody is to adopt it.
pub(super) async fn bury(store: &Store, key: SessionKey) -> Result<(), StoreError> {
    let name = name(key);
    store.put(Key { family: Family::Ended, name: &name }, b"1", LIFETIME).await?;
    store.delete(Key { family: Family::Session, name: &name }).await
}

/// Writes `holder` into the record of a session whose holders were all found `gone`. Gives what was in it; `None` when
/// somebody else holds the session by now.
pub(super) async fn take_over(
    store: &Store,
    key: SessionKey,
    holder: &str,
    gone: &[String],
) -> Result<Option<Record>, StoreError> {
    let name = name(key);
    let key = Key { family: Family::Session, name: &name };
    for _ in 0..TRIES {
        let found = store.get(key).await?;
        let before = found.as_ref().map(parse).unwrap_or_default();
        let is_free = before.holder.is_empty() || before.holder == holder || gone.contains(&before.holder);
        if !is_free {
            return Ok(None);
        }
        let record = Record { holder: holder.to_owned(), ..before };
        if write(store, key, found.as_ref(), &record).await? == Written::Yes {
            return Ok(Some(record));
        }
    }
    Ok(None)
}

/// Keeps what a client has said, for whoever adopts its session. When another replica holds it by now, that one's record
/// stays as it is. A store that is gone is no reason to fail the client: it says so of itself.
pub async fn keep(store: &Store, live: &Live, holder: &str) {
    if !store.is_shared() || holder.is_empty() {
        return;
    }
    if let Err(error) = try_keep(store, live, holder).await {
        tracing::debug!(%error, "what a session's client has said is not kept beyond this replica");
    }
}

async fn try_keep(store: &Store, live: &Live, holder: &str) -> Result<(), StoreError> {
    let name = name(live.key);
    let key = Key { family: Family::Session, name: &name };
    for _ in 0..TRIES {
        let found = store.get(key).await?;
        if found.as_ref().map(parse).is_some_and(|before| before.holder != holder) {
            return Ok(());
        }
        let record = Record {
            holder: holder.to_owned(),
            log_level: live.log_level().map(|level| level.as_str().to_owned()),
            watched: live.watched(),
        };
        if write(store, key, found.as_ref(), &record).await? == Written::Yes {
            return Ok(());
        }
    }
    Ok(())
}

async fn write(
    store: &Store,
    key: Key<'_>,
    before: Option<&Entry>,
    record: &Record,
) -> Result<Written, StoreError> {
    // Strings and lists of strings can always be written.
    let text = serde_json::to_vec(record).unwrap_or_default();
    match before {
        Some(before) => store.swap(key, &before.version, &text, LIFETIME).await,
        None => store.put_new(key, &text, LIFETIME).await,
    }
}

/// What another version of this program wrote in another way says nothing.
fn parse(entry: &Entry) -> Record {
    serde_json::from_slice(&entry.value).unwrap_or_default()
}

/// The name of a session where it is written down.
pub(super) fn name(key: SessionKey) -> String {
    key.iter().fold(String::with_capacity(32), |mut text, byte| {
        // Memory does not refuse.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::Keyring;
    use mcpfleet_protocol::server::LogLevel;
    use std::sync::Arc;

    const KEY: SessionKey = [7; 16];

    fn store() -> Arc<Store> {
        Store::in_memory(Keyring::random().unwrap(), "agents/support")
    }

    #[tokio::test]
    async fn of_two_that_adopt_one_does_and_a_holder_that_was_taken_for_gone_does_not_take_it_back() {
        let store = store();
        let gone = ["10.0.0.1:1".to_owned()];
        assert!(take_over(&store, KEY, "10.0.0.2:1", &gone).await.unwrap().is_some());
        assert_eq!(take_over(&store, KEY, "10.0.0.3:1", &gone).await, Ok(None));
        let live = Live::new(KEY);
        live.set_log_level(LogLevel::Debug);
        try_keep(&store, &live, "10.0.0.1:1").await.unwrap();
        let kept = read(&store, KEY).await.unwrap().unwrap();
        assert_eq!((kept.holder.as_str(), kept.log_level), ("10.0.0.2:1", None));
    }

    #[tokio::test]
    async fn what_was_said_goes_with_the_session_from_holder_to_holder() {
        let (store, live) = (store(), Live::new(KEY));
        live.set_log_level(LogLevel::Warning);
        live.subscribe("a:b", None).unwrap();
        try_keep(&store, &live, "one").await.unwrap();
        let kept = take_over(&store, KEY, "two", &["one".into()]).await.unwrap().unwrap();
        let expected =
            Record { holder: "two".into(), log_level: Some("warning".into()), watched: vec!["a:b".into()] };
        assert_eq!(kept, expected);
        bury(&store, KEY).await.unwrap();
        assert_eq!((is_ended(&store, KEY).await, read(&store, KEY).await), (Ok(true), Ok(None)));
    }
}
