//! Definitions of prompts, resources and resource templates: read from an upstream's list, written to our own. Only what
//! identifies one is read; everything else stays as it came.

use crate::{
    Revision,
    client::ListKind,
    json::{JsonText, Members, ObjectWriter, array, elements, string},
};
use serde_json::value::RawValue;

/// Longest name or URI that is taken, in bytes.
const MAX_KEY_BYTES: usize = 2048;

/// One prompt, resource or resource template as clients see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Which of them.
    pub kind: ListKind,
    /// Its name, URI or URI template, unique in its list.
    pub key: String,
    /// Every other member, in the order it came.
    pub members: Vec<(String, JsonText)>,
}

/// Why an upstream's definition is left out. One such does not spoil its list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// Not an object, or one without the member that identifies it.
    #[error("an element of {list} lacks a valid {member}")]
    NoKey {
        /// The list.
        list: &'static str,
        /// The member.
        member: &'static str,
    },
}

impl Definition {
    /// One without other members.
    pub fn new(kind: ListKind, key: impl Into<String>) -> Self {
        Self { kind, key: key.into(), members: Vec::new() }
    }

    /// The same with one more member; one of the same name is replaced.
    #[must_use]
    pub fn with(mut self, name: &str, value: JsonText) -> Self {
        self.members.retain(|(member, _)| member != name);
        self.members.push((name.to_owned(), value));
        self
    }

    /// The same under another key.
    #[must_use]
    pub fn renamed(self, key: impl Into<String>) -> Self {
        Self { key: key.into(), ..self }
    }

    /// The text of a member that is a string.
    pub fn text(&self, name: &str) -> Option<String> {
        let (_, value) = self.members.iter().find(|(member, _)| member == name)?;
        serde_json::from_str(value.as_str()).ok()
    }

    /// Reads one element of a list.
    ///
    /// # Errors
    /// [`DefinitionError`].
    pub fn read(kind: ListKind, raw: &RawValue) -> Result<Self, DefinitionError> {
        let no_key = DefinitionError::NoKey { list: kind.member(), member: kind.key() };
        let members = Members::read(raw).ok_or(no_key.clone())?;
        let key = members.get(kind.key()).and_then(string).filter(|key| key.len() <= MAX_KEY_BYTES);
        let key = key.ok_or(no_key)?.into_owned();
        let others = members.iter().filter(|(name, value)| *name != kind.key() && value.get() != "null");
        let members = others.map(|(name, value)| (name.to_owned(), value.into())).collect();
        Ok(Self { kind, key, members })
    }

    /// The object for a client of `revision`, without what that revision lacks: icons before 2025-11-25, titles and
    /// `_meta` before 2025-06-18. A resource must have a name: one without gets its URI.
    pub fn write(&self, revision: Revision) -> JsonText {
        let name = match self.kind {
            ListKind::Resources | ListKind::ResourceTemplates if self.text("name").is_none() => {
                Some(self.key.as_str())
            }
            _ => None,
        };
        let writer = ObjectWriter::new().text(self.kind.key(), &self.key).text_some("name", name);
        let kept = self.members.iter().filter(|(member, _)| is_known(member, revision));
        // A name that is no string has been written anew.
        let kept = kept.filter(|(member, _)| name.is_none() || member != "name");
        let write = |writer: ObjectWriter, (member, value): &(String, JsonText)| match member.as_str() {
            "arguments" if revision < Revision::V2025_06_18 => writer.raw(member, &untitled(value)),
            _ => writer.raw(member, value.as_str()),
        };
        kept.fold(writer, write).finish()
    }
}

/// Members that a revision does not know, of any definition; unknown ones of an upstream are nobody's to judge.
pub(crate) fn is_known(member: &str, revision: Revision) -> bool {
    match member {
        "icons" => revision >= Revision::V2025_11_25,
        "title" | "_meta" => revision >= Revision::V2025_06_18,
        _ => true,
    }
}

/// Arguments of a prompt without their titles.
fn untitled(arguments: &JsonText) -> String {
    let Ok(list) = elements(arguments.as_str(), usize::MAX) else { return arguments.as_str().to_owned() };
    let plain = |argument: &RawValue| match Members::read(argument) {
        None => argument.get().to_owned(),
        Some(members) => {
            let kept = members.iter().filter(|(key, _)| *key != "title");
            kept.fold(ObjectWriter::new(), |writer, (key, value)| writer.raw(key, value.get())).into_string()
        }
    };
    let list: Vec<String> = list.into_iter().map(plain).collect();
    array(list.iter().map(String::as_str))
}
