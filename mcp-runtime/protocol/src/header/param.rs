//! Tool parameters that are mirrored into `Mcp-Param-*` headers (2026-07-28, streamable HTTP, "Custom Headers from Tool
//! Parameters"): which ones a tool's schema names, and their values in a call's arguments.

use crate::{
    json::{JsonText, Members, string},
    server::clipped,
};
use http::HeaderName;
use serde_json::{Value, value::RawValue};
use std::{borrow::Cow, collections::HashMap};

/// Most parameters of one tool that may be mirrored: each is a header of every call, and servers take about a hundred.
pub const MAX_PARAM_HEADERS: usize = 32;

const ANNOTATION: &str = "x-mcp-header";
/// Largest magnitude of an integer that every JSON reader holds: 2^53 - 1.
const MAX_SAFE: i64 = 9_007_199_254_740_991;
/// Keywords of JSON Schema 2020-12 that hold one schema or a list of them.
const SUBSCHEMAS: [&str; 14] = [
    "items",
    "prefixItems",
    "contains",
    "additionalProperties",
    "unevaluatedProperties",
    "unevaluatedItems",
    "propertyNames",
    "oneOf",
    "anyOf",
    "allOf",
    "not",
    "if",
    "then",
    "else",
];
/// Keywords that hold schemas by name.
const NAMED_SUBSCHEMAS: [&str; 5] =
    ["properties", "patternProperties", "dependentSchemas", "$defs", "definitions"];

/// One mirrored parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamHeader {
    header: HeaderName,
    path: Vec<String>,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Integer,
    Boolean,
}

/// Why a schema's annotations cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidParamHeader {
    /// Not a header name.
    #[error("x-mcp-header {0} is no header name")]
    Name(String),
    /// Two parameters share a header.
    #[error("x-mcp-header {0:?} is given twice")]
    Twice(String),
    /// The parameter is neither string, integer nor boolean.
    #[error("x-mcp-header {0:?} is on a parameter that is neither string, integer nor boolean")]
    Type(String),
    /// It is not reached by `properties` alone.
    #[error("an x-mcp-header stands where no argument can be read from")]
    Unreachable,
    /// More than [`MAX_PARAM_HEADERS`].
    #[error("more than {MAX_PARAM_HEADERS} parameters have an x-mcp-header")]
    TooMany,
}

impl ParamHeader {
    /// The header's name, `mcp-param-...`.
    pub fn header(&self) -> &HeaderName {
        &self.header
    }

    /// The header's value, not encoded yet, for a call with these arguments; `None` when there is nothing to mirror:
    /// absent, null, or of another type than the schema says, which is for the schema's validation to tell.
    ///
    /// Reads the arguments for this one parameter; [`Arguments`] reads them for many.
    pub fn value_in(&self, arguments: &str) -> Option<String> {
        Arguments::new(arguments).value_of(self)
    }

    fn text_of(&self, value: &RawValue) -> Option<String> {
        let text = match self.kind {
            Kind::Text => string(value)?,
            Kind::Integer => Cow::Owned(safe_integer(value.get())?.to_string()),
            Kind::Boolean => {
                Cow::Borrowed(Some(value.get()).filter(|word| matches!(*word, "true" | "false"))?)
            }
        };
        Some(text.into_owned())
    }

    /// Whether a header's decoded value says the same as the body's; integers compare as numbers.
    pub(crate) fn same(&self, header: &str, body: &str) -> bool {
        match self.kind {
            Kind::Integer => safe_integer(header).is_some_and(|number| number.to_string() == body),
            Kind::Text | Kind::Boolean => header == body,
        }
    }
}

/// The arguments of one call, of which each object is read once, however many parameters are mirrored.
#[derive(Debug)]
pub struct Arguments<'a> {
    text: &'a str,
    /// By path; `None` where there is no object.
    objects: HashMap<&'a [String], Option<Members<'a>>>,
}

impl<'a> Arguments<'a> {
    /// Arguments of which nothing is read yet.
    pub fn new(text: &'a str) -> Self {
        Self { text, objects: HashMap::new() }
    }

