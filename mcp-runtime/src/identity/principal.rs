//! Who calls, and what the caller may.

use super::sha256;
use crate::credentials::Secret;
use jiff::Timestamp;
use std::{
    collections::BTreeSet,
    sync::{Arc, LazyLock},
};

/// A caller. Shared as `Arc`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Principal {
    /// Who says so: the issuer of the token; absent for keys and strangers.
    pub issuer: Option<String>,
    /// The organisation.
    pub tenant: Option<String>,
    /// The person.
    pub user: Option<String>,
    /// Id of the virtual key, never its secret.
    pub key: Option<String>,
    /// The program that acts.
    pub agent: Option<String>,
    /// What it was granted.
    pub scopes: Scopes,
    /// The tools that it is limited to; `None` for all.
    pub tools: Option<ToolPatterns>,
    /// The access token that it came with: to be exchanged or handed on where the server says so, and for nothing else.
    pub token: Option<Secret>,
    /// When the credential ends.
    pub expires: Option<Timestamp>,
}

/// Granted scopes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(BTreeSet<String>);

/// Names of tools; `*` in one stands for any text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolPatterns(Vec<String>);

/// What a caller may do with a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Call it.
    Use,
    /// Nothing until it has more scopes: a client of OAuth can ask its user for them.
    NeedsScopes,
    /// Not even know of it: no scope would help.
    None,
}

static ANONYMOUS: LazyLock<Arc<Principal>> = LazyLock::new(Arc::default);
static NOBODY: LazyLock<Arc<Principal>> =
    LazyLock::new(|| Arc::new(Principal { tools: Some(ToolPatterns::default()), ..Principal::default() }));

impl Principal {
    /// A caller without credentials.
    pub fn anonymous() -> Arc<Self> {
        ANONYMOUS.clone()
    }

    /// The runtime's own readiness handshake: it may use no tool.
    pub fn nobody() -> Arc<Self> {
        NOBODY.clone()
    }

    /// Whether nothing is known of it.
    pub fn is_anonymous(&self) -> bool {
        self.issuer.is_none() && self.key.is_none()
    }

    /// Who it is, in 16 bytes that survive the refresh of a token or a change of its scopes: what sessions and sealed state
    /// are bound to.
    pub fn fingerprint(&self) -> [u8; 16] {
        let mut bytes = b"mcpfleet principal 1".to_vec();
        for part in [&self.issuer, &self.tenant, &self.user, &self.key, &self.agent] {
            // Lengths keep neighbours apart, and absent from empty.
            let length = part.as_ref().map_or(u64::MAX, |part| part.len() as u64);
            bytes.extend(length.to_be_bytes());
            bytes.extend(part.iter().flat_map(|part| part.bytes()));
        }
        let mut print = [0; 16];
        print.copy_from_slice(sha256(&bytes).split_at(16).0);
        print
    }

    /// Whether it is the same caller with the same rights, whatever shows that and for however long.
    pub fn is_like(&self, other: &Self) -> bool {
        self.fingerprint() == other.fingerprint() && self.scopes == other.scopes && self.tools == other.tools
    }

    /// What it may do with a tool that needs these scopes.
    pub fn right(&self, needed: &[String], tool: &str) -> Right {
        if !self.knows_tool(tool) {
            return Right::None;
        }
        if self.has_scopes(needed) { Right::Use } else { Right::NeedsScopes }
    }

    /// Whether it may know of a tool at all, whatever its scopes.
    pub fn knows_tool(&self, tool: &str) -> bool {
        self.tools.as_ref().is_none_or(|tools| tools.allow(tool))
    }

    /// Whether it was granted all of these.
    pub fn has_scopes(&self, needed: &[String]) -> bool {
        needed.iter().all(|scope| self.scopes.contain(scope))
    }

    /// Whether it is limited to some tools.
    pub fn is_limited_to_tools(&self) -> bool {
        self.tools.is_some()
    }

    /// Whether it may call a tool that needs these scopes.
    pub fn may_use(&self, needed: &[String], tool: &str) -> bool {
        self.right(needed, tool) == Right::Use
    }
}

impl Scopes {
    /// Whether `scope` is among them. Compared as text: none implies another.
    pub fn contain(&self, scope: &str) -> bool {
        self.0.contains(scope)
    }
}

impl<T: Into<String>> FromIterator<T> for Scopes {
    fn from_iter<I: IntoIterator<Item = T>>(scopes: I) -> Self {
        Self(scopes.into_iter().map(Into::into).collect())
    }
}

impl ToolPatterns {
    /// Whether one of them matches.
    pub fn allow(&self, tool: &str) -> bool {
        self.0.iter().any(|pattern| matches(pattern, tool))
    }
}

impl From<Vec<String>> for ToolPatterns {
    fn from(patterns: Vec<String>) -> Self {
        Self(patterns)
    }
}

/// Whether a name fits a pattern, in which `*` stands for any text.
///
/// Linear in both: each piece is taken at its first place, which leaves the most for the rest.
pub fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        match text.find(piece) {
            Some(at) => text = text.get(at + piece.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn named(tenant: Option<&str>, user: Option<&str>) -> Principal {
        let own = |text: Option<&str>| text.map(ToOwned::to_owned);
        Principal { tenant: own(tenant), user: own(user), ..Principal::default() }
    }

    #[test]
    fn a_fingerprint_tells_callers_apart_and_not_their_tokens() {
        let alice = named(Some("acme"), Some("alice"));
        let refreshed = Principal {
            token: Some(Secret(b"new".to_vec())),
            scopes: ["more"].into_iter().collect(),
            expires: Some(Timestamp::UNIX_EPOCH),
            ..alice.clone()
        };
        assert_eq!(alice.fingerprint(), refreshed.fingerprint());
        let others =
            [named(None, Some("acmealice")), named(Some("acmealice"), None), named(Some(""), Some("alice"))];
        assert!(others.iter().all(|other| other.fingerprint() != alice.fingerprint()));
        assert_ne!(named(None, Some("a")).fingerprint(), named(Some("a"), None).fingerprint());
    }

    #[test]
    fn a_limited_key_does_not_know_of_other_tools() {
        let tools = ToolPatterns::from(vec!["search_*".to_owned(), "ping".to_owned()]);
        let key = Principal { key: Some("k".into()), tools: Some(tools), ..Principal::default() };
        let scope = ["a".to_owned()];
        assert_eq!(key.right(&[], "search_orders"), Right::Use);
        assert_eq!(key.right(&[], "delete_orders"), Right::None);
        assert_eq!(key.right(&scope, "delete_orders"), Right::None, "no challenge tells of it either");
        assert_eq!(key.right(&scope, "ping"), Right::NeedsScopes);
        assert_eq!(Principal::nobody().right(&[], "ping"), Right::None);
    }

    #[test]
    fn a_token_is_never_printed() {
        let caller = Principal { token: Some(Secret(b"hunter2".to_vec())), ..Principal::default() };
        assert!(!format!("{caller:?}").contains("hunter2"));
    }

    /// What a pattern means, told in the slowest way.
    fn slowly(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|at| slowly(rest, &text[at..])),
            Some((byte, rest)) => text.first() == Some(byte) && slowly(rest, &text[1..]),
        }
    }

    proptest! {
        #[test]
        fn patterns_match_as_they_should(pattern in "[ab*]{0,8}", text in "[ab]{0,10}") {
            prop_assert_eq!(matches(&pattern, &text), slowly(pattern.as_bytes(), text.as_bytes()));
        }
    }
}
