//! `ReferenceGrant` of the Gateway API (`gateway.networking.k8s.io`): what a namespace lets others refer to.

use super::{Target, TargetKind, names_of};
use crate::v1alpha1::GROUP;
use kube::core::DynamicObject;
use serde::Deserialize;
use std::collections::BTreeSet;

/// What one grant says about McpServers and what they can name; the rest of it is passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReferenceGrant {
    /// The namespace that grants.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Namespaces whose McpServers may refer.
    from: BTreeSet<String>,
    /// To what: a kind, and a name where only one object is meant.
    to: BTreeSet<(TargetKind, Option<String>)>,
}

#[derive(Deserialize)]
struct Spec {
    from: Vec<Referrer>,
    to: Vec<Referent>,
}

#[derive(Deserialize)]
struct Referrer {
    group: String,
    kind: String,
    namespace: String,
}

#[derive(Deserialize)]
struct Referent {
    group: String,
    kind: String,
    name: Option<String>,
}

impl ReferenceGrant {
    /// Reads one; what has another form grants nothing.
    pub fn read(object: &DynamicObject) -> Self {
        let (namespace, name) = names_of(&object.metadata);
        let Some(Ok(spec)) = object.data.get("spec").map(Spec::deserialize) else {
            return Self { namespace, name, ..Self::default() };
        };
        let ours = |from: &Referrer| from.group == GROUP && from.kind == TargetKind::Server.kind();
        let from = spec.from.into_iter().filter(ours).map(|from| from.namespace).collect();
        let to = spec.to.into_iter().filter_map(|to| {
            let kind = TargetKind::ALL.into_iter().find(|it| it.group() == to.group && it.kind() == to.kind);
            Some((kind?, to.name))
        });
        Self { namespace, name, from, to: to.collect() }
    }

    /// Whether McpServers of namespace `from` may refer to `target`.
    pub fn allows(&self, from: &str, target: &Target) -> bool {
        self.namespace == target.namespace
            && self.concerns(from)
            && self.to.iter().any(|(kind, name)| {
                *kind == target.kind && name.as_ref().is_none_or(|name| *name == target.name)
            })
    }

    /// Whether it says anything about McpServers of namespace `from`.
    pub fn concerns(&self, from: &str) -> bool {
        self.from.contains(from)
    }
}
