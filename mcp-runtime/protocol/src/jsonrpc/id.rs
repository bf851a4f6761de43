//! Request ids, and progress tokens, which have the same shape.

use crate::json::quoted;
use serde_json::value::RawValue;
use std::{
    borrow::Cow,
    fmt,
    hash::{Hash, Hasher},
};

/// Longest id, in bytes of JSON text: ids are kept while calls run, so they are bounded.
pub const MAX_ID_BYTES: usize = 1024;

/// A string or an integer, kept as the JSON text that it came in, so that it goes back byte for byte.
///
/// `"1"` and `1` are two ids (2026-07-28, basic, "Requests"; type preserved). Two spellings of one string are one.
#[derive(Clone)]
pub struct Id<'a>(Cow<'a, str>);

impl<'a> Id<'a> {
    /// The id that `raw` is, or `None` for null, fractions, exponents, other types and what is too long.
    pub fn read(raw: &'a RawValue) -> Option<Self> {
        let text = raw.get();
        (text.len() <= MAX_ID_BYTES && (text.starts_with('"') || is_integer(text)))
            .then_some(Self(text.into()))
    }

    /// An integer id.
    pub fn number(number: i64) -> Id<'static> {
        Id(number.to_string().into())
    }

    /// A string id.
    pub fn string(text: &str) -> Id<'static> {
        Id(quoted(text).into())
    }

    /// The JSON text.
    pub fn as_json(&self) -> &str {
        &self.0
    }

    /// The same id, free of the body that it came in.
    pub fn into_owned(self) -> Id<'static> {
        Id(Cow::Owned(self.0.into_owned()))
    }

    /// The same id, borrowed.
    pub fn borrowed(&self) -> Id<'_> {
        Id(Cow::Borrowed(&self.0))
    }

    fn canonical(&self) -> Cow<'_, str> {
        let escaped = self.0.contains('\\').then(|| serde_json::from_str::<String>(&self.0).ok()).flatten();
        escaped.map_or(Cow::Borrowed(&*self.0), |text| quoted(&text).into())
    }
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

impl PartialEq for Id<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.canonical() == other.canonical()
    }
}

impl Eq for Id<'_> {}

impl Hash for Id<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.canonical().hash(state);
    }
}

impl fmt::Debug for Id<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
