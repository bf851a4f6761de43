//! `elicitation/create` between revisions (2025-06-18, 2025-11-25, 2026-07-28; client/elicitation).

use super::{Asked, Inexpressible, is_hop_member, meta};
use crate::{
    Era, Revision,
    json::{JsonText, Members, ObjectWriter, array, elements, is_object, string},
};
use serde_json::value::RawValue;

/// Whether it sends the person to a page.
pub(super) fn is_by_url(params: &Members<'_>) -> bool {
    params.get_some("mode").and_then(string).as_deref() == Some("url")
}

/// Params of one by URL.
pub(super) fn by_url(params: &Members<'_>, to: &Asked<'_>) -> Result<JsonText, Inexpressible> {
    let text = |key| params.get_some(key).and_then(string);
    let url = text("url").ok_or(Inexpressible::Member("url"))?;
    let message = text("message").ok_or(Inexpressible::Member("message"))?;
    let id = text("elicitationId").unwrap_or(to.elicitation_id.into());
    Ok(ObjectWriter::new()
        .text("mode", "url")
        .text("message", &message)
        .text("url", &url)
        .text_some("elicitationId", (to.revision.era() == Era::Legacy).then_some(&*id))
        .raw_some("_meta", meta(params).as_ref().map(JsonText::as_str))
        .finish())
}

/// Params of one by form.
pub(super) fn form(params: &Members<'_>, to: Revision) -> Result<JsonText, Inexpressible> {
    if params.get_some("message").and_then(string).is_none() {
        return Err(Inexpressible::Member("message"));
    }
    let schema = params.get_some("requestedSchema").filter(|schema| is_object(schema));
    let schema = schema.ok_or(Inexpressible::Member("requestedSchema"))?;
    let schema = if to < Revision::V2025_11_25 { plain(schema, to)? } else { schema.get().to_owned() };
    let mode = (to >= Revision::V2025_11_25).then_some("form");
    let kept = params.iter().filter(|(key, _)| !matches!(*key, "mode" | "requestedSchema" | "elicitationId"));
    let kept = kept.filter(|(key, _)| !is_hop_member(key));
    let writer = ObjectWriter::new().text_some("mode", mode);
    let writer = kept.fold(writer, |writer, (key, value)| writer.raw(key, value.get()));
    let writer = writer.raw("requestedSchema", &schema);
    Ok(writer.raw_some("_meta", meta(params).as_ref().map(JsonText::as_str)).finish())
}

/// A schema in the words of 2025-06-18.
fn plain(schema: &RawValue, to: Revision) -> Result<String, Inexpressible> {
    let members = Members::read(schema).unwrap_or_default();
    let mut writer = ObjectWriter::new();
    for (key, value) in members.iter() {
        writer = match (key, Members::read(value)) {
            ("properties", Some(properties)) => writer.raw(key, &plain_properties(&properties, to)?),
            _ => writer.raw(key, value.get()),
        };
    }
    Ok(writer.into_string())
}

fn plain_properties(properties: &Members<'_>, to: Revision) -> Result<String, Inexpressible> {
    let mut writer = ObjectWriter::new();
    for (name, property) in properties.iter() {
        writer = writer.raw(name, &plain_property(property, to)?);
    }
    Ok(writer.into_string())
}

/// `oneOf` of constants with titles is `enum` with `enumNames` there; a list of choices is not at all.
fn plain_property(property: &RawValue, to: Revision) -> Result<String, Inexpressible> {
    let members = Members::read(property).unwrap_or_default();
    if members.get("type").and_then(string).as_deref() == Some("array") {
        return Err(Inexpressible::Part { what: "a choice of several values", revision: to });
    }
    let Some(choices) = members.get("oneOf") else { return Ok(property.get().to_owned()) };
    let choices = elements(choices.get(), usize::MAX).map_err(|_| Inexpressible::Member("oneOf"))?;
    let choices: Vec<_> =
        choices.into_iter().map(|choice| Members::read(choice).unwrap_or_default()).collect();
    let all = |key: &str, instead: &str| {
        let one = |choice: &Members<'_>| {
            choice.get(key).or_else(|| choice.get(instead)).map(|value| value.get().to_owned())
        };
        choices.iter().map(one).collect::<Option<Vec<String>>>()
    };
    let values = all("const", "const").ok_or(Inexpressible::Member("oneOf"))?;
    let names = all("title", "const").ok_or(Inexpressible::Member("oneOf"))?;
    let kept = members.iter().filter(|(key, _)| *key != "oneOf");
    let writer = kept.fold(ObjectWriter::new(), |writer, (key, value)| writer.raw(key, value.get()));
    let writer = writer.raw("enum", &array(values.iter().map(String::as_str)));
    Ok(writer.raw("enumNames", &array(names.iter().map(String::as_str))).into_string())
}
