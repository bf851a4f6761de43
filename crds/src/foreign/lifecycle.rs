//! `MCPServer` of kubernetes-sigs/mcp-lifecycle-operator (`mcp.x-k8s.io`): where it serves, as its status says.

use super::names_of;
use kube::core::DynamicObject;
use serde::Deserialize;

/// A server that the lifecycle operator runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LifecycleServer {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Whether it serves.
    pub standing: Standing,
}

/// Whether a server serves, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It does.
    Serving {
        /// `status.address.url`.
        url: String,
    },
    /// It does not, or not yet.
    Waiting {
        /// Why, as a sentence without its subject. It holds still: counts and times are not part of it.
        why: String,
    },
}

/// Condition that says whether it serves: of v1beta1, and of v1alpha1 before it.
const CONDITIONS: [&str; 2] = ["Available", "Ready"];

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    address: Address,
    conditions: Vec<Condition>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Address {
    url: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Condition {
    #[serde(rename = "type")]
    type_: String,
    status: String,
    reason: String,
}

impl LifecycleServer {
    /// Reads one; a status of another form is none.
    pub fn read(object: &DynamicObject) -> Self {
        let (namespace, name) = names_of(&object.metadata);
        let status = object.data.get("status").map(Status::deserialize);
        let status = status.and_then(Result::ok).unwrap_or_default();
        Self { namespace, name, standing: standing(status) }
    }
}

fn standing(status: Status) -> Standing {
    let said = |type_: &&str| status.conditions.iter().find(|condition| condition.type_ == *type_);
    let Some(condition) = CONDITIONS.iter().find_map(said) else {
        return Standing::Waiting { why: "has no condition Available yet".into() };
    };
    if condition.status != "True" {
        let Condition { type_, status, reason } = condition;
        return Standing::Waiting { why: format!("has condition {type_}={status} ({reason})") };
    }
    if status.address.url.is_empty() {
        return Standing::Waiting { why: "names no address in its status yet".into() };
    }
    Standing::Serving { url: status.address.url }
}
