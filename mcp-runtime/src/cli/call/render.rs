//! Lists and results as text for people.

use mcpfleet_protocol::{Revision, Tool, json::Members};
use serde::Deserialize;
use serde_json::value::RawValue;

/// One line a tool: its name and the first line of its description.
pub(super) fn tools(tools: &[Tool]) -> String {
    if tools.is_empty() {
        return "no tools".into();
    }
    let width = tools.iter().map(|tool| tool.name.chars().count()).max().unwrap_or_default().min(40);
    let line = |tool: &Tool| {
        let about = tool.description.as_deref().or(tool.title.as_deref()).unwrap_or_default();
        let about = about.trim_start().lines().next().unwrap_or_default();
        printable(format!("{:width$}  {about}", tool.name).trim_end())
    };
    tools.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The definitions as the server gave them.
pub(super) fn tools_json(tools: &[Tool]) -> String {
    let tools: Vec<_> =
        tools.iter().map(|tool| tool.write(Revision::LATEST_MODERN).as_str().to_owned()).collect();
    format!("[{}]", tools.join(","))
}

/// The text of a result, and whether it says that the tool failed.
pub(super) fn result(result: &RawValue) -> (String, bool) {
    let members = Members::read(result).unwrap_or_default();
    let failed = members.get("isError").is_some_and(|value| value.get() == "true");
    let blocks: Vec<&RawValue> = members
        .get("content")
        .and_then(|content| serde_json::from_str(content.get()).ok())
        .unwrap_or_default();
    let text = if blocks.is_empty() {
        members.get("structuredContent").unwrap_or(result).get().to_owned()
    } else {
        blocks.into_iter().map(block).collect::<Vec<_>>().join("\n")
    };
    (printable(&text), failed)
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block {
    Text {
        text: String,
    },
    #[serde(alias = "audio")]
    Image {
        data: String,
        #[serde(rename = "mimeType", default)]
        media: String,
    },
    ResourceLink {
        uri: String,
    },
}

fn block(raw: &RawValue) -> String {
    match serde_json::from_str(raw.get()) {
        Ok(Block::Text { text }) => text,
        Ok(Block::Image { data, media }) => format!("[{media}, {} bytes of base64]", data.len()),
        Ok(Block::ResourceLink { uri }) => format!("[{uri}]"),
        Err(_) => raw.get().to_owned(),
    }
}

/// A server's text must not steer the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && !matches!(c, '\n' | '\t') { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mcpfleet_protocol::json::JsonText;
    use serde_json::json;

    fn shown(value: &serde_json::Value) -> (String, bool) {
        result(&RawValue::from_string(value.to_string()).unwrap())
    }

    #[test]
    fn a_list_shows_first_lines() {
        let mut search = Tool::new("search", JsonText::empty_object());
        search.description = Some("\nFinds orders.\nSecond line.".into());
        let list = tools(&[search, Tool::new("ping", JsonText::empty_object())]);
        assert_eq!(list, "search  Finds orders.\nping");
        assert_eq!(tools(&[]), "no tools");
    }

    #[test]
    fn content_is_shown_as_text() {
        let content = json!({"content": [
            {"type": "text", "text": "one"},
            {"type": "image", "data": "QUJD", "mimeType": "image/png"},
            {"type": "resource_link", "uri": "file:///x"},
            {"type": "new", "a": 1},
        ], "isError": true});
        let (text, failed) = shown(&content);
        assert_eq!(text, "one\n[image/png, 4 bytes of base64]\n[file:///x]\n{\"a\":1,\"type\":\"new\"}");
        assert!(failed);
    }

    #[test]
    fn a_result_without_content_shows_what_it_has() {
        assert_eq!(
            shown(&json!({"content": [], "structuredContent": {"a": 1}})),
            ("{\"a\":1}".into(), false)
        );
        assert_eq!(shown(&json!({"x": 1})), ("{\"x\":1}".into(), false));
    }

    #[test]
    fn terminal_sequences_are_disarmed() {
        let (text, _) = shown(&json!({"content": [{"type": "text", "text": "a\u{1b}[2Jb"}]}));
        assert_eq!(text, "a\u{fffd}[2Jb");
    }
}
