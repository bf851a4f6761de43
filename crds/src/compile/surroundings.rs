//! What there is around a server that is not ours, and how much of it whoever compiles can see.

use crate::foreign::{LifecycleServer, Optional, ReferenceGrant, Service};
use std::collections::BTreeSet;

/// Objects of others, as far as references of one server, and of those it leads to, need them.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// Of every namespace that references lead to.
    pub grants: &'a [&'a ReferenceGrant],
    /// Those that are named, and those that may be selected.
    pub services: &'a [&'a Service],
    /// Those that are named.
    pub lifecycle: &'a [&'a LifecycleServer],
    /// Kinds that the cluster does not know.
    pub missing: &'a BTreeSet<Optional>,
    /// How much can be seen.
    pub sight: &'a Sight,
}

/// How much whoever compiles can see: what is not seen there may exist all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Sight {
    /// All of a cluster.
    #[default]
    Cluster,
    /// Some namespaces of a cluster.
    Namespaces(BTreeSet<String>),
    /// What manifests declare.
    Manifests,
}

static NOTHING_MISSING: BTreeSet<Optional> = BTreeSet::new();

impl<'a> Surroundings<'a> {
    /// What manifests declare.
    pub fn of_manifests(grants: &'a [&'a ReferenceGrant], services: &'a [&'a Service]) -> Self {
        Self { grants, services, lifecycle: &[], missing: &NOTHING_MISSING, sight: &Sight::Manifests }
    }
}
