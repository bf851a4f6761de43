use super::*;
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

fn offers(prompts: &Value, resources: &Value) -> Result<Offers, Unservable> {
    let config = json!({
        "format": 3, "server": {"namespace": "a", "name": "b"}, "listener": {"tls": null, "allowedOrigins": []},
        "access": "Anonymous", "admission": {"concurrency": 1, "queueLength": 0, "queueTimeoutMs": 1},
        "tools": [], "prompts": prompts, "resources": resources, "upstreams": [], "providers": [],
        "servesModels": false,
    });
    Offers::prepare(&serde_json::from_value(config).unwrap())
}

fn shop(values: &[String]) -> Offers {
    offers(
        &json!([{
            "name": "greet", "messages": [{"role": "user", "content": {"text": "{{who}}"}}],
            "arguments": [{"name": "who", "required": true, "values": values}, {"name": "free", "required": false}],
        }]),
        &json!([
            {"name": "policy", "address": {"fixed": {"uri": "shop://policy", "content": {"text": "30 days"}}}},
            {"name": "tier", "address": {"template": {
                "pattern": "shop://tiers/{tier}/{year}", "text": "{{tier}}",
                "variables": [{"name": "tier", "values": ["bronze", "silver", "gold"]}],
            }}},
        ]),
    )
    .unwrap()
}

fn complete(reference: Reference<'_>, argument: &str, typed: &str) -> Result<Vec<String>, NotCompletable> {
    let values = ["Ada", "Grace", "Alan", "Mona"].map(String::from);
    shop(&values).complete(reference, argument, typed).map(|completion| completion.values)
}

#[test]
fn values_that_begin_with_it_come_before_those_that_contain_it() {
    let of = |typed| complete(Reference::Prompt("greet"), "who", typed).unwrap();
    assert_eq!(of("a"), ["Ada", "Alan", "Grace", "Mona"]);
    assert_eq!(of("AL"), ["Alan"]);
    assert_eq!(of(""), ["Ada", "Grace", "Alan", "Mona"]);
    assert_eq!(of("z"), [""; 0]);
}

#[test]
fn variables_of_a_template_are_completed_by_its_uri() {
    let template = Reference::Resource("shop://tiers/{tier}/{year}");
    assert_eq!(complete(template, "tier", "g").unwrap(), ["gold"]);
    assert_eq!(complete(template, "year", "2"), Ok(vec![]));
    assert_eq!(complete(Reference::Prompt("greet"), "free", "x"), Ok(vec![]));
}

#[test]
fn what_is_not_there_is_told_apart() {
    assert_eq!(complete(Reference::Prompt("nobody"), "who", ""), Err(NotCompletable::UnknownPrompt));
    assert_eq!(complete(Reference::Prompt("greet"), "whom", ""), Err(NotCompletable::UnknownArgument));
    assert_eq!(complete(Reference::Resource("shop://policy"), "a", ""), Err(NotCompletable::UnknownArgument));
    assert_eq!(complete(Reference::Resource("shop://x/{y}"), "y", ""), Err(NotCompletable::UnknownResource));
}

#[test]
fn prompts_and_resources_are_found() {
    let shop = shop(&[]);
    assert!(shop.prompt("greet").is_some() && shop.prompt("policy").is_none());
    assert_eq!(shop.resource("shop://tiers/gold/2026").unwrap().config.name, "tier");
    assert_eq!(shop.resources(ResourceKind::Resource).count(), 1);
    assert_eq!(shop.resources(ResourceKind::Template).count(), 1);
}

#[test]
fn a_prompt_that_embeds_nothing_is_no_prompt() {
    let lost =
        json!([{"name": "p", "messages": [{"role": "user", "content": {"resource": {"uri": "x://y"}}}]}]);
    let error = offers(&lost, &json!([])).unwrap_err();
    assert!(error.to_string().starts_with("prompts[p].messages"), "{error}");
}

proptest! {
    #[test]
    fn a_completion_is_bounded_and_counts_what_it_leaves_out(values in vec("[ab]{1,3}", 0..300), typed in "[ab]{0,2}") {
        let made = shop(&values).complete(Reference::Prompt("greet"), "who", &typed).unwrap();
        prop_assert_eq!(made.total, values.iter().filter(|value| value.contains(&typed)).count());
        prop_assert_eq!(made.values.len(), made.total.min(MAX_VALUES));
        prop_assert_eq!(made.has_more(), made.total > MAX_VALUES);
        prop_assert!(made.values.iter().all(|value| values.contains(value)));
    }
}
