//! Template and arguments to URL.

use super::{FormVariable, Part, UriTemplate, is_dot_segment};
use serde_json::{Map, Value};
use std::fmt::Write as _;

/// Why arguments make no URL. The text is for the model that sent them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum ExpandError {
    #[error("argument {name:?} is needed for the URL and is missing")]
    Missing { name: String },
    #[error("argument {name:?} is part of the URL's path and must not be empty, \".\" or \"..\"")]
    PathShape { name: String },
    #[error("argument {name:?} is {found}; a URL takes text, numbers and booleans{also}")]
    Kind { name: String, found: &'static str, also: &'static str },
}

impl UriTemplate {
    /// The URL for `arguments`.
    ///
    /// # Errors
    /// A variable of a simple expression is missing, or a value is of a kind that has no place in a URL.
    pub fn expand(&self, arguments: &Map<String, Value>) -> Result<String, ExpandError> {
        let mut url = String::with_capacity(self.source.len() + 32);
        let mut last_in_path = None;
        for part in &self.parts {
            match part {
                Part::Literal(text) => url.push_str(text),
                Part::Simple { name, in_path } => {
                    simple(&mut url, name, *in_path, arguments)?;
                    last_in_path = Some(name).filter(|_| *in_path).or(last_in_path);
                }
                Part::Form { lead, variables } => form(&mut url, *lead, variables, arguments)?,
            }
        }
        // Dot segments are resolved away by every URL parser, also when they are percent-encoded, and so would
        // name another resource. The template has none of its own.
        let path = url.get(self.path_at..).unwrap_or_default().split('?').next().unwrap_or_default();
        match last_in_path {
            Some(name) if path.split('/').any(is_dot_segment) => {
                Err(ExpandError::PathShape { name: name.clone() })
            }
            _ => Ok(url),
        }
    }
}

fn simple(
    url: &mut String,
    name: &str,
    in_path: bool,
    arguments: &Map<String, Value>,
) -> Result<(), ExpandError> {
    let missing = || ExpandError::Missing { name: name.to_owned() };
    let value = arguments.get(name).filter(|v| !v.is_null()).ok_or_else(missing)?;
    let text = scalar(name, value, "")?;
    // An empty segment is another resource: `/orders/` is not the order that was asked for.
    if in_path && text.is_empty() {
        return Err(ExpandError::PathShape { name: name.to_owned() });
    }
    encode(url, &text);
    Ok(())
}

fn form(
    url: &mut String,
    lead: char,
    variables: &[FormVariable],
    arguments: &Map<String, Value>,
) -> Result<(), ExpandError> {
    let mut separator = lead;
    for variable in variables {
        for values in repetitions(variable, arguments)? {
            url.push(separator);
            separator = '&';
            encode(url, &variable.name);
            url.push('=');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    url.push(',');
                }
                encode(url, value);
            }
        }
    }
    Ok(())
}

/// The values of each `name=…` that a variable makes: none, one, or one per item of an exploded list.
fn repetitions(
    variable: &FormVariable,
    arguments: &Map<String, Value>,
) -> Result<Vec<Vec<String>>, ExpandError> {
    let name = &variable.name;
    let items = match arguments.get(name) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(items)) => {
            items.iter().map(|item| scalar(name, item, "")).collect::<Result<Vec<_>, _>>()?
        }
        Some(single) => vec![scalar(name, single, ", and lists of them in the query")?],
    };
    Ok(match (items.is_empty(), variable.explode) {
        (true, _) => Vec::new(),
        (false, true) => items.into_iter().map(|item| vec![item]).collect(),
        (false, false) => vec![items],
    })
}

fn scalar(name: &str, value: &Value, also: &'static str) -> Result<String, ExpandError> {
    let found = match value {
        Value::String(text) => return Ok(text.clone()),
        Value::Number(number) => return Ok(number.to_string()),
        Value::Bool(flag) => return Ok(flag.to_string()),
        Value::Null => "null",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    Err(ExpandError::Kind { name: name.to_owned(), found, also })
}

/// RFC 6570 section 3.2.2: everything but RFC 3986 unreserved characters is percent-encoded.
fn encode(url: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            url.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(url, "%{byte:02X}");
        }
    }
}
