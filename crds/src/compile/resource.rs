//! One resource of a server.

use super::{
    offer,
    prompt::{role, template},
    report::{Reason, Scope},
};
use crate::v1alpha1::Resource;
use mcpfleet_config::{self as config, ResourceAddress, ResourceContent, uri_pattern::UriPattern};

/// The resource, or `None` when it is refused. `before` are those in front of it.
pub(super) fn compile(
    scope: &mut Scope<'_>,
    at: &str,
    resource: &Resource,
    before: &[config::Resource],
) -> Option<config::Resource> {
    let annotations = resource.annotations.clone().unwrap_or_default();
    let address = match (&resource.uri, &resource.uri_template) {
        (Some(uri), None) => fixed(scope, at, resource, uri)?,
        (None, Some(uri_template)) => by_template(scope, at, resource, uri_template)?,
        _ => {
            let message = "needs exactly one of uri and uriTemplate";
            scope.error(at, Reason::InvalidContent, message, "set one of them");
            return None;
        }
    };
    let compiled = config::Resource {
        name: resource.name.clone(),
        title: resource.title.clone(),
        description: resource.description.clone(),
        address,
        mime_type: resource.mime_type.clone(),
        annotations: config::ResourceAnnotations {
            audience: annotations.audience.into_iter().map(role).collect(),
            priority: annotations.priority,
        },
        scopes: resource.scopes.clone(),
    };
    offer::report(scope, at, compiled.flaws());
    refuse_repeat(scope, at, &compiled, before);
    scope.clean().then_some(compiled)
}

fn fixed(scope: &mut Scope<'_>, at: &str, resource: &Resource, uri: &str) -> Option<ResourceAddress> {
    if !resource.variables.is_empty() {
        let remedy = "leave them out, or write uriTemplate for uri";
        scope.error(&format!("{at}.variables"), Reason::InvalidContent, "belong to a uriTemplate", remedy);
    }
    let content = match (&resource.content.text, &resource.content.blob) {
        (Some(text), None) => ResourceContent::Text(text.clone()),
        (None, Some(blob)) => ResourceContent::Blob(blob.clone()),
        _ => {
            let message = "needs exactly one of text and blob";
            scope.error(&format!("{at}.content"), Reason::InvalidContent, message, "set one of them");
            return None;
        }
    };
    Some(ResourceAddress::Fixed { uri: uri.to_owned(), content })
}

fn by_template(
    scope: &mut Scope<'_>,
    at: &str,
    resource: &Resource,
    source: &str,
) -> Option<ResourceAddress> {
    let pattern = source.parse::<UriPattern>().map_err(|error| {
        let remedy = "write {name} where the URIs differ, such as shop://tiers/{tier}";
        scope.error(&format!("{at}.uriTemplate"), Reason::InvalidTemplate, error.to_string(), remedy);
    });
    let text = if let (Some(text), None) = (&resource.content.text, &resource.content.blob) {
        template(scope, &format!("{at}.content.text"), text)
    } else {
        let message = "a uriTemplate needs text, and no blob: that would be the same for every URI";
        scope.error(&format!("{at}.content"), Reason::InvalidContent, message, "set text only");
        None
    };
    let variables = resource.variables.iter().map(|variable| config::ResourceVariable {
        name: variable.name.clone(),
        values: variable.values.clone(),
    });
    Some(ResourceAddress::Template { pattern: pattern.ok()?, variables: variables.collect(), text: text? })
}

/// Of two resources with one URI, or one template, the second could never be read.
fn refuse_repeat(scope: &mut Scope<'_>, at: &str, resource: &config::Resource, before: &[config::Resource]) {
    let (field, own) = key(resource);
    if let Some(first) = before.iter().find(|other| key(other) == (field, own)) {
        let message = format!("{own:?} is taken by resource {}", first.name);
        scope.error(
            &format!("{at}.{field}"),
            Reason::DuplicateName,
            message,
            "give each resource a URI of its own",
        );
    }
}

fn key(resource: &config::Resource) -> (&'static str, &str) {
    match &resource.address {
        ResourceAddress::Fixed { uri, .. } => ("uri", uri),
        ResourceAddress::Template { pattern, .. } => ("uriTemplate", pattern.as_str()),
    }
}
