//! Text with places for values: `Answer {{customer}} politely.`
//!
//! `{{name}}` is replaced by a value; `\{{` is written where two braces are meant; everything else, single braces and
//! `}}` among it, is text. There are no loops, conditions or filters: a value is put in once and never read again as
//! template, so nothing that a client sends can become a placeholder, and rendering is linear in what it writes.

use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt, str::FromStr};

/// Longest template, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;

/// Most placeholders in one template: each may repeat a long value.
pub const MAX_PLACEHOLDERS: usize = 256;

/// Longest name of a placeholder, in bytes.
pub const MAX_NAME: usize = 64;

const OPEN: &str = "{{";
const CLOSE: &str = "}}";

/// A parsed template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TextTemplate {
    source: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Placeholder(String),
}

/// A text that is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum TextTemplateError {
    #[error("the '{{{{' at byte {at} is never closed; write \\{{{{ where braces are meant")]
    Unclosed { at: usize },
    #[error(
        "{{{{{text}}}}} names nothing: a name has 1 to {MAX_NAME} letters, digits, '_', '-' and '.'; write \\{{{{ where braces are meant"
    )]
    Name { text: String },
    #[error("has more than {MAX_PLACEHOLDERS} placeholders")]
    TooMany,
    #[error("has {bytes} bytes; {MAX_BYTES} are the most")]
    TooLong { bytes: usize },
}

/// A rendered text would be longer than allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("would be longer than {limit} bytes")]
pub struct TooLong {
    /// The most, in bytes.
    pub limit: usize,
}

impl TextTemplate {
    /// Names that the template uses.
    pub fn placeholders(&self) -> BTreeSet<&str> {
        self.parts
            .iter()
            .filter_map(|part| match part {
                Part::Placeholder(name) => Some(name.as_str()),
                Part::Text(_) => None,
            })
            .collect()
    }

    /// The text with each placeholder replaced by its value; one without a value leaves nothing.
    ///
    /// # Errors
    /// The text would have more than `limit` bytes. No more than that is ever held.
    pub fn render<'v>(
        &self,
        limit: usize,
        value: impl Fn(&str) -> Option<&'v str>,
    ) -> Result<String, TooLong> {
        let mut text = String::new();
        for part in &self.parts {
            let piece = match part {
                Part::Text(fixed) => fixed.as_str(),
                Part::Placeholder(name) => value(name).unwrap_or_default(),
            };
            if piece.len() > limit - text.len() {
                return Err(TooLong { limit });
            }
            text.push_str(piece);
        }
        Ok(text)
    }

    /// The template as it was written.
    pub fn as_str(&self) -> &str {
        &self.source
    }
}

impl FromStr for TextTemplate {
    type Err = TextTemplateError;

    fn from_str(source: &str) -> Result<Self, TextTemplateError> {
        if source.len() > MAX_BYTES {
            return Err(TextTemplateError::TooLong { bytes: source.len() });
        }
        let parts = split(source)?;
        let places = parts.iter().filter(|part| matches!(part, Part::Placeholder(_))).count();
        if places > MAX_PLACEHOLDERS {
            return Err(TextTemplateError::TooMany);
        }
        Ok(Self { source: source.to_owned(), parts })
    }
}

fn split(source: &str) -> Result<Vec<Part>, TextTemplateError> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut rest = source;
    while let Some((before, after)) = rest.split_once(OPEN) {
        if let Some(kept) = before.strip_suffix('\\') {
            text.push_str(kept);
            text.push_str(OPEN);
            rest = after;
            continue;
        }
        text.push_str(before);
        let at = source.len() - after.len() - OPEN.len();
        let (inside, behind) = after.split_once(CLOSE).ok_or(TextTemplateError::Unclosed { at })?;
        let name = inside.trim();
        if !is_name(name) {
            return Err(TextTemplateError::Name { text: inside.chars().take(MAX_NAME).collect() });
        }
        if !text.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut text)));
        }
        parts.push(Part::Placeholder(name.to_owned()));
        rest = behind;
    }
    text.push_str(rest);
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    Ok(parts)
}

/// Whether a placeholder, and so what it stands for, can have this name.
pub fn is_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}

impl TryFrom<String> for TextTemplate {
    type Error = TextTemplateError;

    fn try_from(source: String) -> Result<Self, TextTemplateError> {
        source.parse()
    }
}

impl From<TextTemplate> for String {
    fn from(template: TextTemplate) -> Self {
        template.source
    }
}

impl fmt::Display for TextTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

#[cfg(test)]
mod tests;
