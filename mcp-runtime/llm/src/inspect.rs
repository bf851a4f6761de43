//! The two fields of a chat request that routing needs, read without building the rest.

use serde::{
    Deserialize,
    de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor},
};
use std::{borrow::Cow, collections::BTreeSet, fmt};

/// What a request says about its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected<'a> {
    /// The model that the client asks for.
    pub model: Cow<'a, str>,
    /// Whether it wants the answer piece by piece.
    pub answer: Answer,
}

/// How a client wants its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// One JSON object.
    Whole,
    /// Server-sent events.
    Streamed,
}

/// Why a body is no chat request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct BadRequest {
    /// For whoever wrote the client.
    pub reason: String,
    /// The field at fault, when it is one.
    pub field: Option<&'static str>,
}

/// Reads `model` and `stream`.
///
/// A key that the body's object has twice is refused: we would read one of the two and the provider the other.
///
/// # Errors
/// [`BadRequest`]; never panics.
pub fn inspect(body: &[u8]) -> Result<Inspected<'_>, BadRequest> {
    let fields: Fields<'_> = serde_json::from_slice(body).map_err(|error| BadRequest {
        reason: format!("the body is no chat completion request: {error}"),
        field: None,
    })?;
    let model = match fields.model {
        Some(Field::Text(model)) if !model.is_empty() => model,
        Some(_) => return Err(wrong("model", "`model` must be the name of a model")),
        None => return Err(wrong("model", "`model` is missing")),
    };
    let answer = match fields.stream {
        None | Some(Field::Null | Field::Flag(false)) => Answer::Whole,
        Some(Field::Flag(true)) => Answer::Streamed,
        Some(_) => return Err(wrong("stream", "`stream` must be true or false")),
    };
    Ok(Inspected { model, answer })
}

fn wrong(field: &'static str, reason: &str) -> BadRequest {
    BadRequest { reason: reason.to_owned(), field: Some(field) }
}

#[derive(Default)]
struct Fields<'a> {
    model: Option<Field<'a>>,
    stream: Option<Field<'a>>,
}

/// As much of a value as matters.
#[derive(Deserialize)]
#[serde(untagged)]
enum Field<'a> {
    Text(#[serde(borrow)] Cow<'a, str>),
    Flag(bool),
    Null,
    Other(IgnoredAny),
}

#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Fields::default();
        let mut seen = BTreeSet::new();
        while let Some(key) = map.next_key::<Key<'de>>()? {
            match key.0.as_ref() {
                "model" => fields.model = Some(map.next_value()?),
                "stream" => fields.stream = Some(map.next_value()?),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            if let Some(Key(name)) = seen.replace(key) {
                return Err(A::Error::custom(format_args!("key {name:?} stands twice")));
            }
        }
        Ok(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reason(body: &str) -> BadRequest {
        inspect(body.as_bytes()).unwrap_err()
    }

    #[test]
    fn model_and_stream_are_read_among_anything_else() {
        let body = br#"{"messages":[{"role":"user","content":{"model":"not this"}}],"model":"m","stream":true,"x":1e9}"#;
        let want = Inspected { model: "m".into(), answer: Answer::Streamed };
        assert_eq!(inspect(body).unwrap(), want);
        for body in
            [r#"{"model":"m"}"#, r#"{"model":"m","stream":null}"#, r#"{"stream":false,"model":"\u006d"}"#]
        {
            assert_eq!(
                inspect(body.as_bytes()).unwrap(),
                Inspected { model: "m".into(), answer: Answer::Whole }
            );
        }
    }

    #[test]
    fn a_repeated_key_is_refused_in_every_spelling() {
        assert!(reason(r#"{"model":"a","model":"b"}"#).reason.contains("\"model\" stands twice"));
        assert!(reason(r#"{"model":"a","mod\u0065l":"b"}"#).reason.contains("twice"));
        assert!(reason(r#"{"model":"a","tools":[],"tools":[]}"#).reason.contains("\"tools\""));
    }

    #[test]
    fn a_field_at_fault_is_named() {
        assert_eq!(reason("{}").field, Some("model"));
        assert_eq!(reason(r#"{"model":7}"#).field, Some("model"));
        assert_eq!(reason(r#"{"model":""}"#).field, Some("model"));
        assert_eq!(reason(r#"{"model":"m","stream":"yes"}"#).field, Some("stream"));
        assert_eq!(reason(r#"{"model":"m","stream":[[1]]}"#).field, Some("stream"));
        assert_eq!(reason("[]").field, None);
        assert_eq!(reason(r#"{"model":"m"} trailing"#).field, None);
    }

    #[test]
    fn nesting_does_not_exhaust_the_stack() {
        let deep = format!(r#"{{"model":"m","x":{}1{}}}"#, "[".repeat(200_000), "]".repeat(200_000));
        let _ = inspect(deep.as_bytes());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = inspect(&body);
        }

        #[test]
        fn any_model_name_is_read_as_written(model in "\\PC{1,40}", other in "\\PC{0,20}") {
            let body = serde_json::json!({"model": model, "other": other}).to_string();
            let read = inspect(body.as_bytes()).unwrap();
            prop_assert_eq!(read.model.as_ref(), model);
        }
    }
}
