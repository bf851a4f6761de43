//! What a client can do, and what a server may therefore ask of it.

use super::EXTENSIONS_SINCE;
use crate::{
    Era, Revision,
    json::{JsonText, Members, ObjectWriter, is_object, string},
};
use serde_json::value::RawValue;

/// One thing that a client can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Capability {
    /// `roots`: answers `roots/list`.
    Roots,
    /// `roots.listChanged`: tells when they change; legacy.
    RootsListChanged,
    /// `sampling`: answers `sampling/createMessage`.
    Sampling,
    /// `sampling.tools`: with tools.
    SamplingTools,
    /// `sampling.context`: with the context of servers.
    SamplingContext,
    /// `elicitation.form`: asks its user to fill in a form.
    ElicitationForm,
    /// `elicitation.url`: sends its user to a page.
    ElicitationUrl,
}

impl Capability {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Roots,
        Self::RootsListChanged,
        Self::Sampling,
        Self::SamplingTools,
        Self::SamplingContext,
        Self::ElicitationForm,
        Self::ElicitationUrl,
    ];

    /// Its bit in [`ClientCapabilities::to_bits`]. Sealed into session ids: never renumber.
    const fn bit(self) -> u16 {
        match self {
            Self::Roots => 1,
            Self::RootsListChanged => 1 << 1,
            Self::Sampling => 1 << 2,
            Self::SamplingTools => 1 << 3,
            Self::SamplingContext => 1 << 4,
            Self::ElicitationForm => 1 << 5,
            Self::ElicitationUrl => 1 << 6,
        }
    }

    /// The member and the member of that.
    const fn path(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Roots => ("roots", None),
            Self::RootsListChanged => ("roots", Some("listChanged")),
            Self::Sampling => ("sampling", None),
            Self::SamplingTools => ("sampling", Some("tools")),
            Self::SamplingContext => ("sampling", Some("context")),
            Self::ElicitationForm => ("elicitation", Some("form")),
            Self::ElicitationUrl => ("elicitation", Some("url")),
        }
    }
}

/// What a client can do: a set of [`Capability`], and extensions as they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientCapabilities {
    set: u16,
    /// `extensions`, an object by name.
    pub extensions: Option<JsonText>,
}

impl ClientCapabilities {
    /// Reads the object of `initialize` or of `_meta`. Members of a wrong type and unknown ones count as absent.
    pub fn read(raw: &RawValue) -> Self {
        let members = Members::read(raw).unwrap_or_default();
        let object = |key| members.get(key).filter(|value| is_object(value)).and_then(Members::read);
        let mut read = Self::default();
        if let Some(roots) = object("roots") {
            let changes = roots.get("listChanged").is_some_and(|value| value.get() == "true");
            read = read.with(Capability::Roots);
            read = if changes { read.with(Capability::RootsListChanged) } else { read };
        }
        if let Some(sampling) = object("sampling") {
            let has = |key| sampling.get_some(key).is_some();
            read = read.with(Capability::Sampling);
            read = if has("tools") { read.with(Capability::SamplingTools) } else { read };
            read = if has("context") { read.with(Capability::SamplingContext) } else { read };
        }
        if let Some(elicitation) = object("elicitation") {
            let has = |key| elicitation.get_some(key).is_some();
            read = if has("url") { read.with(Capability::ElicitationUrl) } else { read };
            let form = has("form") || !has("url");
            read = if form { read.with(Capability::ElicitationForm) } else { read };
        }
        read.extensions = members.get("extensions").filter(|value| is_object(value)).map(JsonText::from);
        read
    }

    /// The same and one more.
    #[must_use]
    pub fn with(mut self, capability: Capability) -> Self {
        self.set |= capability.bit();
        self
    }

    /// Whether the client can do it.
    pub const fn has(&self, capability: Capability) -> bool {
        self.set & capability.bit() != 0
    }

    /// Whether it declared the extension of this name, such as `io.modelcontextprotocol/tasks`.
    pub fn has_extension(&self, name: &str) -> bool {
        let members = self.extensions.as_ref().and_then(|extensions| Members::parse(extensions.as_str()));
        members.is_some_and(|members| members.get_some(name).is_some())
    }

