use super::*;
use proptest::prelude::*;

fn resource(name: &str, more: &Value) -> OwnResource {
    let mut config = json!({"name": name});
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    OwnResource::new(&serde_json::from_value(config).unwrap())
}

fn fixed(uri: &str, content: &Value) -> OwnResource {
    let address = json!({"fixed": {"uri": uri, "content": content}});
    resource("fixed", &json!({"title": "T", "mimeType": "text/plain", "address": address}))
}

fn tier(text: &str) -> OwnResource {
    let address = json!({"template": {"pattern": "shop://tiers/{tier}", "text": text}});
    let annotations = json!({"audience": ["assistant"], "priority": 0.5});
    resource("tier", &json!({"address": address, "annotations": annotations}))
}

fn value(text: &JsonText) -> Value {
    serde_json::from_str(text.as_str()).unwrap()
}

#[test]
fn definitions_are_what_mcp_lists() {
    let policy = fixed("shop://policy", &json!({"text": "30 däys"}));
    assert_eq!(
        value(policy.definition()),
        json!({"name": "fixed", "title": "T", "uri": "shop://policy", "mimeType": "text/plain", "size": 8})
    );
    let annotations = json!({"audience": ["assistant"], "priority": 0.5});
    let tier = tier("x");
    assert_eq!(
        value(tier.definition()),
        json!({"name": "tier", "uriTemplate": "shop://tiers/{tier}", "annotations": annotations})
    );
    assert_eq!((policy.kind(), tier.kind()), (ResourceKind::Resource, ResourceKind::Template));
    assert_eq!(value(fixed("shop://p", &json!({"blob": "aGk="})).definition())["size"], 2);
}

#[test]
fn reading_gives_text_or_bytes() {
    let policy = fixed("shop://policy", &json!({"text": "{{not}} a template"}));
    let contents = json!([{"uri": "shop://policy", "mimeType": "text/plain", "text": "{{not}} a template"}]);
    assert_eq!(value(&policy.read("shop://policy").unwrap()), contents);
    assert_eq!(policy.read("shop://Policy"), None);
    assert_eq!(
        value(&fixed("shop://p", &json!({"blob": "aGk="})).read("shop://p").unwrap())[0]["blob"],
        "aGk="
    );
}

#[test]
fn a_template_reads_with_the_variables_of_the_uri() {
    let contents = value(&tier("Tier {{tier}}").read("shop://tiers/gold%20%7B%7Btier%7D%7D").unwrap());
    assert_eq!(
        contents,
        json!([{"uri": "shop://tiers/gold%20%7B%7Btier%7D%7D", "text": "Tier gold {{tier}}"}])
    );
    assert_eq!(tier("x").read("shop://tiers/"), None);
}

#[test]
fn a_fixed_resource_goes_before_a_template() {
    let resources = [tier("any"), fixed("shop://tiers/gold", &json!({"text": "the one"}))];
    assert_eq!(read(&resources, "shop://tiers/gold").unwrap()["text"], "the one");
    assert_eq!(read(&resources, "shop://tiers/silver").unwrap()["text"], "any");
    assert_eq!(read(&resources, "shop://other"), None);
}

#[test]
fn the_largest_template_and_uri_stay_within_the_limit() {
    let uri = format!("shop://tiers/{}", "x".repeat(2_000));
    let text = format!("{}{}", "{{tier}}".repeat(256), "y".repeat(60_000));
    assert!(tier(&text).read(&uri).is_some());
}

proptest! {
    #[test]
    fn a_variable_is_never_read_as_template(value in "[{}a-z\\\\ é]{1,12}") {
        let encoded: Vec<String> = value.bytes().map(|b| format!("%{b:02X}")).collect();
        let encoded = encoded.concat();
        let made = tier("<{{tier}}>").read(&format!("shop://tiers/{encoded}")).unwrap();
        let made: Value = serde_json::from_str(made.as_str()).unwrap();
        let expected = format!("<{value}>");
        prop_assert_eq!(made[0]["text"].as_str(), Some(expected.as_str()));
    }
}
