//! How the runtime authenticates to others.

use super::{Anonymous, Scope, SecretKeyRef, auth::empty_object};
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// A member that is present or absent and has no settings.
pub type Empty = Anonymous;

/// How to authenticate to something that speaks HTTP. Exactly one member is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("[has(self.bearer), has(self.header), has(self.basic), has(self.oauthClientCredentials), has(self.tokenExchange), has(self.passThrough)].exists_one(set, set)")
    .message("set exactly one of bearer, header, basic, oauthClientCredentials, tokenExchange and passThrough"))]
#[x_kube(validation = Rule::new("!has(self.tokenExchange) || has(self.tokenExchange.audience) || has(self.tokenExchange.resource)")
    .message("tokenExchange needs audience or resource: whom the new token is for"))]
pub struct HttpAuth {
    /// `Authorization: Bearer` with the Secret's value (RFC 6750).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bearer: Option<Secret>,
    /// A header of its own name with the Secret's value, such as `x-api-key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<HeaderAuth>,
    /// `Authorization: Basic` with user name and password from a Secret (RFC 7617).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basic: Option<BasicAuth>,
    /// A token of the runtime's own, from a token endpoint (RFC 6749, section 4.4). Fetched anew before it expires, and when it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth_client_credentials: Option<TokenClient>,
    /// A token for the caller, in exchange for the one that the caller came with (RFC 8693). Callers without a token are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_exchange: Option<TokenClient>,
    /// The token that the caller came with, as it is. Upstreams only. MCP forbids it for tokens that were issued for this server alone
    /// (security best practices, "Token Passthrough"): use it where both ends are one resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "empty_object")]
    pub pass_through: Option<Empty>,
}

/// A value that comes from a Secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Secret {
    /// Where the value is.
    pub secret_ref: SecretKeyRef,
}

/// A header whose value comes from a Secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HeaderAuth {
    /// Name of the header.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9-]+$"))]
    pub name: String,
    /// Where the value is.
    pub secret_ref: SecretKeyRef,
}

/// User name and password of a Secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BasicAuth {
    /// Where both are, as a Secret of type `kubernetes.io/basic-auth` has them.
    pub secret_ref: LoginRef,
}

/// A Secret and the names of its two keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LoginRef {
    /// Name of the Secret.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"))]
    pub name: String,
    /// Key with the user name; default `username`.
    #[serde(default = "default_username")]
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[-._a-zA-Z0-9]+$"))]
    pub username_key: String,
    /// Key with the password; default `password`.
    #[serde(default = "default_password")]
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[-._a-zA-Z0-9]+$"))]
    pub password_key: String,
}

fn default_username() -> String {
    "username".into()
}

fn default_password() -> String {
    "password".into()
}

/// What asking for a token takes: the endpoint, who asks, and whom the token is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("has(self.clientId) != has(self.clientIdRef)")
    .message("set exactly one of clientId and clientIdRef"))]
pub struct TokenClient {
    /// The token endpoint.
    #[schemars(length(min = 1, max = 2048), regex(pattern = r"^https?://[^{}#\s]+$"))]
    pub token_url: String,
    /// The runtime's name there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub client_id: Option<String>,
    /// Where that name is, when it is in a Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id_ref: Option<SecretKeyRef>,
    /// Its secret there. Both are sent as `Authorization: Basic` (RFC 6749, section 2.3.1).
    pub client_secret_ref: SecretKeyRef,
    /// Scopes to ask for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub scopes: Vec<Scope>,
    /// Logical name of whom the token is for, where the issuer wants one (RFC 8693, section 2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048))]
    pub audience: Option<String>,
    /// URL of whom the token is for (RFC 8707).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048), regex(pattern = r"^https?://[^{}#\s]+$"))]
    pub resource: Option<String>,
}
