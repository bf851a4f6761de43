//! What can go wrong while reconciling, and its one name in conditions, metrics and logs.

use crate::children::ChildKind;
use std::time::Duration;

/// An error of one reconcile; the object is tried again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server refused a child, and says why: quota, admission, missing rights.
    #[error("{} {name} cannot be applied: {source}", .kind.as_str())]
    Refused {
        /// Kind of the child.
        kind: ChildKind,
        /// Its name.
        name: String,
        /// The API server's answer.
        source: kube::Error,
    },
    /// The API server could not be asked.
    #[error("the API server could not be asked: {0}")]
    Api(#[from] kube::Error),
    /// A manifest cannot be written as JSON.
    #[error("a manifest cannot be encoded: {0}")]
    Encode(#[from] serde_json::Error),
    /// The reconcile panicked: a bug of ours, which must cost only this object.
    #[error("a bug: the reconcile panicked")]
    Panicked,
    /// It took longer than [`RECONCILE_TIMEOUT`].
    #[error("the reconcile took longer than {RECONCILE_TIMEOUT:?}")]
    TimedOut,
}

/// Bound of one reconcile.
pub const RECONCILE_TIMEOUT: Duration = Duration::from_mins(1);

impl Error {
    /// Reason of a condition and label of a metric.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "ApplyRefused",
            Self::Api(_) => "ApiUnavailable",
            Self::Encode(_) => "Internal",
            Self::Panicked => "Panicked",
            Self::TimedOut => "TimedOut",
        }
    }

    /// An error of applying a child. A refusal is for the server's author to see; the rest passes by itself.
    pub fn of_child(kind: ChildKind, name: &str, source: kube::Error) -> Self {
        match &source {
            kube::Error::Api(status)
                if (400..500).contains(&status.code) && !matches!(status.code, 409 | 429) =>
            {
                Self::Refused { kind, name: name.into(), source }
            }
            _ => Self::Api(source),
        }
    }
}

/// Whether the API server says that there is no such object.
pub fn is_not_found(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 404)
}
