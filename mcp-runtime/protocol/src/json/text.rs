//! An owned JSON value that is already serialised.

use super::{ScanError, scan};
use serde::Serialize;
use serde_json::value::RawValue;
use std::{fmt, sync::Arc};

/// Valid JSON text, cheap to clone. What is serialised once per snapshot and sent many times.
#[derive(Clone, PartialEq, Eq)]
pub struct JsonText(Arc<str>);

impl JsonText {
    /// Serialises `value`.
    ///
    /// # Errors
    /// When `value`'s own `Serialize` fails, such as a map whose keys are no strings.
    pub fn new<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        serde_json::to_string(value).map(Self::trusted)
    }

    /// Checks text from outside by [`scan`].
    ///
    /// # Errors
    /// As [`scan`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ScanError> {
        scan(bytes).map(|text| Self::trusted(text.trim_ascii().to_owned()))
    }

    /// `{}`: the result of `ping`, the arguments of a call that has none.
    pub fn empty_object() -> Self {
        Self::trusted("{}".to_owned())
    }

    /// For text that was written here.
    pub(crate) fn trusted(text: String) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&RawValue> for JsonText {
    fn from(raw: &RawValue) -> Self {
        Self(raw.get().into())
    }
}

impl From<&serde_json::Value> for JsonText {
    fn from(value: &serde_json::Value) -> Self {
        Self::trusted(value.to_string())
    }
}

impl fmt::Debug for JsonText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
