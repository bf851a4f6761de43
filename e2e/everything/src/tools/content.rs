//! Tools that return one kind of content each.

use super::{Outcome, failure, text};
use crate::dialogue::Call;
use rmcp::ErrorData;
use rmcp::model::{CallToolResult, ContentBlock, Resource, ResourceContents};
use serde_json::{Value, json};

/// One red pixel.
pub(crate) const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
/// A WAV file without samples.
const WAV: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA=";

pub(super) fn run(call: &Call) -> Outcome {
    let result = match call.name.as_str() {
        "test_simple_text" => text("This is a simple text response for testing."),
        "test_image_content" => CallToolResult::success(vec![ContentBlock::image(PNG, "image/png")]),
        "test_audio_content" => CallToolResult::success(vec![ContentBlock::audio(WAV, "audio/wav")]),
        "test_embedded_resource" => CallToolResult::success(vec![ContentBlock::resource(text_resource(
            "test://embedded-resource",
            "text/plain",
            "This is an embedded resource content.",
        ))]),
        "test_multiple_content_types" => CallToolResult::success(vec![
            ContentBlock::text("Multiple content types test:"),
            ContentBlock::image(PNG, "image/png"),
            ContentBlock::resource(text_resource(
                "test://mixed-content-resource",
                "application/json",
                r#"{"test":"data","value":123}"#,
            )),
        ]),
        "test_error_handling" => failure("This tool intentionally returns an error for testing"),
        "structured" => structured(json!({ "answer": 42, "list": [1, 2, 3] })),
        "structured_list" if call.is_modern() => structured(json!([1, 2, 3])),
        // Before 2026-07-28 structured content is an object.
        "structured_list" => text("[1,2,3]"),
        "resource_link" => {
            let link = Resource::new("test://static-text", "Static text").with_mime_type("text/plain");
            CallToolResult::success(vec![ContentBlock::resource_link(link)])
        }
        "test_custom_header" => text(format!("Region {}", call.text("region").unwrap_or("unknown"))),
        "greet" | "json_schema_2020_12_tool" => {
            text(format!("Hello, {}!", call.text("name").unwrap_or("world")))
        }
        name if call.shared.catalog.tool(name).is_some() => text(name),
        name => return Err(ErrorData::invalid_params(format!("unknown tool {name:?}"), None).into()),
    };
    Ok(result)
}

fn structured(value: Value) -> CallToolResult {
    let mut result = text(value.to_string());
    result.structured_content = Some(value);
    result
}

/// A text as the content of a resource.
pub(crate) fn text_resource(uri: &str, mime: &str, text: &str) -> ResourceContents {
    ResourceContents::text(text, uri).with_mime_type(mime)
}
