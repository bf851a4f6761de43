//! Prompts and resources, and strategies that make odd ones.

use super::{
    fleets::{Fleet, server, tool},
    properties::word,
};
use crate::{
    compile::{Compiled, Reason},
    v1alpha1::{
        EmbeddedResource, Image, Prompt, PromptArgument, PromptMessage, Resource, ResourceAnnotations,
        ResourceContent, ResourceVariable, Role,
    },
};
use mcpfleet_config::{ResourceAddress, RuntimeConfig};
use proptest::{collection::vec, option, prelude::*, sample::select};

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => select(vec!["{{a}} and {{id}}", "{{a", "{{nobody}}", "plain", "\\{{a}}"]).prop_map(String::from),
        1 => word(),
    ]
}

fn uri() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(vec!["shop://a", "shop://b", "shop://{a}", "shop://{a}/{id}", "{a}://b", "shop://{a"]).prop_map(String::from),
        1 => word(),
    ]
}

fn data() -> impl Strategy<Value = String> {
    prop_oneof![3 => Just("aGk=".to_owned()), 1 => word()]
}

fn message() -> impl Strategy<Value = PromptMessage> {
    let resource = option::weighted(0.3, uri().prop_map(|uri| EmbeddedResource { uri }));
    let image = (data(), select(vec!["image/png", "text/plain", ""]));
    let image = image.prop_map(|(data, mime_type)| Image { data, mime_type: mime_type.into() });
    (option::weighted(0.7, text()), resource, option::weighted(0.2, image))
        .prop_map(|(text, resource, image)| PromptMessage { role: Role::User, text, resource, image })
}

pub(super) fn prompt() -> impl Strategy<Value = Prompt> {
    let argument = (word(), any::<bool>(), vec(word(), 0..3)).prop_map(|(name, required, values)| {
        PromptArgument { name, title: None, description: None, required, values }
    });
    (word(), vec(argument, 0..3), vec(message(), 0..3), vec(word(), 0..2)).prop_map(
        |(name, arguments, messages, scopes)| Prompt {
            name,
            title: None,
            description: None,
            arguments,
            messages,
            scopes,
        },
    )
}

pub(super) fn resource() -> impl Strategy<Value = Resource> {
    let variables = vec((word(), vec(word(), 0..2)), 0..2).prop_map(|variables| {
        variables.into_iter().map(|(name, values)| ResourceVariable { name, values }).collect()
    });
    let content = (option::weighted(0.8, text()), option::weighted(0.2, data()));
    let priority = option::of(select(vec![0.0, 0.5, -0.0, 1.5, f64::NAN, f64::INFINITY]));
    let annotations = option::of(
        priority.prop_map(|priority| ResourceAnnotations { audience: vec![Role::Assistant], priority }),
    );
    let addresses = (option::weighted(0.6, uri()), option::weighted(0.4, uri()));
    (word(), addresses, variables, option::of(word()), annotations, content, vec(word(), 0..2)).prop_map(
        |(name, (uri, uri_template), variables, mime_type, annotations, (text, blob), scopes)| Resource {
            name,
            title: None,
            description: None,
            uri,
            uri_template,
            variables,
            mime_type,
            annotations,
            content: ResourceContent { text, blob },
            scopes,
        },
    )
}

const POLICY: &str = "{name: policy, uri: 'shop://policy', content: {text: 30 days}}";
const TIER: &str = "{name: tier, uriTemplate: 'shop://tiers/{id}', variables: [{name: id, values: [gold]}], content: {text: 'Tier {{id}}'}}";
const GREET: &str = "{name: greet, arguments: [{name: who, required: true}], \
                     messages: [{role: User, text: 'Greet {{who}}.'}, {role: User, resource: {uri: 'shop://tiers/gold'}}]}";

fn offering(prompts: &[&str], resources: &[&str]) -> Compiled {
    let spec = format!("prompts: [{}]\n  resources: [{}]", prompts.join(", "), resources.join(", "));
    Fleet::of(server("shop", &spec)).compile().unwrap()
}

fn refusals(compiled: &Compiled) -> Vec<(&str, Reason)> {
    compiled.report.errors().map(|finding| (finding.field.as_str(), finding.reason)).collect()
}

#[test]
fn a_server_with_prompts_and_resources_alone_serves() {
    let compiled = offering(&[GREET], &[TIER, POLICY]);
    assert_eq!(refusals(&compiled), []);
    let config = &compiled.config;
    assert_eq!((config.format, config.prompts.len(), config.tools.len()), (3, 1, 0));
    assert_eq!(config.resources[0].name, "policy");
    assert!(matches!(config.resources[1].address, ResourceAddress::Template { .. }));
    assert_eq!(RuntimeConfig::decode(compiled.encoded.json.as_bytes()).unwrap(), compiled.config);
}