    /// The set without the extensions, for a session id. [`ClientCapabilities::from_bits`] reads it.
    pub const fn to_bits(&self) -> u16 {
        self.set
    }

    /// The set of these bits; unknown ones are dropped.
    pub fn from_bits(bits: u16) -> Self {
        let known = Capability::ALL.into_iter().filter(|capability| bits & capability.bit() != 0);
        known.fold(Self::default(), Self::with)
    }

    /// The object for a server of `revision`, without what that revision lacks.
    pub fn write(&self, revision: Revision) -> JsonText {
        let since_2025_11 = revision >= Revision::V2025_11_25;
        let changes = self.has(Capability::RootsListChanged) && revision.era() == Era::Legacy;
        let roots = if changes { r#"{"listChanged":true}"# } else { "{}" };
        let part = |capability| (since_2025_11 && self.has(capability)).then_some("{}");
        let sampling = ObjectWriter::new()
            .raw_some("tools", part(Capability::SamplingTools))
            .raw_some("context", part(Capability::SamplingContext))
            .finish();
        let elicitation = ObjectWriter::new()
            .raw_some("form", part(Capability::ElicitationForm))
            .raw_some("url", part(Capability::ElicitationUrl))
            .finish();
        let extensions = self.extensions.as_ref().filter(|_| revision >= EXTENSIONS_SINCE);
        ObjectWriter::new()
            .raw_some("roots", self.has(Capability::Roots).then_some(roots))
            .raw_some("sampling", self.has(Capability::Sampling).then_some(sampling.as_str()))
            .raw_some("elicitation", self.elicits(revision).then_some(elicitation.as_str()))
            .raw_some("extensions", extensions.map(JsonText::as_str))
            .finish()
    }

    /// Whether `revision` has a word for the elicitation that this client can do.
    fn elicits(&self, revision: Revision) -> bool {
        match revision {
            Revision::V2024_11_05 | Revision::V2025_03_26 => false,
            Revision::V2025_06_18 => self.has(Capability::ElicitationForm),
            _ => self.has(Capability::ElicitationForm) || self.has(Capability::ElicitationUrl),
        }
    }

    /// Whether a server may send this request: a method of a server's request and its params.
    pub fn allows(&self, method: &str, params: Option<&RawValue>) -> bool {
        needed(method, params).is_some_and(|needed| needed.iter().all(|capability| self.has(*capability)))
    }

    /// What the client would have to declare for this request and has not, as `requiredCapabilities` of error -32021
    /// (2026-07-28, schema, `MissingRequiredClientCapabilityError`). `None` when nothing is missing, or the method is no
    /// request of a server.
    pub fn missing_for(&self, method: &str, params: Option<&RawValue>) -> Option<JsonText> {
        let missing: Vec<Capability> =
            needed(method, params)?.iter().copied().filter(|capability| !self.has(*capability)).collect();
        let (member, _) = missing.first()?.path();
        // What one method needs is all of one member.
        let parts = missing.iter().filter_map(|capability| capability.path().1);
        let parts = parts.fold(ObjectWriter::new(), |writer, part| writer.raw(part, "{}")).finish();
        Some(ObjectWriter::new().raw(member, parts.as_str()).finish())
    }
}

/// What a server's request needs; `None` for what is none. `ping` needs nothing.
fn needed(method: &str, params: Option<&RawValue>) -> Option<&'static [Capability]> {
    let params = params.and_then(Members::read).unwrap_or_default();
    let has = |key| params.get_some(key).is_some();
    match method {
        "ping" => Some(&[]),
        "roots/list" => Some(&[Capability::Roots]),
        // 2025-11-25, client/sampling, "Tools in Sampling".
        "sampling/createMessage" if has("tools") || has("toolChoice") => {
            Some(&[Capability::Sampling, Capability::SamplingTools])
        }
        "sampling/createMessage" => Some(&[Capability::Sampling]),
        "elicitation/create" => match params.get_some("mode").and_then(string).as_deref() {
            None | Some("form") => Some(&[Capability::ElicitationForm]),
            Some("url") => Some(&[Capability::ElicitationUrl]),
            Some(_) => None,
        },
        _ => None,
    }
}
