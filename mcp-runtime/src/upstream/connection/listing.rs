//! All pages of all lists. A server that never ends a list must not take our memory with it.

use super::{ClientError, Connection};
use mcpfleet_protocol::{
    Era, ErrorCode, ServerCapabilities, Tool,
    answer::Definition,
    client::{Ask, AskContext, ListKind, ListReply, ToolsReply},
    header::ParamHeader,
};
use serde_json::value::RawValue;
use std::collections::HashMap;

/// Most pages of one list.
const MAX_PAGES: usize = 100;
/// Most elements of one list.
const MAX_ELEMENTS: usize = 10_000;
/// Most bytes of all pages of one list together.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// What a server offers. Each list is in the server's order.
#[derive(Debug, Default)]
pub struct Listing {
    /// `tools/list`.
    pub tools: Vec<Tool>,
    /// `prompts/list`.
    pub prompts: Vec<Definition>,
    /// `resources/list`.
    pub resources: Vec<Definition>,
    /// `resources/templates/list`.
    pub templates: Vec<Definition>,
    /// What was left out, and why; for people.
    pub notes: Vec<String>,
}

/// One page.
struct Page<T> {
    elements: Vec<T>,
    left_out: Vec<String>,
    next_cursor: Option<String>,
}

impl Listing {
    /// Parameters that the server wants mirrored into headers, by tool.
    pub(super) fn mirrored(&self) -> HashMap<String, Vec<ParamHeader>> {
        let params = |tool: &Tool| tool.param_headers().ok().filter(|params| !params.is_empty());
        self.tools.iter().filter_map(|tool| Some((tool.name.clone(), params(tool)?))).collect()
    }
}

/// The tools alone.
pub(super) async fn tools(connection: &Connection) -> Result<Listing, ClientError> {
    let mut listing = Listing::default();
    listing.tools = pages(connection, ListKind::Tools, &mut listing.notes, tools_page).await?;
    if connection.era() == Era::Modern {
        leave_out_misannotated(&mut listing);
    }
    Ok(listing)
}

/// Every list that the server says it has.
pub(super) async fn all(connection: &Connection) -> Result<Listing, ClientError> {
    let about = connection.about();
    let ServerCapabilities { tools: has_tools, prompts, resources, .. } = &about.capabilities;
    let mut listing = match has_tools {
        Some(_) => tools(connection).await?,
        None => Listing::default(),
    };
    if prompts.is_some() {
        listing.prompts = definitions(connection, ListKind::Prompts, &mut listing.notes).await?;
    }
    if resources.is_some() {
        listing.resources = definitions(connection, ListKind::Resources, &mut listing.notes).await?;
        listing.templates = definitions(connection, ListKind::ResourceTemplates, &mut listing.notes).await?;
    }
    Ok(listing)
}

async fn definitions(
    connection: &Connection,
    kind: ListKind,
    notes: &mut Vec<String>,
) -> Result<Vec<Definition>, ClientError> {
    let read = |result: &RawValue| {
        let ListReply { definitions, left_out, next_cursor, .. } = ListReply::read(result, kind)?;
        let left_out = left_out.iter().map(ToString::to_string).collect();
        Ok(Page { elements: definitions, left_out, next_cursor })
    };
    pages(connection, kind, notes, read).await
}

fn tools_page(result: &RawValue) -> Result<Page<Tool>, ClientError> {
    let ToolsReply { tools, left_out, next_cursor, .. } = ToolsReply::read(result)?;
    let left_out = left_out.iter().map(ToString::to_string).collect();
    Ok(Page { elements: tools, left_out, next_cursor })
}

async fn pages<T>(
    connection: &Connection,
    kind: ListKind,
    notes: &mut Vec<String>,
    read: impl Fn(&RawValue) -> Result<Page<T>, ClientError>,
) -> Result<Vec<T>, ClientError> {
    let (mut elements, mut bytes) = (Vec::new(), 0);
    let mut cursor: Option<String> = None;
    let what = kind.member();
    for _ in 0..MAX_PAGES {
        let ask = Ask::List(kind, cursor.as_deref());
        let result = match connection.ask(&ask, &AskContext::default()).await {
            Ok(result) => result,
            Err(ClientError::Rpc(failure)) if failure.code == ErrorCode::MethodNotFound.number() => {
                // Templates are often not offered beside resources, which nobody needs to be told.
                if kind != ListKind::ResourceTemplates {
                    notes.push(format!("it says that it offers {what}, and does not list them"));
                }
                return Ok(elements);
            }
            Err(error) => return Err(error),
        };
        bytes += result.get().len();
        let page = read(&result)?;
        notes.extend(page.left_out);
        elements.extend(page.elements);
        if bytes > MAX_BYTES || elements.len() > MAX_ELEMENTS {
            elements.truncate(MAX_ELEMENTS);
            notes.push(format!(
                "its list of {what} goes on beyond {MAX_ELEMENTS} elements or {MAX_BYTES} bytes"
            ));
            return Ok(elements);
        }
        match page.next_cursor {
            None => return Ok(elements),
            same if same == cursor => break,
            next => cursor = next,
        }
    }
    notes.push(format!("its list of {what} does not end within {MAX_PAGES} pages"));
    Ok(elements)
}

/// A modern client must leave out tools whose `x-mcp-header` annotations break the rules (2026-07-28, streamable HTTP,
/// "Custom Headers from Tool Parameters").
fn leave_out_misannotated(listing: &mut Listing) {
    let notes = &mut listing.notes;
    listing.tools.retain(|tool| match tool.param_headers() {
        Ok(_) => true,
        Err(why) => {
            notes.push(why.to_string());
            false
        }
    });
}
