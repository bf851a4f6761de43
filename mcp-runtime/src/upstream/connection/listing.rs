//! All pages of `tools/list`. A server that never ends its list must not take our memory with it.

use super::{ClientError, Connection};
use mcpfleet_protocol::{Era, ErrorCode, Tool, client::ToolsReply, header::ParamHeader};
use std::collections::HashMap;

/// Most pages.
const MAX_PAGES: usize = 100;
/// Most tools.
const MAX_TOOLS: usize = 10_000;
/// Most bytes of all pages together.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// What a server offers.
#[derive(Debug, Default)]
pub struct Listing {
    /// In the server's order.
    pub tools: Vec<Tool>,
    /// What was left out, and why; for people.
    pub notes: Vec<String>,
}

impl Listing {
    /// Parameters that the server wants mirrored into headers, by tool.
    pub(super) fn mirrored(&self) -> HashMap<String, Vec<ParamHeader>> {
        let params = |tool: &Tool| tool.param_headers().ok().filter(|params| !params.is_empty());
        self.tools.iter().filter_map(|tool| Some((tool.name.clone(), params(tool)?))).collect()
    }
}

pub(super) async fn read(connection: &Connection) -> Result<Listing, ClientError> {
    let mut listing = Listing::default();
    let mut cursor: Option<String> = None;
    let mut bytes = 0;
    for _ in 0..MAX_PAGES {
        let page = match connection
            .request(&connection.endpoint, |peer, id| peer.list_tools(id, cursor.as_deref()), None)
            .await
        {
            Ok(page) => page,
            Err(ClientError::Rpc(failure)) if failure.code == ErrorCode::MethodNotFound.number() => {
                listing.notes.push("it offers no tools".into());
                return Ok(listing);
            }
            Err(error) => return Err(error),
        };
        bytes += page.get().len();
        let ToolsReply { tools, left_out, next_cursor, .. } = ToolsReply::read(&page)?;
        listing.notes.extend(left_out.iter().map(ToString::to_string));
        listing.tools.extend(tools);
        if bytes > MAX_BYTES || listing.tools.len() > MAX_TOOLS {
            listing.tools.truncate(MAX_TOOLS);
            listing.notes.push(format!("its list goes on beyond {MAX_TOOLS} tools or {MAX_BYTES} bytes"));
            return Ok(checked(listing, connection.era()));
        }
        match next_cursor {
            None => return Ok(checked(listing, connection.era())),
            same if same == cursor => break,
            next => cursor = next,
        }
    }
    listing.notes.push(format!("its list does not end within {MAX_PAGES} pages"));
    Ok(checked(listing, connection.era()))
}

/// A modern client must leave out tools whose `x-mcp-header` annotations break the rules (2026-07-28, streamable HTTP,
/// "Custom Headers from Tool Parameters").
fn checked(mut listing: Listing, era: Era) -> Listing {
    if era == Era::Modern {
        let notes = &mut listing.notes;
        listing.tools.retain(|tool| match tool.param_headers() {
            Ok(_) => true,
            Err(why) => {
                notes.push(why.to_string());
                false
            }
        });
    }
    listing
}
