//! The resources and their templates.

use crate::tools::content::{PNG, text_resource};
use rmcp::ErrorData;
use rmcp::model::{ReadResourceResult, Resource, ResourceContents, ResourceTemplate};
use serde_json::json;

/// The resource that the suite subscribes to.
pub(crate) const WATCHED: &str = "test://watched-resource";

/// All resources, `extra` of them of no use.
pub(crate) fn all(extra: usize) -> Vec<Resource> {
    let fixed = [
        ("test://static-text", "Static text", "text/plain"),
        ("test://static-binary", "Static image", "image/png"),
        (WATCHED, "Changes when touch_resource says so", "text/plain"),
    ];
    let fixed = fixed.map(|(uri, name, mime)| {
        Resource::new(uri, name).with_description(format!("{name}, for tests")).with_mime_type(mime)
    });
    let extra = (0..extra).map(|index| {
        Resource::new(format!("test://extra/{index:03}"), format!("extra {index}"))
            .with_mime_type("text/plain")
    });
    fixed.into_iter().chain(extra).collect()
}

/// All templates.
pub(crate) fn templates() -> Vec<ResourceTemplate> {
    let template = ResourceTemplate::new("test://template/{id}/data", "Data by id");
    vec![template.with_description("Data of any id").with_mime_type("application/json")]
}

/// Reads one.
///
/// # Errors
/// Resource not found, with its URI (`server/resources`, *Error Handling*).
pub(crate) fn read(uri: &str) -> Result<ReadResourceResult, ErrorData> {
    let id = uri.strip_prefix("test://template/").and_then(|rest| rest.strip_suffix("/data"));
    let contents = match (uri, id) {
        ("test://static-text", _) => {
            text_resource(uri, "text/plain", "This is the content of the static text resource.")
        }
        ("test://static-binary", _) => ResourceContents::blob(PNG, uri).with_mime_type("image/png"),
        (WATCHED, _) => text_resource(uri, "text/plain", "This resource is watched."),
        (_, Some(id)) => {
            let data = json!({ "id": id, "templateTest": true, "data": format!("Data for ID: {id}") });
            text_resource(uri, "application/json", &data.to_string())
        }
        _ if uri.starts_with("test://extra/") => text_resource(uri, "text/plain", uri),
        _ => return Err(ErrorData::resource_not_found("Resource not found", Some(json!({ "uri": uri })))),
    };
    Ok(ReadResourceResult::new(vec![contents]))
}
