//! Who may call a server.

use serde::{Deserialize, Serialize};

/// Who may call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Access {
    /// Anyone who reaches the listener; credentials that they present mean nothing.
    Anonymous,
    /// Callers with one of these credentials. Format 3.
    Restricted(Box<Restricted>),
}

/// The credentials that a server takes. At least one of `issuers` and `keys` is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Restricted {
    /// Where clients reach the server: the resource of RFC 9728. Present when `issuers` is not empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,
    /// Issuers of access tokens, sorted by their identifier.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issuers: Vec<Issuer>,
    /// Name of the Secret whose every entry is a virtual key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<String>,
    /// What becomes of callers without a credential.
    pub strangers: Strangers,
}

/// What becomes of callers without a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Strangers {
    /// 401.
    Refused,
    /// They are served as nobody in particular.
    Admitted,
}

/// An issuer of access tokens (RFC 9068), and where in its tokens a caller's properties are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Issuer {
    /// Exactly as tokens say it in `iss`.
    pub issuer: String,
    /// Values of `aud` of which a token must have one.
    pub audiences: Vec<String>,
    /// Where its keys are; else its metadata says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// Claim with the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_claim: Option<String>,
    /// Claim with the user.
    pub user_claim: String,
    /// Claim with the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_claim: Option<String>,
    /// Claim with the scopes; else `scope`, then `scp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes_claim: Option<String>,
    /// Accepted signature algorithms; never empty.
    pub algorithms: Vec<TokenAlgorithm>,
}

/// Asymmetric signature algorithms (RFC 7518, section 3.1; RFC 8037). There is no other kind here, so that none can be
/// configured: with a symmetric one, whoever can verify a token can also make it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum TokenAlgorithm {
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    EdDSA,
}

impl TokenAlgorithm {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::EdDSA,
    ];
}

impl Access {
    /// The Secret that holds virtual keys, when there is one.
    pub fn keys(&self) -> Option<&str> {
        match self {
            Self::Anonymous => None,
            Self::Restricted(restricted) => restricted.keys.as_deref(),
        }
    }

    /// Whether callers may come with a token that can be handed on or exchanged.
    pub fn takes_tokens(&self) -> bool {
        matches!(self, Self::Restricted(restricted) if !restricted.issuers.is_empty())
    }
}

/// Whether `text` is one scope (RFC 6749, section 3.3): it goes into header values between quotes.
pub fn is_scope(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}
