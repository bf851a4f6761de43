//! References to secret values. A configuration names credentials, it never holds one.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Stands for the key of a [`CredentialRef`] where a Secret is meant as a whole. No Secret can have such a key.
pub const WHOLE_SECRET: &str = "*";

/// One key of one Secret in the server's namespace, by name.
///
/// In a pod the value is the file `<credentials dir>/<secret>/<key>`; standalone it comes from a Secret
/// manifest or the environment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialRef {
    /// Name of the Secret.
    pub secret: String,
    /// Key in the Secret's data.
    pub key: String,
}

impl fmt::Display for CredentialRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret {}, key {}", self.secret, self.key)
    }
}
