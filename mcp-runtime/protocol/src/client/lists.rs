//! Pages of lists. One bad element does not spoil its page, and no page costs much more than its text.

use super::{ListKind, ReplyError};
use crate::{
    Tool, ToolError,
    answer::{CacheScope, Definition, DefinitionError},
    json::{Members, elements, string},
};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Longest page that is read: an element, or why it is left out, takes many times the two bytes that an element of a
/// hostile list takes.
pub const MAX_LIST: usize = 10_000;

/// What every page has.
struct Page<'a> {
    elements: Vec<&'a RawValue>,
    next_cursor: Option<String>,
    ttl_ms: Option<u64>,
    scope: Option<CacheScope>,
    /// Only modern results have a type.
    has_type: bool,
}

fn page(result: &RawValue, kind: ListKind) -> Result<Page<'_>, ReplyError> {
    let members = Members::read(result).ok_or(ReplyError::Member("result"))?;
    let list = members.get(kind.member()).ok_or(ReplyError::Member(kind.member()))?;
    Ok(Page {
        elements: elements(list.get(), MAX_LIST).map_err(|_| ReplyError::Member(kind.member()))?,
        next_cursor: members.get_some("nextCursor").and_then(string).map(Cow::into_owned),
        ttl_ms: members.get_some("ttlMs").and_then(|ttl| serde_json::from_str(ttl.get()).ok()),
        scope: members.get_some("cacheScope").and_then(string).and_then(|scope| CacheScope::parse(&scope)),
        has_type: members.get("resultType").is_some(),
    })
}

/// One page of `tools/list`.
#[derive(Clone, Debug, Default)]
pub struct ToolsReply {
    /// Those that can be used.
    pub tools: Vec<Tool>,
    /// Those that cannot, and why.
    pub left_out: Vec<ToolError>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
    /// How long the page may be kept, in ms; modern only.
    pub ttl_ms: Option<u64>,
    /// For whom it may be kept; modern only.
    pub scope: Option<CacheScope>,
}

impl ToolsReply {
    /// As [`MAX_LIST`].
    pub const MAX_TOOLS: usize = MAX_LIST;

    /// Reads it.
    ///
    /// # Errors
    /// When there is no list at all, or one longer than [`MAX_LIST`].
    pub fn read(result: &RawValue) -> Result<Self, ReplyError> {
        let page = page(result, ListKind::Tools)?;
        // Only to modern servers the annotations mean anything.
        let rule = if page.has_type { check_param_headers } else { Ok };
        let mut reply =
            Self { next_cursor: page.next_cursor, ttl_ms: page.ttl_ms, scope: page.scope, ..Self::default() };
        for tool in page.elements {
            match Tool::read(tool).and_then(rule) {
                Ok(tool) => reply.tools.push(tool),
                Err(why) => reply.left_out.push(why),
            }
        }
        Ok(reply)
    }
}

fn check_param_headers(tool: Tool) -> Result<Tool, ToolError> {
    tool.param_headers().map(|_| tool)
}

/// One page of `prompts/list`, `resources/list` or `resources/templates/list`.
#[derive(Clone, Debug, Default)]
pub struct ListReply {
    /// Those that can be used.
    pub definitions: Vec<Definition>,
    /// Those that cannot, and why.
    pub left_out: Vec<DefinitionError>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
    /// How long the page may be kept, in ms; modern only.
    pub ttl_ms: Option<u64>,
    /// For whom it may be kept; modern only.
    pub scope: Option<CacheScope>,
}

impl ListReply {
    /// Reads it. For tools [`ToolsReply`] says more.
    ///
    /// # Errors
    /// When there is no list at all, or one longer than [`MAX_LIST`].
    pub fn read(result: &RawValue, kind: ListKind) -> Result<Self, ReplyError> {
        let page = page(result, kind)?;
        let mut reply =
            Self { next_cursor: page.next_cursor, ttl_ms: page.ttl_ms, scope: page.scope, ..Self::default() };
        for element in page.elements {
            match Definition::read(kind, element) {
                Ok(definition) => reply.definitions.push(definition),
                Err(why) => reply.left_out.push(why),
            }
        }
        Ok(reply)
    }
}
