//! What a server offers.

use super::EXTENSIONS_SINCE;
use crate::{
    Revision,
    json::{JsonText, Members, ObjectWriter, is_object},
};
use serde_json::value::RawValue;

/// Whether a server tells clients that its list has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListChanges {
    /// It does, on notification streams.
    Announced,
    /// It does not.
    Silent,
}

/// Whether a server offers something that has no settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Offered {
    /// It does.
    Yes,
    /// It does not.
    #[default]
    No,
}

/// How a server offers resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourcesOffer {
    /// Of the list.
    pub changes: ListChanges,
    /// Whether a client can subscribe to one resource.
    pub subscribe: Offered,
}

/// What a server offers (2026-07-28, schema, `ServerCapabilities`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerCapabilities {
    /// Tools, if any.
    pub tools: Option<ListChanges>,
    /// Prompts, if any.
    pub prompts: Option<ListChanges>,
    /// Resources, if any.
    pub resources: Option<ResourcesOffer>,
    /// `completion/complete`.
    pub completions: Offered,
    /// Log messages.
    pub logging: Offered,
    /// `extensions`, an object by name.
    pub extensions: Option<JsonText>,
}

impl ServerCapabilities {
    /// Those of a server that offers tools alone.
    pub fn tools_only(changes: ListChanges) -> Self {
        Self { tools: Some(changes), ..Self::default() }
    }

    /// Reads the object of `initialize` or `server/discover`. Members of a wrong type and unknown ones count as absent.
    /// A server of 2024-11-05 had no way to say that it completes: it must be asked.
    pub fn read(raw: &RawValue) -> Self {
        let members = Members::read(raw).unwrap_or_default();
        let object = |key| members.get(key).filter(|value| is_object(value)).and_then(Members::read);
        let offered = |key| if object(key).is_some() { Offered::Yes } else { Offered::No };
        Self {
            tools: object("tools").map(|tools| changes(&tools)),
            prompts: object("prompts").map(|prompts| changes(&prompts)),
            resources: object("resources").map(|resources| ResourcesOffer {
                changes: changes(&resources),
                subscribe: if is_true(&resources, "subscribe") { Offered::Yes } else { Offered::No },
            }),
            completions: offered("completions"),
            logging: offered("logging"),
            extensions: members.get("extensions").filter(|value| is_object(value)).map(JsonText::from),
        }
    }

    /// Whether the server has declared the extension of this name.
    pub fn has_extension(&self, name: &str) -> bool {
        let members = self.extensions.as_ref().and_then(|extensions| Members::parse(extensions.as_str()));
        members.is_some_and(|members| members.get_some(name).is_some())
    }

    /// The object for a client of `revision`, without what that revision lacks.
    pub fn write(&self, revision: Revision) -> JsonText {
        let empty = |offered| (offered == Offered::Yes).then_some("{}");
        let completions = empty(self.completions).filter(|_| revision >= Revision::V2025_03_26);
        let extensions = self.extensions.as_ref().filter(|_| revision >= EXTENSIONS_SINCE);
        let list = |changes: Option<ListChanges>| changes.map(|changes| announced(changes).finish());
        let resources = self.resources.map(|resources| {
            let subscribe = (resources.subscribe == Offered::Yes).then_some("true");
            announced(resources.changes).raw_some("subscribe", subscribe).finish()
        });
        ObjectWriter::new()
            .raw_some("logging", empty(self.logging))
            .raw_some("completions", completions)
            .raw_some("prompts", list(self.prompts).as_ref().map(JsonText::as_str))
            .raw_some("resources", resources.as_ref().map(JsonText::as_str))
            .raw_some("tools", list(self.tools).as_ref().map(JsonText::as_str))
            .raw_some("extensions", extensions.map(JsonText::as_str))
            .finish()
    }
}

fn announced(changes: ListChanges) -> ObjectWriter {
    ObjectWriter::new().raw_some("listChanged", (changes == ListChanges::Announced).then_some("true"))
}

fn changes(of: &Members<'_>) -> ListChanges {
    if is_true(of, "listChanged") { ListChanges::Announced } else { ListChanges::Silent }
}

fn is_true(members: &Members<'_>, key: &str) -> bool {
    members.get(key).is_some_and(|value| value.get() == "true")
}
