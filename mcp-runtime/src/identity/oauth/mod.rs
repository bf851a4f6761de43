//! Access tokens: JWTs of the issuers that the configuration names.
//!
//! ```text
//! token -> claimed issuer (nothing is believed yet) -> its keys (cached, fetched) -> signature, then claims -> Principal
//! ```
//! What RFC 8725 asks for is pinned here and not in a token: the algorithms, the issuer, the audience, the type. A token
//! costs at most one signature check and, once in 30 s, one fetch; that it was good is remembered for a minute.

mod discovery;
mod jwks;
mod source;
mod token;

use super::{Principal, sha256};
use crate::egress::Egress;
use jiff::Timestamp;
use mcpfleet_config::Issuer;
use moka::{Expiry, sync::Cache};
use source::{KeyError, KeySource};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
pub(super) use token::text as claim_text;
use token::{Claimed, TokenError};

/// Verified tokens that are remembered.
const MAX_REMEMBERED: u64 = 10_000;
/// How long: a token whose key was withdrawn is good for at most this much longer.
const REMEMBERED_FOR: Duration = Duration::from_mins(1);

/// All issuers of one server.
#[derive(Debug)]
pub(super) struct Issuers {
    known: Vec<Known>,
    verified: Cache<[u8; 32], Arc<Principal>>,
}

/// One issuer: what its tokens must be like, and its keys.
#[derive(Debug)]
struct Known {
    issuer: Issuer,
    source: Arc<KeySource>,
}

/// Why a token opens nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The token.
    Token(TokenError),
    /// Nobody can tell: the issuer's keys cannot be had.
    Unavailable { issuer: String },
}

struct WhileGood;

impl Expiry<[u8; 32], Arc<Principal>> for WhileGood {
    fn expire_after_create(&self, _: &[u8; 32], caller: &Arc<Principal>, _: Instant) -> Option<Duration> {
        let left = caller.expires.map(|end| end.duration_since(Timestamp::now()));
        let left = left.and_then(|left| Duration::try_from(left).ok()).unwrap_or_default();
        Some(left.min(REMEMBERED_FOR))
    }
}

impl Issuers {
    /// Issuers that fetch through `egress`. Keys that `before` has are taken over.
    pub(super) fn new(issuers: &[Issuer], egress: &Egress, before: Option<&Self>) -> Self {
        // Another audience is no reason to be without keys while their endpoint is down.
        let same_keys = |a: &Issuer, b: &Issuer| a.issuer == b.issuer && a.jwks_uri == b.jwks_uri;
        let known = |issuer: &Issuer| {
            let before = before.into_iter().flat_map(|before| &before.known);
            let source = before
                .filter(|known| same_keys(&known.issuer, issuer))
                .map(|known| known.source.clone())
                .next();
            let source = source.unwrap_or_else(|| Arc::new(KeySource::new(issuer.clone(), egress.clone())));
            Known { issuer: issuer.clone(), source }
        };
        let verified = Cache::builder().max_capacity(MAX_REMEMBERED).expire_after(WhileGood).build();
        Self { known: issuers.iter().map(known).collect(), verified }
    }

    /// Begins to fetch keys, so that the first caller need not wait.
    pub(super) fn warm_up(&self) {
        for known in &self.known {
            known.source.clone().warm_up();
        }
    }

    /// Whose token this is.
    pub(super) async fn verify(&self, token: &str) -> Result<Arc<Principal>, Refused> {
        let hash = sha256(token.as_bytes());
        if let Some(principal) = self.verified.get(&hash) {
            return Ok(principal);
        }
        let claimed = Claimed::read(token).map_err(Refused::Token)?;
        let known = self.known.iter().find(|known| known.issuer.issuer == claimed.issuer);
        let Known { issuer, source } = known.ok_or(Refused::Token(TokenError::ForeignIssuer))?;
        claimed.check_algorithm(issuer).map_err(Refused::Token)?;
        let key =
            source.key(claimed.kid.as_deref(), claimed.algorithm).await.map_err(|error| match error {
                KeyError::Unknown => Refused::Token(TokenError::UnknownKey),
                KeyError::Unavailable => Refused::Unavailable { issuer: issuer.issuer.clone() },
            })?;
        let principal = Arc::new(claimed.verify(token, issuer, &key).map_err(Refused::Token)?);
        self.verified.insert(hash, principal.clone());
        Ok(principal)
    }
}
