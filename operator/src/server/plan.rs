//! Deciding what to write: pure.

use super::Observed;
use crate::{
    children::{self, Blueprint, Child, ChildKind, Defaults},
    diff,
    error::Error,
    fleet::Config,
    world::Seen,
};
use std::sync::Arc;

/// One write.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Nothing of ours is known under this name; whether something else is must be asked first.
    Create(Child),
    /// It differs from what is wanted.
    Update(Child),
    /// It is ours and no longer wanted.
    Prune {
        /// Its kind.
        kind: ChildKind,
        /// Its name.
        name: String,
        /// Its identity: another object of that name is not to be deleted.
        uid: String,
        /// The upstream that it runs; `None` for what is the server's own.
        upstream: Option<String>,
    },
}

impl Change {
    /// The upstream whose workload it is about; `None` for what is the server's own.
    pub fn upstream(&self) -> Option<&str> {
        match self {
            Self::Create(child) | Self::Update(child) => child.upstream.as_deref(),
            Self::Prune { upstream, .. } => upstream.as_deref(),
        }
    }
}

/// The writes that bring the children to what is wanted, in order; none at steady state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// In the order of application.
    pub changes: Vec<Change>,
}

/// Compares what is with what is wanted. While the server is refused nothing is wanted: what runs, runs on.
///
/// # Errors
/// A manifest cannot be encoded.
pub fn plan(observed: &Observed, bundle: &Arc<str>, defaults: &Defaults) -> Result<Plan, Error> {
    let Some(product) = &observed.compilation.product else { return Ok(Plan::default()) };
    let accepted = observed.accepted.as_ref();
    let blueprint = Blueprint { server: &observed.server, product, accepted, bundle, defaults };
    let wanted = children::all(&blueprint)?;
    let mut changes: Vec<Change> =
        observed.children.iter().filter_map(|seen| prune(observed, &wanted, seen)).collect();
    let kept = |child: &Child| {
        observed.children.iter().find(|seen| seen.kind == child.kind && seen.name() == child.name)
    };
    for child in wanted {
        match kept(&child) {
            Some(seen) if seen.is_controlled_by(observed.uid()) => {
                if seen.metadata.deletion_timestamp.is_none() && !is_as_wanted(seen, &child) {
                    changes.push(Change::Update(child));
                }
            }
            _ => changes.push(Change::Create(child)),
        }
    }
    Ok(Plan { changes })
}

/// What was applied last is what is wanted now, and it is still so.
pub(super) fn is_as_wanted(seen: &Seen, wanted: &Child) -> bool {
    seen.applied_hash() == Some(wanted.hash.as_str())
        && diff::covers(&seen.object, &children::comparable(wanted))
}

fn prune(observed: &Observed, wanted: &[Child], seen: &Seen) -> Option<Change> {
    let is_wanted = wanted.iter().any(|child| child.kind == seen.kind && child.name == seen.name());
    let is_kept = match seen.upstream() {
        // Pods boot from it, whether or not it is known yet what the next one will be.
        None => seen.kind == ChildKind::ConfigMap && observed.accepted.is_none(),
        Some(_) => is_still_used(observed) || is_still_needed(observed, seen),
    };
    let ours = seen.is_controlled_by(observed.uid()) && seen.metadata.deletion_timestamp.is_none();
    let uid = seen.metadata.uid.clone()?;
    let change = || Change::Prune {
        kind: seen.kind,
        name: seen.name().into(),
        uid,
        upstream: seen.upstream().map(ToOwned::to_owned),
    };
    (ours && !is_wanted && !is_kept).then(change)
}

/// Whether what pods serve may still lead to programs that are no longer declared: until one has accepted the configuration
/// without them, and for good while they refuse it.
fn is_still_used(observed: &Observed) -> bool {
    let wanted = observed.compilation.product.as_ref().map(|product| &product.encoded.hash);
    observed.accepted.as_ref().map(Config::hash) != wanted
}

/// A program asks nobody who calls: what keeps others from it goes when its pods have gone, which its Deployment waits for.
fn is_still_needed(observed: &Observed, seen: &Seen) -> bool {
    let runs = |other: &&Seen| other.kind == ChildKind::Deployment && other.name() == seen.name();
    let deployment = observed.children.iter().find(runs);
    seen.kind == ChildKind::NetworkPolicy
        && deployment.is_some_and(|other| other.is_controlled_by(observed.uid()))
}
