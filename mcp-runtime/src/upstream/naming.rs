//! What an upstream offers under the names that it has here: tools and prompts get its prefix, URIs are the upstream's own.

use super::{
    connection::Listing,
    offer::{Offers, UpstreamOffer, UpstreamTool},
};
use mcpfleet_config::{Upstream, tool_name};
use mcpfleet_protocol::{Revision, Tool, answer::Definition};
use serde_json::value::RawValue;
use std::collections::BTreeSet;

/// Longest message about what was left out, in characters.
const MAX_MESSAGE: usize = 500;

/// The offer as it is exposed, and a message about what cannot be.
pub(super) fn expose(upstream: &Upstream, listing: Listing) -> (Offers, Option<String>) {
    let Listing { tools, prompts, resources, templates, mut notes } = listing;
    let own = |key: &str| key.to_owned();
    let prefixed = |key: &str| format!("{}{key}", upstream.prefix);
    let offers = Offers {
        tools: expose_tools(upstream, tools, &mut notes),
        prompts: expose_all(upstream, prompts, (prefixed, "prompt"), &mut notes),
        resources: expose_all(upstream, resources, (own, "resource"), &mut notes),
        templates: expose_all(upstream, templates, (own, "resource template"), &mut notes),
    };
    (offers, message(&notes))
}

fn expose_tools(upstream: &Upstream, tools: Vec<Tool>, notes: &mut Vec<String>) -> Vec<UpstreamTool> {
    let mut names = BTreeSet::new();
    let mut exposed = Vec::with_capacity(tools.len());
    for mut tool in tools {
        let exposed_name = format!("{}{}", upstream.prefix, tool.name);
        if let Some(reason) = tool_name::refusal(&exposed_name) {
            notes.push(format!("tool {exposed_name:?} {reason}"));
            continue;
        }
        if !names.insert(exposed_name.clone()) {
            notes.push(format!("tool {exposed_name:?} is listed twice"));
            continue;
        }
        let name = std::mem::replace(&mut tool.name, exposed_name.clone());
        // The modern form is the fuller one; what a legacy client must not see is left out when it asks.
        if let Some(definition) = raw(tool.write(Revision::LATEST_MODERN).as_str()) {
            exposed.push(UpstreamTool { upstream: upstream.name.clone(), name, exposed_name, definition });
        }
    }
    exposed
}

fn expose_all(
    upstream: &Upstream,
    definitions: Vec<Definition>,
    (exposed_key, what): (impl Fn(&str) -> String, &str),
    notes: &mut Vec<String>,
) -> Vec<UpstreamOffer> {
    let mut keys = BTreeSet::new();
    let mut exposed = Vec::with_capacity(definitions.len());
    for definition in definitions {
        let key = definition.key.clone();
        if !keys.insert(key.clone()) {
            notes.push(format!("{what} {key:?} is listed twice"));
            continue;
        }
        let exposed_key = exposed_key(&key);
        let renamed = definition.renamed(&exposed_key);
        if let Some(definition) = raw(renamed.write(Revision::LATEST_MODERN).as_str()) {
            exposed.push(UpstreamOffer { upstream: upstream.name.clone(), key, exposed_key, definition });
        }
    }
    exposed
}

fn raw(text: &str) -> Option<Box<RawValue>> {
    RawValue::from_string(text.to_owned()).ok()
}

fn message(notes: &[String]) -> Option<String> {
    let all = format!("left out: {}", notes.join("; "));
    let short = || format!("{}… ({} in all)", all.chars().take(MAX_MESSAGE).collect::<String>(), notes.len());
    match notes {
        [] => None,
        _ if all.chars().count() <= MAX_MESSAGE => Some(all),
        _ => Some(short()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mcpfleet_config::{UpstreamTools, UpstreamTransport};
    use mcpfleet_protocol::Tool;
    use serde_json::{Value, json};

    fn upstream(prefix: &str) -> Upstream {
        let transport =
            UpstreamTransport::StreamableHttp { url: "http://crm/mcp".into(), headers: Vec::new() };
        Upstream {
            name: "crm".into(),
            prefix: prefix.into(),
            transport,
            timeout_ms: 1000,
            scopes: Vec::new(),
            tools: UpstreamTools::default(),
        }
    }

    fn listing(tools: &[Value]) -> Listing {
        let read = |tool: &Value| Tool::read(&RawValue::from_string(tool.to_string()).unwrap()).unwrap();
        Listing { tools: tools.iter().map(read).collect(), ..Listing::default() }
    }

    fn tool(name: &str) -> Value {
        json!({"name": name, "inputSchema": {"type": "object"}})
    }

    #[test]
    fn only_the_name_of_a_definition_changes() {
        let mut original = tool("search");
        original["icons"] = json!([{"src": "https://x/i.png"}]);
        original["_meta"] = json!({"ui": {"a": 1}});
        original["outputSchema"] = json!({"type": "array"});
        let (Offers { tools, .. }, message) = expose(&upstream("crm_"), listing(&[original.clone()]));
        assert_eq!(
            (tools[0].name.as_str(), tools[0].exposed_name.as_str(), message),
            ("search", "crm_search", None)
        );
        original["name"] = json!("crm_search");
        assert_eq!(serde_json::from_str::<Value>(tools[0].definition.get()).unwrap(), original);
    }

    #[test]
    fn names_that_become_illegal_or_stand_twice_are_left_out_and_told() {
        let long = "x".repeat(126);
        let (Offers { tools, .. }, message) =
            expose(&upstream("crm_"), listing(&[tool("a"), tool(&long), tool("b c"), tool("a")]));
        let message = message.unwrap();
        assert_eq!(tools.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>(), ["a"]);
        assert!(message.contains("130 characters") && message.contains("\"crm_b c\""), "{message}");
        assert!(message.contains("\"crm_a\" is listed twice"), "{message}");
    }

    #[test]
    fn the_message_is_bounded() {
        let tools: Vec<Value> = (0..1000).map(|n| tool(&format!("ä{n}"))).collect();
        let (_, message) = expose(&upstream(""), listing(&tools));
        let message = message.unwrap();
        assert!(message.chars().count() < 600 && message.ends_with("(1000 in all)"), "{message}");
    }
}
