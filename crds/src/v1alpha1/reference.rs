//! References to Secrets and other servers.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// One key of one Secret in the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretKeyRef {
    /// Name of the Secret.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"))]
    pub name: String,
    /// Key in its data.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[-._a-zA-Z0-9]+$"))]
    pub key: String,
}

/// A Secret in the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretRef {
    /// Name of the Secret.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"))]
    pub name: String,
}

/// Another McpServer in the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerRef {
    /// Name of the McpServer.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,
}

/// How to authenticate to something that speaks HTTP. Exactly one member is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(deny_unknown_fields)]
#[x_kube(validation = Rule::new("[has(self.bearer), has(self.header)].exists_one(set, set)")
    .message("set exactly one of bearer and header"))]
pub struct HttpAuth {
    /// `Authorization: Bearer` with the Secret's value (RFC 6750).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bearer: Option<Secret>,
    /// A header of its own name with the Secret's value, such as `x-api-key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<HeaderAuth>,
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

impl HttpAuth {
    /// The Secrets that are named here.
    pub fn secret_refs(&self) -> impl Iterator<Item = &SecretKeyRef> {
        let bearer = self.bearer.iter().map(|secret| &secret.secret_ref);
        bearer.chain(self.header.iter().map(|header| &header.secret_ref))
    }
}
