//! Keys of the lists that server-side apply merges by element (`x-kubernetes-list-map-keys` of the built-in
//! kinds that we write).

use serde_json::Value;

/// A key: the fields that tell one element from another.
pub(super) type Key = &'static [&'static str];

/// From most to least specific, since a mount has a `name` too and several may share it.
const KEYS: [Key; 5] = [
    &["uid"],
    &["mountPath"],
    &["topologyKey", "whenUnsatisfiable"],
    &["containerPort", "protocol"],
    &["name"],
];

/// The key of a list, told by its elements; `None` for a list that is one value.
pub(super) fn of(elements: &[Value]) -> Option<Key> {
    KEYS.into_iter()
        .find(|key| !elements.is_empty() && elements.iter().all(|element| element.get(key[0]).is_some()))
}

/// Whether two elements are the same one.
pub(super) fn same(key: Key, left: &Value, right: &Value) -> bool {
    let (identity, qualifiers) = key.split_at(1);
    identity.iter().all(|field| left.get(field) == right.get(field))
        // A qualifier that one side leaves out has the server's default there.
        && qualifiers.iter().all(|field| match (left.get(field), right.get(field)) {
            (Some(l), Some(r)) => l == r,
            _ => true,
        })
}
