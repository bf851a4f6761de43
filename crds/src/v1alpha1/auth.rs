//! Who may call a server.

use super::SecretRef;
use kube::KubeSchema;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Who may call. At least one member is set; where several are, a caller needs one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(deny_unknown_fields)]
#[x_kube(validation = Rule::new("has(self.anonymous) || has(self.keys) || (has(self.oauth) && size(self.oauth) > 0)")
    .message("say who may call: oauth, keys, or anonymous: {} to let in everyone who reaches the Service"))]
pub struct Auth {
    /// Bearers of access tokens of these issuers (MCP, authorization).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["issuer".into()]))]
    pub oauth: Vec<Issuer>,
    /// Bearers of keys that `mcp-runtime keys new` makes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<Keys>,
    /// Everyone who reaches the listener and presents no credential. A bad credential is refused all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "empty_object")]
    pub anonymous: Option<Anonymous>,
}

/// A structural schema knows no `additionalProperties: false`, which the derived one would say.
pub(super) fn empty_object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object", "nullable": true})
}

/// Present or absent; it has no settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(deny_unknown_fields)]
pub struct Anonymous {}

/// An issuer of access tokens (JWT, RFC 9068), and where in its tokens a caller's properties are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Issuer {
    /// The issuer's identifier, exactly as its tokens say it in `iss`.
    #[schemars(length(min = 1, max = 2048), regex(pattern = r"^https?://[^{}?#\s]+$"))]
    pub issuer: String,
    /// Values of `aud` of which a token must have one: it was issued for this server, not for another.
    #[schemars(length(min = 1, max = 16), inner(length(min = 1, max = 2048)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub audiences: Vec<String>,
    /// Where its keys are (RFC 7517); default: what its metadata says (RFC 8414, else the discovery of `OpenID` Connect), as far
    /// as that is on the issuer's own host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048), regex(pattern = r"^https?://[^{}#\s]+$"))]
    pub jwks_uri: Option<String>,
    /// Claim with the tenant; absent: callers have none. A token without the claim is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub tenant_claim: Option<String>,
    /// Claim with the user; default `sub`. A token without the claim is refused.
    #[serde(default = "default_user_claim")]
    #[schemars(length(min = 1, max = 128))]
    pub user_claim: String,
    /// Claim with the agent that acts for the user, such as `client_id`; absent: callers have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub agent_claim: Option<String>,
    /// Claim with the scopes, a list or a text with spaces; default `scope`, and where that is absent `scp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub scopes_claim: Option<String>,
    /// Signature algorithms that are accepted; default: all that are listed here. Others, symmetric ones and `none`, never are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 9))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub algorithms: Vec<TokenAlgorithm>,
}

fn default_user_claim() -> String {
    "sub".into()
}

/// A signature algorithm (RFC 7518, section 3.1; RFC 8037).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
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

/// Where virtual keys are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Keys {
    /// Secret with one entry for each key, as `mcp-runtime keys new` prints it: the key's id, and what it may. Changes take
    /// effect without a restart.
    pub secret_ref: SecretRef,
}

/// One scope (RFC 6749, section 3.3). Compared as text; none implies another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scope(pub String);

impl JsonSchema for Scope {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Scope".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let pattern = r"^[\x21\x23-\x5B\x5D-\x7E]+$";
        json_schema!({"type": "string", "minLength": 1, "maxLength": 128, "pattern": pattern})
    }
}
