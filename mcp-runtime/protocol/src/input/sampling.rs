//! `sampling/createMessage` and its answer between revisions (client/sampling). Since 2025-11-25 a message holds one block
//! or several, and blocks may be of tools.

use super::{Inexpressible, is_hop_member, meta};
use crate::{
    Revision,
    answer::block,
    json::{JsonText, Members, ObjectWriter, array, elements, string},
};
use serde_json::value::RawValue;

/// Params of the request.
pub(super) fn request(params: &Members<'_>, to: Revision) -> Result<JsonText, Inexpressible> {
    let mut writer = ObjectWriter::new();
    for (key, value) in params.iter().filter(|(key, _)| !is_hop_member(key)) {
        writer = match key {
            "messages" if to < Revision::V2025_11_25 => writer.raw(key, &messages(value, to)?),
            _ => writer.raw(key, value.get()),
        };
    }
    Ok(writer.raw_some("_meta", meta(params).as_ref().map(JsonText::as_str)).finish())
}

/// Each block a message of its own: the same role said several things.
fn messages(list: &RawValue, to: Revision) -> Result<String, Inexpressible> {
    let list = elements(list.get(), usize::MAX).map_err(|_| Inexpressible::Member("messages"))?;
    let mut written = Vec::with_capacity(list.len());
    for message in list {
        let members = Members::read(message).ok_or(Inexpressible::Member("messages"))?;
        let content = members.get("content").ok_or(Inexpressible::Member("messages"))?;
        let blocks = elements(content.get(), usize::MAX).unwrap_or_else(|_| vec![content]);
        for raw in blocks {
            written.push(one(&members, raw, to)?);
        }
    }
    Ok(array(written.iter().map(String::as_str)))
}

fn one(members: &Members<'_>, raw: &RawValue, to: Revision) -> Result<String, Inexpressible> {
    let kind = Members::read(raw).and_then(|block| block.get("type").and_then(string));
    if matches!(kind.as_deref(), Some("tool_use" | "tool_result")) {
        return Err(Inexpressible::Part { what: "a model's use of tools", revision: to });
    }
    let kept = members.iter().filter(|(key, _)| *key != "content");
    let writer = kept.fold(ObjectWriter::new(), |writer, (key, value)| writer.raw(key, value.get()));
    Ok(writer.raw("content", &block(raw, to)).into_string())
}

/// A client's answer to a server's request, in the words of the server's revision: what a model said in several blocks
/// becomes the one block of the servers before 2025-11-25, its texts joined by blank lines. Other answers are the same in
/// all revisions. What belongs to one hop only (`resultType`, `_meta`'s own keys) is not looked at.
pub fn rewrite_response(method: &str, result: &RawValue, to: Revision) -> JsonText {
    let members = Members::read(result).unwrap_or_default();
    let blocks = members.get("content").and_then(|content| elements(content.get(), usize::MAX).ok());
    match blocks {
        Some(blocks) if method == "sampling/createMessage" && to < Revision::V2025_11_25 => {
            let write = |writer: ObjectWriter, (key, value): (&str, &RawValue)| match key {
                "content" => writer.raw(key, &single(&blocks, to)),
                _ => writer.raw(key, value.get()),
            };
            members.iter().fold(ObjectWriter::new(), write).finish()
        }
        _ => result.into(),
    }
}

fn single(blocks: &[&RawValue], to: Revision) -> String {
    if let [only] = blocks {
        return block(only, to);
    }
    let text = |raw: &&RawValue| {
        let members = Members::read(raw)?;
        members.get("text").and_then(string).map(std::borrow::Cow::into_owned)
    };
    let texts: Vec<String> = blocks.iter().filter_map(text).collect();
    ObjectWriter::new().text("type", "text").text("text", &texts.join("\n\n")).into_string()
}
