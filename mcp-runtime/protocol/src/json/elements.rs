//! The elements of one array, values unread, and not more of them than the caller takes.

use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// Why an array is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ElementsError {
    /// It is none.
    NoArray,
    /// It is longer than the limit.
    TooMany,
}

/// The elements of the array `text`, which has passed [`super::scan`]. Stops at the first beyond `limit`: an element of
/// two bytes must not cost many times that.
pub(crate) fn elements(text: &str, limit: usize) -> Result<Vec<&RawValue>, ElementsError> {
    if !text.trim_ascii_start().starts_with('[') {
        return Err(ElementsError::NoArray);
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    // The text is JSON and an array, so the limit is all that can fail.
    Bounded { limit }.deserialize(&mut deserializer).map_err(|_| ElementsError::TooMany)
}

struct Bounded {
    limit: usize,
}

impl<'de> DeserializeSeed<'de> for Bounded {
    type Value = Vec<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Bounded {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array of at most {} elements", self.limit)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = seq.next_element()? {
            if elements.len() == self.limit {
                return Err(A::Error::custom("too many elements"));
            }
            elements.push(element);
        }
        Ok(elements)
    }
}
