//! Which objects a selection takes.

use super::report::{ObjectKey, Reason, Scope, namespace_of};
use crate::v1alpha1::Selection;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::{
    ResourceExt,
    core::{Selector, SelectorExt},
};

/// A label selector that cannot be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SelectorError(String);

/// Whether `selector` selects an object with these labels.
pub fn selects(
    selector: &LabelSelector,
    labels: &std::collections::BTreeMap<String, String>,
) -> Result<bool, SelectorError> {
    Ok(matcher(selector)?.matches(labels))
}

/// A selector in the form that is applied to labels.
pub(super) fn matcher(selector: &LabelSelector) -> Result<Selector, SelectorError> {
    Selector::try_from(selector.clone()).map_err(|error| SelectorError(error.to_string()))
}

/// Objects of `namespace` that `selection` takes, oldest first, then by name: the order in which a name that
/// is claimed twice is given away.
pub(super) fn select<'a, K: ResourceExt>(
    scope: &mut Scope<'_>,
    field: &str,
    selection: &Selection,
    namespace: &str,
    objects: &[&'a K],
) -> Vec<&'a K> {
    let selector = match Selector::try_from(selection.selector.clone()) {
        Ok(selector) => selector,
        Err(error) => {
            scope.error(
                field,
                Reason::InvalidSelector,
                error.to_string(),
                "use In, NotIn, Exists or DoesNotExist",
            );
            return Vec::new();
        }
    };
    let mut selected: Vec<&K> = objects
        .iter()
        .copied()
        .filter(|object| namespace_of(*object) == namespace && selector.matches(object.labels()))
        .collect();
    // An object that was never applied (a file) has no age: it counts as youngest, then by name.
    selected.sort_by_cached_key(|object| {
        let created = object.creation_timestamp().map(|time| time.0);
        (created.is_none(), created, object.name_any())
    });
    selected.dedup_by_key(|object| object.name_any());
    selected
}

/// Reports a selection whose every object is refused: what is left serves nothing.
pub(super) fn report_all_refused(scope: &mut Scope<'_>, field: &str, kind: &str) {
    let message = format!("every {kind} that it selects is refused");
    scope.error(
        field,
        Reason::NothingServed,
        message,
        "mend one of them; each says in its own status what is wrong",
    );
}

/// Reports a selection that took nothing.
pub(super) fn report_empty(
    scope: &mut Scope<'_>,
    field: &str,
    kind: &str,
    namespace: &str,
    selection: &Selection,
) {
    let wanted = selection.selector.match_labels.clone().unwrap_or_default();
    let label =
        wanted.iter().next().map_or_else(|| "the labels it asks for".into(), |(k, v)| format!("{k}={v}"));
    scope.error(
        field,
        Reason::NothingSelected,
        format!("selects no {kind} in namespace {namespace}"),
        &format!("create one with {label}, or mend the selector"),
    );
}

/// Why the loser of a name lost it.
pub(super) fn owner_sentence(winner: &ObjectKey) -> String {
    format!("is taken by {winner}, which comes first (by age, then by name)")
}
