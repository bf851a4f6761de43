//! Content blocks that a client's revision lacks, as text blocks that say what they were.

use crate::{
    Revision,
    json::{JsonText, Members, ObjectWriter, array, elements, string},
};
use serde_json::{Value, value::RawValue};

/// A list of blocks for a client of `revision`; `more` is one block after them. What is no list goes as it is.
pub(super) fn blocks(list: Option<&RawValue>, more: Option<&JsonText>, revision: Revision) -> String {
    let list = list.map_or("[]", RawValue::get);
    if more.is_none() && knows_all(revision) {
        return list.to_owned();
    }
    let Ok(list) = elements(list, usize::MAX) else { return list.to_owned() };
    let written: Vec<String> = list.into_iter().map(|raw| block(raw, revision)).collect();
    let more = more.map(JsonText::as_str);
    array(written.iter().map(String::as_str).chain(more))
}

/// Whether no block of a later revision needs another form here.
pub(super) fn knows_all(revision: Revision) -> bool {
    revision >= Revision::V2025_06_18
}

/// One block for a client of `revision`.
pub(crate) fn block(raw: &RawValue, revision: Revision) -> String {
    let members = Members::read(raw).unwrap_or_default();
    let what = match members.get("type").and_then(string).as_deref() {
        Some("audio") if revision < Revision::V2025_03_26 => "audio",
        Some("resource_link") if revision < Revision::V2025_06_18 => "resource link",
        _ => return raw.get().to_owned(),
    };
    let text = |key| members.get(key).and_then(string).map(std::borrow::Cow::into_owned);
    let said = [text("title").or_else(|| text("name")), text("uri"), text("mimeType"), text("description")];
    let said: Vec<String> = said.into_iter().flatten().collect();
    let text = if said.is_empty() { format!("[{what}]") } else { format!("[{what}: {}]", said.join(", ")) };
    let annotations = members.get_some("annotations").map(RawValue::get);
    ObjectWriter::new()
        .text("type", "text")
        .text("text", &text)
        .raw_some("annotations", annotations)
        .into_string()
}

/// The text block that says the same as `structured`, unless one of `content` does already
/// (2025-06-18, server/tools, "Structured Content").
pub(super) fn text_of(structured: &RawValue, content: Option<&RawValue>) -> Option<JsonText> {
    let Ok(value) = serde_json::from_str::<Value>(structured.get()) else { return None };
    let blocks = content.map(|content| elements(content.get(), usize::MAX)).transpose().ok()?;
    let said = blocks.into_iter().flatten().any(|block| {
        let members = Members::read(block).unwrap_or_default();
        let text = members.get("text").and_then(string);
        text.is_some_and(|text| serde_json::from_str::<Value>(&text).is_ok_and(|said| said == value))
    });
    let text = ObjectWriter::new().text("type", "text").text("text", structured.get());
    (!said).then(|| text.finish())
}
