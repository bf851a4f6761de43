//! Cuts lists into pages. A cursor is the index of the page's first entry.

use rmcp::ErrorData;
use rmcp::model::PaginatedRequestParams;
use std::num::NonZeroUsize;

/// One page, and the cursor of the next.
pub(crate) struct Page<T> {
    pub(crate) entries: Vec<T>,
    pub(crate) next: Option<String>,
}

/// The page that `request` asks for.
///
/// # Errors
/// Invalid params (`server/utilities/pagination`, *Error Handling*) for a cursor that this server did not make.
pub(crate) fn page<T>(
    mut all: Vec<T>,
    size: Option<NonZeroUsize>,
    request: Option<&PaginatedRequestParams>,
) -> Result<Page<T>, ErrorData> {
    let start = match request.and_then(|request| request.cursor.as_deref()) {
        None => 0,
        Some(cursor) => cursor
            .parse()
            .ok()
            .filter(|start| *start < all.len())
            .ok_or_else(|| ErrorData::invalid_params(format!("unknown cursor {cursor:?}"), None))?,
    };
    let end = size.map_or(all.len(), |size| all.len().min(start + size.get()));
    let next = (end < all.len()).then(|| end.to_string());
    Ok(Page { entries: all.drain(start..end).collect(), next })
}
