//! `spec.store`: where the pods of a server keep what they share.

use super::SecretKeyRef;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// A store outside the pods: sessions keep their log level and watched resources, deleted sessions are known
/// everywhere and tasks go on when a pod ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// Redis 2.6 or later, or whatever speaks like it (Valkey).
    pub redis: Redis,
}

/// One Redis. What is written there is sealed with the server's session keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Redis {
    /// Its URL: `redis[s]://[USER:PASSWORD@]HOST[:PORT][/DB]`. With `rediss` its certificate must come from a public
    /// authority.
    pub secret_ref: SecretKeyRef,
}
