//! Durations as Kubernetes writes them: `250ms`, `5s`, `1m30s`, `2h`.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt};

/// Text of a duration. It is kept as written, so that a malformed one in a file is reported on its field
/// instead of making the whole object unreadable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DurationString(pub String);

/// Why a text is no duration that may be used here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Not in the form of the Go standard library.
    #[error("{0:?} is not a duration such as 250ms, 5s or 1m30s")]
    Malformed(String),
    /// Outside 1ms..=24h.
    #[error("{0:?} is outside 1ms..24h")]
    OutOfRange(String),
}

const PATTERN: &str = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$";
const MAX_LEN: usize = 32;
const MAX_MILLIS: f64 = 24.0 * 3_600_000.0;

impl DurationString {
    /// Whole milliseconds, 1 to 86,400,000.
    pub fn to_millis(&self) -> Result<u64, DurationError> {
        let text = &self.0;
        let millis = parse(text).ok_or_else(|| DurationError::Malformed(text.clone()))?.round();
        if !(1.0..=MAX_MILLIS).contains(&millis) {
            return Err(DurationError::OutOfRange(text.clone()));
        }
        // In range, and so exact.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Ok(millis as u64)
    }
}

/// Milliseconds by the pattern above. kube's own parser panics on numbers that are too large.
fn parse(text: &str) -> Option<f64> {
    let mut rest = text;
    let mut millis = 0.0;
    if text.is_empty() || text.len() > MAX_LEN {
        return None;
    }
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let (number, tail) = rest.split_at(number_end);
        let unit_end = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let scale = match unit {
            "ms" => 1.0,
            "s" => 1_000.0,
            "m" => 60_000.0,
            "h" => 3_600_000.0,
            _ => return None,
        };
        let bare_point = number.starts_with('.') || number.ends_with('.');
        millis += number.parse::<f64>().ok().filter(|_| !bare_point)? * scale;
        rest = tail;
    }
    Some(millis)
}

impl From<&str> for DurationString {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for DurationString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for DurationString {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": PATTERN, "maxLength": 32})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(text: &str) -> Result<u64, DurationError> {
        DurationString::from(text).to_millis()
    }

    #[test]
    fn kubernetes_forms_are_read() {
        assert_eq!(millis("250ms"), Ok(250));
        assert_eq!(millis("1m30s"), Ok(90_000));
        assert_eq!(millis("1.5h"), Ok(5_400_000));
    }

    #[test]
    fn everything_else_is_an_error_not_a_panic() {
        for text in ["", "5", "s", "-5s", "1e9h", "5 s", "µs", "9999999999999999999h"] {
            assert!(
                matches!(millis(text), Err(DurationError::Malformed(_) | DurationError::OutOfRange(_))),
                "{text}"
            );
        }
        assert!(matches!(millis("25h"), Err(DurationError::OutOfRange(_))));
        assert!(matches!(millis("0s"), Err(DurationError::OutOfRange(_))));
    }
}
