//! Templates for the URIs of resources: RFC 6570 level 1, and the way back from a URI to its variables.
//!
//! `orders://{customer}/{id}` stands for every URI that has text in those places. A variable is one or more characters
//! other than `/`, `?` and `#`; percent-encoding in it is undone. Text that follows a variable begins with a
//! punctuation mark, so that there is one way to read a URI and it is found without going back. Any scheme is allowed:
//! a URI of a resource is a name, nothing is fetched by it.

use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};
use url::Url;

/// Longest URI and longest template, in bytes.
pub const MAX_BYTES: usize = 2_048;

/// Most variables of one template.
const MAX_VARIABLES: usize = 16;

/// A parsed template with at least one variable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UriPattern {
    source: String,
    /// Text in front of the first variable.
    head: String,
    /// Each variable with the text behind it.
    variables: Vec<(String, String)>,
}

/// A text that is no template, or no URI.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum UriPatternError {
    #[error("has {bytes} bytes; {MAX_BYTES} are the most")]
    TooLong { bytes: usize },
    #[error("contains {character:?}; a URI has printable ASCII only, anything else percent-encoded")]
    Character { character: char },
    #[error("is not an absolute URI with a scheme, such as orders://recent: {reason}")]
    NotAbsolute { reason: String },
    #[error("has no variable; write it as uri")]
    NoVariable,
    #[error("has more than {MAX_VARIABLES} variables")]
    TooMany,
    #[error(
        "{{{text}}} is not understood: write {{name}} with letters, digits and '_', and close each brace"
    )]
    Expression { text: String },
    #[error("uses {{{name}}} twice")]
    Repeated { name: String },
    #[error("has a variable in front of ':': the scheme is fixed text")]
    Scheme,
    #[error(
        "the text behind {{{name}}} must begin with a punctuation mark such as '/' or '-', so that its end is found"
    )]
    NoEnd { name: String },
    #[error("has a '%' that is not followed by two hexadecimal digits")]
    Percent,
}

impl UriPattern {
    /// Names of the variables, in order.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().map(|(name, _)| name.as_str())
    }

    /// The variables of `uri`, percent-decoded; `None` when the template does not stand for it.
    pub fn matches(&self, uri: &str) -> Option<BTreeMap<&str, String>> {
        if uri.len() > MAX_BYTES {
            return None;
        }
        let mut rest = uri.strip_prefix(self.head.as_str())?;
        let mut found = BTreeMap::new();
        for (index, (name, behind)) in self.variables.iter().enumerate() {
            let last = index + 1 == self.variables.len();
            let end = end_of_value(rest, behind, last)?;
            let (raw, tail) = rest.split_at_checked(end)?;
            found.insert(name.as_str(), decode(raw)?);
            rest = tail.strip_prefix(behind.as_str())?;
        }
        rest.is_empty().then_some(found)
    }

    /// The template as it was written.
    pub fn as_str(&self) -> &str {
        &self.source
    }
}

/// Where a variable ends: at the next occurrence of the text behind it, for the last one at the end of the URI.
fn end_of_value(rest: &str, behind: &str, last: bool) -> Option<usize> {
    if last {
        return rest.ends_with(behind).then(|| rest.len() - behind.len());
    }
    // A value has at least one character, so the text behind it is not at the very beginning.
    let first = rest.chars().next()?.len_utf8();
    rest.get(first..)?.find(behind).map(|at| at + first)
}

/// A variable's value, if `raw` can be one.
fn decode(raw: &str) -> Option<String> {
    if raw.is_empty() || raw.contains(['/', '?', '#']) {
        return None;
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => hex(rest.next()?)? * 16 + hex(rest.next()?)?,
            plain => plain,
        });
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Checks that `uri` is an absolute URI (RFC 3986) that can name a resource.
///
/// # Errors
/// What is wrong with it.
pub fn check_uri(uri: &str) -> Result<(), UriPatternError> {
    if uri.len() > MAX_BYTES {
        return Err(UriPatternError::TooLong { bytes: uri.len() });
    }
    let foreign =
        |c: &char| !c.is_ascii_graphic() || matches!(c, '{' | '}' | '<' | '>' | '"' | '\\' | '^' | '`' | '|');
    if let Some(character) = uri.chars().find(foreign) {
        return Err(UriPatternError::Character { character });
    }
    if !percent_encoding_is_whole(uri) {
        return Err(UriPatternError::Percent);
    }
    match Url::parse(uri) {
        Ok(_) => Ok(()),
        Err(error) => Err(UriPatternError::NotAbsolute { reason: error.to_string() }),
    }
}

fn percent_encoding_is_whole(text: &str) -> bool {
    text.split('%').skip(1).all(|rest| rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2)
}

impl FromStr for UriPattern {
    type Err = UriPatternError;

    fn from_str(source: &str) -> Result<Self, UriPatternError> {
        if source.len() > MAX_BYTES {
            return Err(UriPatternError::TooLong { bytes: source.len() });
        }
        let (head, tail) = source.split_once('{').ok_or(UriPatternError::NoVariable)?;
        if !head.contains(':') {
            return Err(UriPatternError::Scheme);
        }
        let variables = tail.split('{').map(variable).collect::<Result<Vec<_>, _>>()?;
        let pattern = Self { source: source.to_owned(), head: head.to_owned(), variables };
        pattern.check()?;
        Ok(pattern)
    }
}

/// `name}text behind`.
fn variable(text: &str) -> Result<(String, String), UriPatternError> {
    let error = || UriPatternError::Expression { text: text.chars().take(64).collect() };
    let (name, behind) = text.split_once('}').ok_or_else(error)?;
    let named =
        (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !named || behind.contains('}') {
        return Err(error());
    }
    Ok((name.to_owned(), behind.to_owned()))
}

impl UriPattern {
    fn check(&self) -> Result<(), UriPatternError> {
        if self.variables.len() > MAX_VARIABLES {
            return Err(UriPatternError::TooMany);
        }
        let mut seen = BTreeSet::new();
        for (index, (name, behind)) in self.variables.iter().enumerate() {
            if !seen.insert(name) {
                return Err(UriPatternError::Repeated { name: name.clone() });
            }
            let ends = behind.starts_with(|c: char| c.is_ascii_punctuation() && c != '%');
            let last = index + 1 == self.variables.len();
            if !(ends || last && behind.is_empty()) {
                return Err(UriPatternError::NoEnd { name: name.clone() });
            }
        }
        let texts = self.variables.iter().map(|(_, behind)| behind).chain([&self.head]);
        if !texts.into_iter().all(|text| percent_encoding_is_whole(text)) {
            return Err(UriPatternError::Percent);
        }
        let sample = self.variables.iter().fold(self.head.clone(), |uri, (_, behind)| uri + "x" + behind);
        check_uri(&sample)
    }
}

impl TryFrom<String> for UriPattern {
    type Error = UriPatternError;

    fn try_from(source: String) -> Result<Self, UriPatternError> {
        source.parse()
    }
}

impl From<UriPattern> for String {
    fn from(pattern: UriPattern) -> Self {
        pattern.source
    }
}

impl fmt::Display for UriPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

#[cfg(test)]
mod tests;
