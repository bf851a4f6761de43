//! What helps a model to choose a tool and to call it right.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Where a tool stands among those of its server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ToolPriority {
    /// First in the list, and said so.
    High,
    /// Behind those of high priority.
    #[default]
    Normal,
    /// Last in the list, and said so.
    Low,
}

impl ToolPriority {
    /// The priority as clients read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
        }
    }

    /// Whether nothing needs to be said about it.
    #[allow(clippy::trivially_copy_pass_by_ref)] // what serde calls it with
    pub(crate) fn is_normal(&self) -> bool {
        *self == Self::Normal
    }
}

/// One call that shows how a tool is used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolExample {
    /// What a user might say.
    pub say: String,
    /// The arguments that answer it; they fit the tool's schema.
    pub arguments: Map<String, Value>,
}
