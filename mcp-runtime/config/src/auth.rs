//! How a request to somebody else is authenticated: headers, and the tokens that some of them carry.

use crate::CredentialRef;
use serde::{Deserialize, Serialize};

/// A request header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Field name, lower case.
    pub name: String,
    /// Field value.
    pub value: HeaderValue,
}

/// Where a header's value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum HeaderValue {
    /// Fixed text.
    Literal(String),
    /// `prefix` followed by the credential, such as `Bearer ` and a token.
    Credential {
        /// Text in front.
        prefix: String,
        /// The secret part.
        from: CredentialRef,
    },
    /// `Basic` and both, as RFC 7617 encodes them. Format 3.
    Basic {
        /// User name; contains no colon.
        username: CredentialRef,
        /// Password.
        password: CredentialRef,
    },
    /// `Bearer` and a token of our own (RFC 6749, section 4.4). Format 3.
    ClientCredentials(Box<TokenRequest>),
    /// `Bearer` and a token for the caller, in exchange for the caller's own (RFC 8693). Format 3.
    TokenExchange(Box<TokenRequest>),
    /// `Bearer` and the caller's own token. Upstreams only. Format 3.
    PassThrough,
}

/// What asking a token endpoint takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenRequest {
    /// The token endpoint.
    pub token_url: String,
    /// Who asks.
    pub client_id: ClientId,
    /// Who asks, proven.
    pub client_secret: CredentialRef,
    /// Scopes to ask for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Logical name of whom the token is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// URL of whom the token is for (RFC 8707).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
}

/// Where a client's id comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ClientId {
    /// Fixed text.
    Literal(String),
    /// A Secret.
    Credential(CredentialRef),
}

impl Header {
    /// The credentials that the value needs.
    pub fn credentials(&self) -> Vec<&CredentialRef> {
        match &self.value {
            HeaderValue::Literal(_) | HeaderValue::PassThrough => Vec::new(),
            HeaderValue::Credential { from, .. } => vec![from],
            HeaderValue::Basic { username, password } => vec![username, password],
            HeaderValue::ClientCredentials(request) | HeaderValue::TokenExchange(request) => {
                request.credentials()
            }
        }
    }

    /// Whether the value depends on who calls.
    pub fn is_per_caller(&self) -> bool {
        matches!(self.value, HeaderValue::TokenExchange(_) | HeaderValue::PassThrough)
    }

    /// The oldest [`crate::FORMAT`] that can say this.
    pub(crate) fn oldest_format(&self) -> u32 {
        match self.value {
            HeaderValue::Literal(_) | HeaderValue::Credential { .. } => 1,
            _ => 3,
        }
    }
}

impl TokenRequest {
    fn credentials(&self) -> Vec<&CredentialRef> {
        let id = match &self.client_id {
            ClientId::Literal(_) => None,
            ClientId::Credential(from) => Some(from),
        };
        id.into_iter().chain([&self.client_secret]).collect()
    }
}
