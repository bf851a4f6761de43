//! Pages of the four lists.

use super::{Definition, Implementation, handshake::server_meta};
use crate::{
    Era, Revision, Tool,
    client::ListKind,
    json::{JsonText, ObjectWriter, array},
};

/// How long and for whom a client may keep a result (2026-07-28, server/utilities/caching).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CachePolicy {
    /// In ms; 0 is stale at once.
    pub ttl_ms: u64,
    /// Who may share it.
    pub scope: CacheScope,
}

/// Who may share a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheScope {
    /// Everybody: it does not depend on who asked.
    Public,
    /// Only the same authorisation.
    Private,
}

impl CacheScope {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
        }
    }

    /// The scope of this word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Public, Self::Private].into_iter().find(|scope| scope.as_str() == word)
    }
}

impl CachePolicy {
    /// Not to be kept: what is said of a result whose own server says nothing.
    pub const UNKNOWN: Self = Self { ttl_ms: 0, scope: CacheScope::Private };

    /// The stricter of both: what holds for one result made of two.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let private = [self.scope, other.scope].contains(&CacheScope::Private);
        let scope = if private { CacheScope::Private } else { CacheScope::Public };
        Self { ttl_ms: self.ttl_ms.min(other.ttl_ms), scope }
    }

    pub(super) fn write(self, writer: ObjectWriter) -> ObjectWriter {
        writer.raw("ttlMs", &self.ttl_ms.to_string()).text("cacheScope", self.scope.as_str())
    }
}

/// One page of a list. The order must not change while the elements do not (2026-07-28, server/tools, "Capabilities").
#[derive(Clone, Copy, Debug)]
pub struct ListPage<'a> {
    /// Which list.
    pub kind: ListKind,
    /// Elements as their `write` gives them for the same revision, in order.
    pub items: &'a [JsonText],
    /// Where the next page begins. Old clients never ask for it: prefer one page.
    pub next_cursor: Option<&'a str>,
    /// Modern only.
    pub cache: CachePolicy,
    /// Modern only.
    pub server: &'a Implementation,
}

/// The result of one of the four list methods.
pub fn list(page: &ListPage<'_>, revision: Revision) -> JsonText {
    let items = array(page.items.iter().map(JsonText::as_str));
    let member = page.kind.member();
    let writer = ObjectWriter::new();
    match revision.era() {
        Era::Legacy => writer.raw(member, &items).text_some("nextCursor", page.next_cursor).finish(),
        Era::Modern => {
            let writer = writer.text("resultType", "complete").raw(member, &items);
            let writer = page.cache.write(writer.text_some("nextCursor", page.next_cursor));
            writer.raw("_meta", server_meta(page.server).as_str()).finish()
        }
    }
}

/// One page of tools.
#[derive(Clone, Copy, Debug)]
pub struct ToolsPage<'a> {
    /// In order.
    pub tools: &'a [Tool],
    /// As for [`ListPage`].
    pub next_cursor: Option<&'a str>,
    /// Modern only.
    pub cache: CachePolicy,
    /// Modern only.
    pub server: &'a Implementation,
}

/// The result of `tools/list` (2026-07-28 and 2025-11-25, server/tools, "Listing Tools").
pub fn list_tools(page: &ToolsPage<'_>, revision: Revision) -> JsonText {
    let items: Vec<JsonText> = page.tools.iter().map(|tool| tool.write(revision)).collect();
    let ToolsPage { next_cursor, cache, server, .. } = *page;
    list(&ListPage { kind: ListKind::Tools, items: &items, next_cursor, cache, server }, revision)
}

/// The elements of a page of prompts, resources or templates.
pub fn write_definitions(definitions: &[Definition], revision: Revision) -> Vec<JsonText> {
    definitions.iter().map(|definition| definition.write(revision)).collect()
}
