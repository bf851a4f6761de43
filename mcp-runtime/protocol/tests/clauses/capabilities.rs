//! What clients and servers can do, in the shape of each revision.

use crate::value;
use mcpfleet_protocol::{
    Capability, ClientCapabilities, ListChanges, Offered, ResourcesOffer, Revision, ServerCapabilities,
    jsonrpc::Id, server::Refusal,
};
use serde_json::{json, value::RawValue};

fn raw(value: &serde_json::Value) -> Box<RawValue> {
    RawValue::from_string(value.to_string()).unwrap()
}

fn client(value: &serde_json::Value) -> ClientCapabilities {
    ClientCapabilities::read(&raw(value))
}

#[test]
fn elicitation_without_modes_means_forms() {
    for (declared, form, url) in [
        (json!({"elicitation": {}}), true, false),
        (json!({"elicitation": {"form": {}}}), true, false),
        (json!({"elicitation": {"url": {}}}), false, true),
        (json!({"elicitation": {"form": {}, "url": {}}}), true, true),
        (json!({"elicitation": true}), false, false),
        (json!({}), false, false),
    ] {
        let read = client(&declared);
        let found = (read.has(Capability::ElicitationForm), read.has(Capability::ElicitationUrl));
        assert_eq!(found, (form, url), "{declared}");
    }
}

#[test]
fn each_revision_is_told_what_it_knows() {
    let all = Capability::ALL.into_iter().fold(ClientCapabilities::default(), ClientCapabilities::with);
    let written = |revision| value(all.write(revision).as_str());
    let older = json!({"roots": {"listChanged": true}, "sampling": {}});
    assert_eq!(written(Revision::V2024_11_05), older);
    assert_eq!(written(Revision::V2025_03_26), older);
    let elicits = json!({"roots": {"listChanged": true}, "sampling": {}, "elicitation": {}});
    assert_eq!(written(Revision::V2025_06_18), elicits);
    let parts = json!({"tools": {}, "context": {}});
    let modes = json!({"form": {}, "url": {}});
    assert_eq!(
        written(Revision::V2025_11_25),
        json!({"roots": {"listChanged": true}, "sampling": parts, "elicitation": modes})
    );
    assert_eq!(written(Revision::V2026_07_28), json!({"roots": {}, "sampling": parts, "elicitation": modes}));
    let by_url = ClientCapabilities::default().with(Capability::ElicitationUrl);
    assert_eq!(by_url.write(Revision::V2025_06_18).as_str(), "{}", "there it would mean forms");
}

#[test]
fn extensions_are_kept_as_they_came() {
    let declared = json!({"extensions": {"io.modelcontextprotocol/ui": {"mimeTypes": ["text/html"]}}});
    let read = client(&declared);
    assert!(read.has_extension("io.modelcontextprotocol/ui"));
    assert!(!read.has_extension("io.modelcontextprotocol/tasks"));
    assert_eq!(value(read.write(Revision::V2026_07_28).as_str()), declared);
}

#[test]
fn a_request_is_allowed_by_what_was_declared() {
    let none = ClientCapabilities::default();
    let params = |value| Some(raw(&value));
    for (method, params, declared, required) in [
        ("roots/list", None, json!({"roots": {}}), json!({"roots": {}})),
        ("sampling/createMessage", params(json!({})), json!({"sampling": {}}), json!({"sampling": {}})),
        (
            "sampling/createMessage",
            params(json!({"tools": []})),
            json!({"sampling": {"tools": {}}}),
            json!({"sampling": {"tools": {}}}),
        ),
        (
            "elicitation/create",
            params(json!({"message": "m"})),
            json!({"elicitation": {}}),
            json!({"elicitation": {"form": {}}}),
        ),
        (
            "elicitation/create",
            params(json!({"mode": "url"})),
            json!({"elicitation": {"url": {}}}),
            json!({"elicitation": {"url": {}}}),
        ),
    ] {
        let params = params.as_deref();
        assert!(client(&declared).allows(method, params), "{method} {declared}");
        assert_eq!(client(&declared).missing_for(method, params), None);
        assert!(!none.allows(method, params));
        assert_eq!(value(none.missing_for(method, params).unwrap().as_str()), required);
    }
    assert!(none.allows("ping", None));
    assert!(!none.allows("tools/call", None), "no request of a server's");
    assert!(
        !client(&json!({"elicitation": {}}))
            .allows("elicitation/create", params(json!({"mode": "x"})).as_deref())
    );
}

#[test]
fn what_is_missing_is_said_with_400() {
    let required = ClientCapabilities::default().missing_for("roots/list", None).unwrap();
    let refusal = Refusal::missing_capability(&Id::number(1), &required);
    let body = value(refusal.body());
    assert_eq!((refusal.status().as_u16(), body["error"]["code"].as_i64()), (400, Some(-32021)));
    assert_eq!(body["error"]["data"], json!({"requiredCapabilities": {"roots": {}}}));
}

#[test]
fn a_server_offers_what_the_revision_has_words_for() {
    let offered = json!({
        "logging": {}, "completions": {}, "prompts": {}, "tools": {"listChanged": true},
        "resources": {"listChanged": true, "subscribe": true}, "extensions": {"a/b": {}},
    });
    let read = ServerCapabilities::read(&raw(&offered));
    let want = ServerCapabilities {
        tools: Some(ListChanges::Announced),
        prompts: Some(ListChanges::Silent),
        resources: Some(ResourcesOffer { changes: ListChanges::Announced, subscribe: Offered::Yes }),
        completions: Offered::Yes,
        logging: Offered::Yes,
        extensions: read.extensions.clone(),
    };
    assert_eq!(read, want);
    assert_eq!(value(read.write(Revision::V2026_07_28).as_str()), offered);
    let first = value(read.write(Revision::V2024_11_05).as_str());
    assert_eq!((first.get("completions"), first.get("extensions")), (None, None));
    assert_eq!(first["resources"], offered["resources"]);
}
