use crate::{Prompt, Resource, RuntimeConfig};
use serde_json::{Value, json};

fn resource(more: &Value) -> Resource {
    let mut resource = json!({
        "name": "policy", "address": {"fixed": {"uri": "shop://policy", "content": {"text": "30 days"}}},
    });
    resource.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(resource).unwrap()
}

fn prompt(more: &Value) -> Prompt {
    let mut prompt = json!({
        "name": "greet", "arguments": [{"name": "who", "required": true}],
        "messages": [{"role": "user", "content": {"text": "Greet {{who}}."}}],
    });
    prompt.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(prompt).unwrap()
}

fn of_resource(more: &Value) -> Vec<String> {
    resource(more).flaws().into_iter().map(|flaw| format!("{}: {}", flaw.field, flaw.fault)).collect()
}

fn of_prompt(more: &Value, resources: &[Resource]) -> Vec<String> {
    let flaws = prompt(more).flaws(resources);
    flaws.into_iter().map(|flaw| format!("{}: {}", flaw.field, flaw.fault)).collect()
}

#[test]
fn good_ones_have_no_flaws() {
    assert_eq!(of_resource(&json!({"mimeType": "text/plain", "annotations": {"priority": 1}})), [""; 0]);
    let embedded =
        json!({"messages": [{"role": "assistant", "content": {"resource": {"uri": "shop://policy"}}}]});
    assert_eq!(of_prompt(&embedded, &[resource(&json!({}))]), [""; 0]);
}

#[test]
fn a_placeholder_that_nobody_fills_is_named() {
    let messages = json!({"messages": [{"role": "user", "content": {"text": "{{who}} {{whom}}"}}]});
    assert_eq!(of_prompt(&messages, &[]), ["messages[0].text: uses {{whom}}, which is not declared"]);
    let address = json!({"address": {"template": {
        "pattern": "shop://{id}", "text": "{{id}} {{it}}", "variables": [{"name": "it", "values": []}],
    }}});
    assert_eq!(
        of_resource(&address),
        [
            "content.text: uses {{it}}, which is not declared",
            "variables[0].name: \"it\" is no variable of uriTemplate"
        ]
    );
}

#[test]
fn what_is_embedded_exists_and_needs_no_more_than_the_prompt() {
    let embedded = json!({"messages": [{"role": "user", "content": {"resource": {"uri": "shop://policy"}}}]});
    assert_eq!(
        of_prompt(&embedded, &[]),
        ["messages[0].resource.uri: \"shop://policy\" is no resource of this server"]
    );
    let guarded = resource(&json!({"scopes": ["policy.read"]}));
    assert!(of_prompt(&embedded, std::slice::from_ref(&guarded))[0].contains("policy.read"));
    let mut asking = embedded;
    asking["scopes"] = json!(["policy.read"]);
    assert_eq!(of_prompt(&asking, &[guarded]), [""; 0]);
}

#[test]
fn content_is_what_it_says() {
    let image = |data: &str, kind: &str| json!({"messages": [{"role": "user", "content": {"image": {"data": data, "mimeType": kind}}}]});
    assert_eq!(of_prompt(&image("aGk=", "image/png"), &[]), [""; 0]);
    assert!(of_prompt(&image("aGk", "image/png"), &[])[0].contains("base64"));
    assert!(of_prompt(&image("aGk=", "text/plain"), &[])[0].contains("text/plain"));
    let blob = json!({"address": {"fixed": {"uri": "policy", "content": {"blob": "?"}}}});
    assert_eq!(of_resource(&blob).len(), 2);
    assert_eq!(
        of_resource(&json!({"annotations": {"priority": 1.5}})),
        ["annotations.priority: is outside 0..1"]
    );
}

#[test]
fn names_values_and_scopes_stand_once() {
    let twice = json!({"arguments": [
        {"name": "who", "required": true, "values": ["a", "a", ""]}, {"name": "who", "required": false},
    ]});
    assert_eq!(of_prompt(&twice, &[]).len(), 3);
    assert_eq!(of_prompt(&json!({"scopes": ["a b", "c", "c"]}), &[]).len(), 2);
}

fn config() -> Value {
    json!({
        "format": 3, "server": {"namespace": "a", "name": "b"}, "listener": {"tls": null, "allowedOrigins": []},
        "access": "Anonymous", "admission": {"concurrency": 1, "queueLength": 0, "queueTimeoutMs": 1},
        "tools": [], "upstreams": [], "providers": [], "servesModels": false,
        "resources": [resource(&json!({}))], "prompts": [prompt(&json!({}))],
    })
}

#[test]
fn a_runtime_refuses_what_compile_would() {
    let decode = |config: &Value| RuntimeConfig::decode(config.to_string().as_bytes());
    assert_eq!(decode(&config()).unwrap().oldest_format(), 3);
    let mut older = config();
    older["format"] = json!(2);
    assert!(decode(&older).unwrap_err().to_string().contains("format"));
    let mut twice = config();
    twice["prompts"] = json!([prompt(&json!({})), prompt(&json!({}))]);
    assert!(decode(&twice).unwrap_err().to_string().contains("prompts[greet].name: \"greet\" stands twice"));
    let mut bad = config();
    bad["resources"][0]["mimeType"] = json!("nothing");
    assert!(decode(&bad).unwrap_err().to_string().contains("resources[policy].mimeType"));
}

#[test]
fn a_configuration_without_offers_needs_no_newer_runtime() {
    let mut plain = config();
    plain.as_object_mut().unwrap().retain(|key, _| key != "prompts" && key != "resources");
    plain["format"] = json!(1);
    let read = RuntimeConfig::decode(plain.to_string().as_bytes()).unwrap();
    assert_eq!(read.oldest_format(), 1);
    assert!(!read.encode().unwrap().json.contains("prompts"));
}