#[test]
fn a_server_without_any_needs_no_newer_runtime() {
    assert_eq!(Fleet::shop().tool(tool("a")).compile().unwrap().config.format, 1);
}

#[test]
fn a_placeholder_that_nothing_fills_is_named_with_its_place() {
    let odd = GREET.replace("Greet {{who}}.", "Greet {{whom}}.");
    let compiled = offering(&[&odd], &[TIER]);
    assert_eq!(refusals(&compiled), [("spec.prompts[greet].messages[0].text", Reason::UnknownArgument)]);
    let finding = compiled.report.errors().next().unwrap();
    assert!(finding.message.contains("{{whom}}") && finding.object.name == "shop", "{finding}");
    assert_eq!(compiled.config.prompts, []);
    assert_eq!(compiled.config.resources.len(), 1);
    let odd = TIER.replace("Tier {{id}}", "Tier {{tier}}");
    let compiled = offering(&[], &[&odd]);
    assert_eq!(refusals(&compiled), [("spec.resources[tier].content.text", Reason::UnknownArgument)]);
}

#[test]
fn broken_templates_are_told_from_unknown_names() {
    let compiled = offering(
        &[&GREET.replace("{{who}}", "{{who")],
        &[&TIER.replace("{id}'", "{id'"), &POLICY.replace("shop://policy", "policy")],
    );
    assert_eq!(
        refusals(&compiled),
        [
            ("spec.prompts[greet].messages[0].text", Reason::InvalidTemplate),
            ("spec.resources[policy].uri", Reason::InvalidUrl),
            ("spec.resources[tier].uriTemplate", Reason::InvalidTemplate),
        ]
    );
}

#[test]
fn a_prompt_embeds_only_what_is_served_and_what_its_callers_may_read() {
    assert_eq!(
        refusals(&offering(&[GREET], &[])),
        [("spec.prompts[greet].messages[1].resource.uri", Reason::ResourceNotFound)]
    );
    let guarded = TIER.replace("{name: tier,", "{name: tier, scopes: [tiers.read],");
    assert_eq!(
        refusals(&offering(&[GREET], &[&guarded])),
        [("spec.prompts[greet].messages[1].resource.uri", Reason::InvalidScope)]
    );
    let asking = GREET.replace("{name: greet,", "{name: greet, scopes: [tiers.read],");
    assert_eq!(refusals(&offering(&[&asking], &[&guarded])), []);
}

#[test]
fn names_and_uris_belong_to_the_first() {
    let compiled = offering(&[GREET, GREET], &[TIER, POLICY, &POLICY.replace("name: policy", "name: other")]);
    assert_eq!(
        refusals(&compiled),
        [
            ("spec.prompts[greet].name", Reason::DuplicateName),
            ("spec.resources[other].uri", Reason::DuplicateName),
        ]
    );
    assert_eq!((compiled.config.prompts.len(), compiled.config.resources.len()), (1, 2));
}

#[test]
fn content_is_exactly_one_thing() {
    let both = POLICY.replace("text: 30 days", "text: 30 days, blob: aGk=");
    let none = POLICY.replace("uri: 'shop://policy', ", "").replace("name: policy", "name: none");
    let blob = TIER.replace("text: 'Tier {{id}}'", "blob: aGk=");
    let message =
        GREET.replace("text: 'Greet {{who}}.'", "text: a, image: {data: aGk=, mimeType: image/png}");
    assert_eq!(
        refusals(&offering(&[&message], &[&both, &none, &blob])),
        [
            ("spec.prompts[greet].messages[0]", Reason::InvalidContent),
            ("spec.resources[none]", Reason::InvalidContent),
            ("spec.resources[policy].content", Reason::InvalidContent),
            ("spec.resources[tier].content", Reason::InvalidContent),
        ]
    );
}

#[test]
fn what_does_not_fit_costs_only_itself_and_leaves_tools_their_room() {
    let mut shop = server("shop", &format!("tools: {{selector: {{}}}}\n  resources: [{POLICY}]"));
    for index in 0..6 {
        let mut big = shop.spec.resources[0].clone();
        (big.name, big.uri) = (format!("big-{index}"), Some(format!("shop://big/{index}")));
        big.content.text = Some("x".repeat(65_000));
        shop.spec.resources.push(big);
    }
    let mut fleet = Fleet::of(shop);
    for index in 0..12 {
        let mut big = tool(&format!("big-{index}"));
        big.spec.backend.static_ = Some(crate::v1alpha1::StaticBackend { text: "x".repeat(60_000) });
        fleet = fleet.tool(big);
    }
    let compiled = fleet.compile().unwrap();
    assert_eq!(compiled.config.resources.len(), 5);
    assert!((5..12).contains(&compiled.config.tools.len()));
    assert!(compiled.report.errors().all(|finding| finding.reason == Reason::TooLarge));
}
