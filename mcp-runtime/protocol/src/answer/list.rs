//! `tools/list`.

use super::{Implementation, handshake::server_meta};
use crate::{
    Era, Tool,
    json::{JsonText, ObjectWriter},
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

impl CachePolicy {
    pub(super) fn write(self, writer: ObjectWriter) -> ObjectWriter {
        let scope = match self.scope {
            CacheScope::Public => "public",
            CacheScope::Private => "private",
        };
        writer.raw("ttlMs", &self.ttl_ms.to_string()).text("cacheScope", scope)
    }
}

/// One page of a tool list. The order must not change while the tools do not (2026-07-28, server/tools, "Capabilities").
#[derive(Clone, Copy, Debug)]
pub struct ToolsPage<'a> {
    /// In order.
    pub tools: &'a [Tool],
    /// Where the next page begins. Old clients never ask for it: prefer one page.
    pub next_cursor: Option<&'a str>,
    /// Modern only.
    pub cache: CachePolicy,
    /// Modern only.
    pub server: &'a Implementation,
}

/// The result of `tools/list` (2026-07-28 and 2025-11-25, server/tools, "Listing Tools").
pub fn list_tools(page: &ToolsPage<'_>, era: Era) -> JsonText {
    let tools: Vec<JsonText> = page.tools.iter().map(|tool| tool.write(era)).collect();
    let tools: Vec<&str> = tools.iter().map(JsonText::as_str).collect();
    let tools = format!("[{}]", tools.join(","));
    let writer = ObjectWriter::new();
    match era {
        Era::Legacy => writer.raw("tools", &tools).text_some("nextCursor", page.next_cursor).finish(),
        Era::Modern => {
            let writer = writer.text("resultType", "complete").raw("tools", &tools);
            let writer = page.cache.write(writer.text_some("nextCursor", page.next_cursor));
            writer.raw("_meta", server_meta(page.server).as_str()).finish()
        }
    }
}
