//! Tokens that were fetched, until shortly before they expire.
//!
//! Bounded in number; requests that want the same token at once wait for one fetch.

use super::endpoint::{Fetched, TokenError, TokenQuery, fetch};
use crate::{credentials::Secret, egress::Egress};
use aws_lc_rs::digest::{Context, SHA256};
use moka::{Expiry, future::Cache};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Most tokens that are kept: callers of one server within the lifetime of a token.
const MAX_TOKENS: u64 = 10_000;
/// How long before its end a token is no longer used: it must survive its way and the other side's clock.
const MARGIN: Duration = Duration::from_secs(30);

type Key = [u8; 32];

/// Fetches and keeps tokens. Clones share what is kept.
#[derive(Clone, Debug)]
pub struct Signer {
    egress: Egress,
    kept: Cache<Key, Arc<Fetched>>,
}

/// A token that somebody wants.
pub(super) struct Wanted<'a> {
    query: &'a Arc<TokenQuery>,
    /// The caller's token, when one for the caller is wanted.
    subject: Option<Secret>,
}

impl<'a> Wanted<'a> {
    pub(super) fn own(query: &'a Arc<TokenQuery>) -> Self {
        Self { query, subject: None }
    }

    pub(super) fn exchanged(query: &'a Arc<TokenQuery>, subject: Vec<u8>) -> Self {
        Self { query, subject: Some(Secret(subject)) }
    }

    /// By the token and not by who bears it: another one of the same caller can have fewer scopes.
    fn key(&self) -> Key {
        let mut context = Context::new(&SHA256);
        let query = self.query;
        let subject = self.subject.as_ref().map(|subject| subject.0.as_slice());
        let optional = |text: &Option<String>| text.as_ref().map(|text| text.as_bytes().to_vec());
        let parts = [
            Some(query.url.as_bytes().to_vec()),
            Some(query.client_id.0.clone()),
            Some(query.client_secret.0.clone()),
            Some(query.scopes.as_bytes().to_vec()),
            optional(&query.audience),
            optional(&query.resource),
            subject.map(<[u8]>::to_vec),
        ];
        for part in parts {
            // Lengths keep neighbours apart.
            let length = part.as_ref().map_or(u64::MAX, |part| part.len() as u64);
            context.update(&length.to_be_bytes());
            context.update(part.as_deref().unwrap_or_default());
        }
        let mut key = Key::default();
        key.copy_from_slice(context.finish().as_ref());
        key
    }
}

/// A token is kept for as long as it is good.
struct UntilItExpires;

impl Expiry<Key, Arc<Fetched>> for UntilItExpires {
    fn expire_after_create(&self, _: &Key, token: &Arc<Fetched>, _: Instant) -> Option<Duration> {
        Some(usable_for(token.lifetime))
    }
}

/// Of a short life a quarter is margin enough.
fn usable_for(lifetime: Duration) -> Duration {
    lifetime.saturating_sub(MARGIN.min(lifetime / 4))
}

impl Signer {
    /// A signer that fetches through `egress`.
    pub fn new(egress: Egress) -> Self {
        Self { egress, kept: Cache::builder().max_capacity(MAX_TOKENS).expire_after(UntilItExpires).build() }
    }

    /// The token, from the cache or anew.
    pub(super) async fn token(&self, wanted: &Wanted<'_>) -> Result<Vec<u8>, TokenError> {
        let fetching = fetch(&self.egress, wanted.query, wanted.subject.as_ref());
        let token = self.kept.try_get_with(wanted.key(), async { fetching.await.map(Arc::new) }).await;
        token.map(|token| token.token.0.clone()).map_err(|error| (*error).clone())
    }

    /// The next request fetches it anew.
    pub(super) async fn forget(&self, wanted: &Wanted<'_>) {
        self.kept.invalidate(&wanted.key()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(audience: Option<&str>, scopes: &str) -> Arc<TokenQuery> {
        Arc::new(TokenQuery {
            url: "https://idp/token".into(),
            client_id: Secret(b"id".to_vec()),
            client_secret: Secret(b"secret".to_vec()),
            scopes: scopes.into(),
            audience: audience.map(ToOwned::to_owned),
            resource: None,
        })
    }

    #[test]
    fn what_differs_is_kept_apart() {
        let (plain, other) = (query(None, "a"), query(Some(""), "a"));
        let keys = [
            Wanted::own(&plain).key(),
            Wanted::own(&other).key(),
            Wanted::exchanged(&plain, b"alice".to_vec()).key(),
            Wanted::exchanged(&plain, b"bob".to_vec()).key(),
            Wanted::exchanged(&plain, Vec::new()).key(),
        ];
        for (at, key) in keys.iter().enumerate() {
            assert!(!keys[at + 1..].contains(key), "{at}");
        }
        assert_eq!(Wanted::own(&plain).key(), Wanted::own(&query(None, "a")).key());
    }

    #[test]
    fn a_token_is_given_up_before_it_expires() {
        let seconds = Duration::from_secs;
        assert_eq!(usable_for(seconds(3_600)), seconds(3_570));
        assert_eq!(usable_for(seconds(40)), seconds(30));
        assert_eq!(usable_for(seconds(0)), seconds(0));
    }
}
