//! What an upstream offers under the names that it has here: tools and prompts get its prefix, URIs are the upstream's own.

use super::{
    approved::Approved,
    connection::Listing,
    notes::Notes,
    offer::{Offers, UpstreamOffer},
    tools::{Choice, choose},
};
use mcpfleet_config::Upstream;
use mcpfleet_protocol::{Revision, answer::Definition};
use serde_json::value::RawValue;
use std::collections::BTreeSet;

/// The offer as it is exposed, and what there is to say of it. Filters are for tools: whoever may see an upstream sees its
/// prompts and resources, for they only read.
pub(super) fn expose(
    upstream: &Upstream,
    listing: &Listing,
    approved: &mut Approved,
) -> (Offers, Option<String>) {
    let Listing { tools, prompts, resources, templates, notes } = listing;
    let mut notes = Notes::of_listing(notes);
    let own = |key: &str| key.to_owned();
    let prefixed = |key: &str| format!("{}{key}", upstream.prefix);
    let Choice { served, missing, withheld } = choose(upstream, tools, approved, &mut notes);
    let offers = Offers {
        tools: served,
        prompts: expose_all(upstream, prompts, (prefixed, "prompt"), &mut notes),
        resources: expose_all(upstream, resources, (own, "resource"), &mut notes),
        templates: expose_all(upstream, templates, (own, "resource template"), &mut notes),
        missing,
        withheld,
    };
    (offers, notes.message())
}

fn expose_all(
    upstream: &Upstream,
    definitions: &[Definition],
    (exposed_key, what): (impl Fn(&str) -> String, &str),
    notes: &mut Notes,
) -> Vec<UpstreamOffer> {
    let mut keys = BTreeSet::new();
    let mut exposed = Vec::with_capacity(definitions.len());
    for definition in definitions {
        let key = definition.key.clone();
        if !keys.insert(key.clone()) {
            notes.left_out(format!("{what} {key:?} is listed twice"));
            continue;
        }
        let exposed_key = exposed_key(&key);
        let renamed = definition.clone().renamed(&exposed_key);
        if let Some(definition) = raw(renamed.write(Revision::LATEST_MODERN).as_str()) {
            exposed.push(UpstreamOffer { upstream: upstream.name.clone(), key, exposed_key, definition });
        }
    }
    exposed
}

fn raw(text: &str) -> Option<Box<RawValue>> {
    RawValue::from_string(text.to_owned()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::offer::UpstreamTool;
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

    fn exposed(prefix: &str, tools: &[Value]) -> (Vec<UpstreamTool>, Option<String>) {
        let (offers, message) = expose(&upstream(prefix), &listing(tools), &mut Approved::default());
        (offers.tools, message)
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
        let (tools, message) = exposed("crm_", &[original.clone()]);
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
        let (tools, message) = exposed("crm_", &[tool("a"), tool(&long), tool("b c"), tool("a")]);
        let message = message.unwrap();
        assert_eq!(tools.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>(), ["a"]);
        assert!(message.contains("130 characters") && message.contains("\"crm_b c\""), "{message}");
        assert!(message.contains("\"crm_a\" is listed twice"), "{message}");
    }

    #[test]
    fn the_message_is_bounded() {
        let tools: Vec<Value> = (0..1000).map(|n| tool(&format!("ä{n}"))).collect();
        let (_, message) = exposed("", &tools);
        let message = message.unwrap();
        assert!(message.chars().count() < 600 && message.ends_with("(1000 in all)"), "{message}");
    }
}
