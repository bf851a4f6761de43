//! Where replicas keep what they share.

use crate::CredentialRef;
use serde::{Deserialize, Serialize};

/// A store outside the pods. Without one each pod keeps what it must in its own memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Store {
    /// Redis, or whatever speaks like it.
    Redis {
        /// Its URL, such as `rediss://user:password@redis.example.com:6379/0`.
        url: CredentialRef,
    },
}

impl Store {
    /// The credential that it is reached by.
    pub fn credential(&self) -> &CredentialRef {
        let Self::Redis { url } = self;
        url
    }
}
