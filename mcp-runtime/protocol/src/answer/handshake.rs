//! `initialize` and `server/discover`.

use super::CachePolicy;
use crate::{
    Revision, ServerCapabilities,
    json::{JsonText, Members, ObjectWriter, array, quoted, string},
    server::key,
};
use serde_json::value::RawValue;

/// Largest object about a server that is passed on whole, in bytes: it goes with every modern result.
const MAX_PASSED: usize = 4 * 1024;

/// Name and version of a client or a server (2026-07-28, schema, `Implementation`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Implementation {
    /// For programs.
    pub name: String,
    /// For people.
    pub title: Option<String>,
    /// Of the software.
    pub version: String,
    /// The whole object as another has written it, with members that only those who show it need to know.
    pub passed: Option<JsonText>,
}

impl Implementation {
    /// One without a title.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self { name: name.into(), title: None, version: version.into(), passed: None }
    }

    /// What a server says of itself; `None` when it has no name and version, or is absurdly long.
    pub fn read(raw: &RawValue) -> Option<Self> {
        let members = Members::read(raw).filter(|_| raw.get().len() <= MAX_PASSED)?;
        let text = |key| members.get(key).and_then(string).map(std::borrow::Cow::into_owned);
        let (name, version) = (text("name")?, text("version")?);
        Some(Self { name, title: text("title"), version, passed: Some(JsonText::from(raw)) })
    }

    /// The object on the wire; titles are of 2025-06-18, icons and whatever else there may be of 2025-11-25.
    pub fn write(&self, revision: Revision) -> JsonText {
        if let Some(passed) = self.passed.as_ref().filter(|_| revision >= Revision::V2025_11_25) {
            return passed.clone();
        }
        let title = self.title.as_deref().filter(|_| revision >= Revision::V2025_06_18);
        ObjectWriter::new()
            .text("name", &self.name)
            .text_some("title", title)
            .text("version", &self.version)
            .finish()
    }
}

/// What a server says about itself.
#[derive(Clone, Debug)]
pub struct ServerIdentity {
    /// Who it is.
    pub info: Implementation,
    /// What it offers.
    pub capabilities: ServerCapabilities,
    /// Guidance for models.
    pub instructions: Option<String>,
}

/// The result of `initialize`, with the revision of [`crate::server::Initialize::negotiated`]
/// (2025-11-25, lifecycle, "Initialization").
pub fn initialize(identity: &ServerIdentity, negotiated: Revision) -> JsonText {
    ObjectWriter::new()
        .text("protocolVersion", negotiated.as_str())
        .raw("capabilities", identity.capabilities.write(negotiated).as_str())
        .raw("serverInfo", identity.info.write(negotiated).as_str())
        .text_some("instructions", identity.instructions.as_deref())
        .finish()
}

/// Whether a server keeps something from one request of a client to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// It does not, as 2026-07-28 has it.
    Nothing,
    /// It does, for each session of an earlier revision.
    Sessions,
}

/// The result of `server/discover` (2026-07-28, server/discover, "Response").
pub fn discover(identity: &ServerIdentity, cache: CachePolicy) -> JsonText {
    discover_keeping(identity, cache, Keeps::Nothing)
}

/// The same, for a client that could speak either way and would lose something without sessions: only those who know
/// [`key::SESSIONS`] look at it.
pub fn discover_keeping(identity: &ServerIdentity, cache: CachePolicy, keeps: Keeps) -> JsonText {
    let meta = server_meta_members(&identity.info);
    let meta = match keeps {
        Keeps::Nothing => meta,
        Keeps::Sessions => meta.raw(key::SESSIONS, "true"),
    };
    let versions = Revision::SERVED.map(|revision| quoted(revision.as_str()));
    let writer = ObjectWriter::new()
        .text("resultType", "complete")
        .raw("supportedVersions", &array(versions.iter().map(String::as_str)))
        .raw("capabilities", identity.capabilities.write(Revision::LATEST_MODERN).as_str())
        .text_some("instructions", identity.instructions.as_deref());
    cache.write(writer).raw("_meta", meta.finish().as_str()).finish()
}

/// `_meta` of a result: servers SHOULD say who they are (2026-07-28, basic, "Per-response protocol fields").
pub(super) fn server_meta(info: &Implementation) -> JsonText {
    server_meta_members(info).finish()
}

/// The same, for more members.
pub(crate) fn server_meta_members(info: &Implementation) -> ObjectWriter {
    ObjectWriter::new().raw(key::SERVER_INFO, info.write(Revision::LATEST_MODERN).as_str())
}
