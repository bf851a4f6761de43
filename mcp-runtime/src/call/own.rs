//! Prompts, resources and completions of our own: the results of requests that nobody else is asked for. Pure.

use super::{CallError, Named, Outcome};
use crate::{
    catalog::offers::{NotCompletable, Offers, Reference},
    exchange::Ask,
};
use serde_json::{Map, Value, json, value::RawValue, value::to_raw_value};

/// The result of a request that is routed to ourselves.
///
/// # Errors
/// [`CallError::Unknown`], [`CallError::InvalidArguments`].
pub(super) fn carry_out(offers: &Offers, ask: &Ask) -> Result<Outcome, CallError> {
    let result = match ask {
        Ask::GetPrompt { name, arguments } => prompt(offers, name, arguments.as_deref())?,
        Ask::ReadResource { uri } => {
            let contents = offers.resource(uri).and_then(|resource| resource.read(uri));
            format!("{{\"contents\":{}}}", contents.ok_or_else(|| unknown(Named::Resource, uri))?.as_str())
        }
        Ask::Complete { reference, argument, .. } => completion(offers, reference, argument)?,
        // Neither is routed to ourselves.
        Ask::CallTool { name, .. } | Ask::Task { tool: name, .. } => {
            return Err(unknown(Named::Tool, name));
        }
    };
    RawValue::from_string(result)
        .map(Outcome::Forwarded)
        .map_err(|error| invalid(ask.method(), error.to_string()))
}

fn prompt(offers: &Offers, name: &str, arguments: Option<&RawValue>) -> Result<String, CallError> {
    let prompt = offers.prompt(name).ok_or_else(|| unknown(Named::Prompt, name))?;
    let arguments: Map<String, Value> = match arguments {
        None => Map::new(),
        Some(raw) => serde_json::from_str(raw.get()).map_err(|error| invalid(name, error.to_string()))?,
    };
    let messages = prompt.render(&arguments).map_err(|problems| invalid(name, problems.to_string()))?;
    Ok(match &prompt.config.description {
        Some(text) => format!("{{\"description\":{},\"messages\":{}}}", json!(text), messages.as_str()),
        None => format!("{{\"messages\":{}}}", messages.as_str()),
    })
}

fn completion(offers: &Offers, reference: &RawValue, argument: &RawValue) -> Result<String, CallError> {
    let refuse = |problems: String| invalid("completion/complete", problems);
    let reference: Value =
        serde_json::from_str(reference.get()).map_err(|error| refuse(error.to_string()))?;
    let argument: Value = serde_json::from_str(argument.get()).map_err(|error| refuse(error.to_string()))?;
    let text = |of: &Value, key: &str| of.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (name, uri) = (text(&reference, "name"), text(&reference, "uri"));
    let wanted = match reference.get("type").and_then(Value::as_str) {
        Some("ref/prompt") => Reference::Prompt(&name),
        _ => Reference::Resource(&uri),
    };
    let found = offers.complete(wanted, &text(&argument, "name"), &text(&argument, "value"));
    let found = found.map_err(|error: NotCompletable| refuse(error.to_string()))?;
    let completion = json!({"values": found.values, "total": found.total, "hasMore": found.has_more()});
    to_raw_value(&json!({"completion": completion}))
        .map(|raw| raw.get().to_owned())
        .map_err(|error| refuse(error.to_string()))
}

fn unknown(kind: Named, name: &str) -> CallError {
    CallError::Unknown { kind, name: name.to_owned() }
}

fn invalid(what: &str, problems: String) -> CallError {
    CallError::InvalidArguments { tool: what.to_owned(), problems }
}
