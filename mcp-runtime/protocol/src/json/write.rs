//! Writes objects without a tree in between, and without a failing case.

use super::JsonText;
use std::fmt::Write;

/// An object under construction. The caller gives each key once.
pub(crate) struct ObjectWriter {
    out: String,
}

impl ObjectWriter {
    pub(crate) fn new() -> Self {
        Self { out: String::from("{") }
    }

    /// A member whose value is JSON already.
    pub(crate) fn raw(mut self, key: &str, json: &str) -> Self {
        if self.out.len() > 1 {
            self.out.push(',');
        }
        quote_into(&mut self.out, key);
        self.out.push(':');
        self.out.push_str(json);
        self
    }

    /// A member whose value is JSON already, when there is one.
    pub(crate) fn raw_some(self, key: &str, json: Option<&str>) -> Self {
        match json {
            Some(json) => self.raw(key, json),
            None => self,
        }
    }

    /// A member whose value is a string.
    pub(crate) fn text(self, key: &str, text: &str) -> Self {
        self.raw(key, &quoted(text))
    }

    /// A member whose value is a string, when there is one.
    pub(crate) fn text_some(self, key: &str, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.text(key, text),
            None => self,
        }
    }

    pub(crate) fn finish(self) -> JsonText {
        JsonText::trusted(self.into_string())
    }

    pub(crate) fn into_string(mut self) -> String {
        self.out.push('}');
        self.out
    }
}

/// An array of what is JSON already.
pub(crate) fn array<'a>(elements: impl IntoIterator<Item = &'a str>) -> String {
    let mut out = String::from("[");
    for element in elements {
        if out.len() > 1 {
            out.push(',');
        }
        out.push_str(element);
    }
    out.push(']');
    out
}

/// `text` as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    quote_into(&mut out, text);
    out
}

fn quote_into(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c < ' ' || c == '"' || c == '\\') {
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        match special.as_bytes()[0] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            // Writing to a String has no failing case.
            control => {
                let _ = write!(out, "\\u{control:04x}");
            }
        }
        rest = &special[1..];
    }
    out.push_str(rest);
    out.push('"');
}