    /// As [`ParamHeader::value_in`].
    pub fn value_of(&mut self, param: &'a ParamHeader) -> Option<String> {
        let (last, parents) = param.path.split_last()?;
        param.text_of(self.object(parents)?.get(last)?)
    }

    fn object(&mut self, path: &'a [String]) -> Option<&Members<'a>> {
        if !self.objects.contains_key(path) {
            let members = match path.split_last() {
                None => Members::parse(self.text),
                Some((last, parents)) => {
                    self.object(parents).and_then(|members| members.get(last)).and_then(Members::read)
                }
            };
            self.objects.insert(path, members);
        }
        self.objects.get(path)?.as_ref()
    }
}

/// `42`, and `42.0`, which is the same number.
fn safe_integer(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let zeros = !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0');
    let number: i64 = whole.parse().ok()?;
    (zeros && !whole.starts_with('+') && (-MAX_SAFE..=MAX_SAFE).contains(&number)).then_some(number)
}

/// The parameters that `input_schema` wants mirrored.
///
/// # Errors
/// The first annotation that breaks the rules; a client must then leave the tool out.
pub fn param_headers(input_schema: &JsonText) -> Result<Vec<ParamHeader>, InvalidParamHeader> {
    if !input_schema.as_str().contains(ANNOTATION) {
        return Ok(Vec::new());
    }
    let schema: Value = serde_json::from_str(input_schema.as_str()).unwrap_or_default();
    let mut found = Vec::new();
    reachable(&schema, &mut Vec::new(), &mut found)?;
    Ok(found)
}

fn reachable(
    schema: &Value,
    path: &mut Vec<String>,
    found: &mut Vec<ParamHeader>,
) -> Result<(), InvalidParamHeader> {
    if let Some(annotation) = schema.get(ANNOTATION) {
        let param = annotated(annotation, schema, path)?;
        if found.iter().any(|other| other.header == param.header) {
            return Err(InvalidParamHeader::Twice(clipped(param.header.as_str())));
        }
        if found.len() == MAX_PARAM_HEADERS {
            return Err(InvalidParamHeader::TooMany);
        }
        found.push(param);
    }
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        path.push(name.clone());
        reachable(property, path, found)?;
        path.pop();
    }
    if subschemas(schema, "properties").any(has_annotation) {
        return Err(InvalidParamHeader::Unreachable);
    }
    Ok(())
}

fn annotated(annotation: &Value, schema: &Value, path: &[String]) -> Result<ParamHeader, InvalidParamHeader> {
    if path.is_empty() {
        return Err(InvalidParamHeader::Unreachable);
    }
    let name = annotation.as_str().filter(|name| !name.is_empty());
    let header = name.and_then(|name| HeaderName::from_bytes(format!("mcp-param-{name}").as_bytes()).ok());
    let header = header.ok_or_else(|| InvalidParamHeader::Name(clipped(&annotation.to_string())))?;
    let kind = match schema.get("type").and_then(Value::as_str) {
        Some("string") => Kind::Text,
        Some("integer") => Kind::Integer,
        Some("boolean") => Kind::Boolean,
        _ => return Err(InvalidParamHeader::Type(clipped(header.as_str()))),
    };
    Ok(ParamHeader { header, path: path.to_vec(), kind })
}

/// Whether an annotation is on `schema` or anywhere in it.
fn has_annotation(schema: &Value) -> bool {
    schema.get(ANNOTATION).is_some() || subschemas(schema, "").any(has_annotation)
}

/// The schemas directly inside `schema`, but for those under the keyword `except`.
fn subschemas<'a>(schema: &'a Value, except: &'a str) -> impl Iterator<Item = &'a Value> {
    let lists = SUBSCHEMAS.iter().filter_map(|keyword| schema.get(keyword)).flat_map(|value| match value {
        Value::Array(list) => list.iter().collect::<Vec<_>>(),
        one => vec![one],
    });
    let named = NAMED_SUBSCHEMAS.iter().filter(move |keyword| **keyword != except);
    let named = named.filter_map(|keyword| schema.get(keyword).and_then(Value::as_object));
    lists.chain(named.flat_map(serde_json::Map::values))
}
