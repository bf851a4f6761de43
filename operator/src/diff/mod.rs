//! Whether an object in the cluster already is what we want: the test in front of every write.
//!
//! A no-op server-side apply costs the API server as much as a real one (4-5 CPU-ms for a Deployment), so we
//! compare first. Only what we ask for is compared: defaults that the server fills in and fields that others
//! own are passed over, drift on our own fields is not.

mod keys;
mod quantity;

#[cfg(test)]
mod tests;

use serde_json::Value;

/// Whether `observed` has everything that `desired` asks for.
pub fn covers(observed: &Value, desired: &Value) -> bool {
    covers_at(observed, desired, Place::Elsewhere)
}

/// What a string at this place means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Below `requests` or `limits`, where `1000m` and `1` are the same.
    Quantities,
    Elsewhere,
}

fn covers_at(observed: &Value, desired: &Value, place: Place) -> bool {
    match (observed, desired) {
        (Value::Object(have), Value::Object(want)) => want.iter().all(|(key, wanted)| {
            let place = if matches!(key.as_str(), "requests" | "limits") { Place::Quantities } else { place };
            have.get(key).map_or_else(|| is_nothing(wanted), |found| covers_at(found, wanted, place))
        }),
        (Value::Array(have), Value::Array(want)) => covers_list(have, want, place),
        (Value::String(have), Value::String(want)) if place == Place::Quantities => {
            have == want || quantity::equal(have, want)
        }
        (have, want) => have == want || (have.is_null() && is_nothing(want)),
    }
}

/// The server drops empty values, so asking for one is asking for nothing.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.values().all(is_nothing),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Lists whose elements have a key are sets to server-side apply: order means nothing there, and elements of
/// others (a sidecar that a mesh injects) stay. All other lists are values as a whole.
fn covers_list(have: &[Value], want: &[Value], place: Place) -> bool {
    let Some(key) = keys::of(want) else {
        return have.len() == want.len() && have.iter().zip(want).all(|(h, w)| covers_at(h, w, place));
    };
    want.iter().all(|wanted| {
        have.iter().any(|found| keys::same(key, found, wanted) && covers_at(found, wanted, place))
    })
}
