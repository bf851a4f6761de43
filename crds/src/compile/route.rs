//! Routes: each by itself, then the model names among those of one server.

use super::{
    Inputs,
    auth::{self, Toward},
    report::{Collector, ObjectKey, Reason, Scope, Verdict, namespace_of},
    select,
    upstream::http_url,
};
use crate::v1alpha1::{Provider, ProviderApi, ProviderRoute};
use kube::ResourceExt;
use mcpfleet_config as config;
use std::collections::BTreeMap;

/// The server's providers, sorted by route.
pub(super) fn select_and_compile(inputs: &Inputs<'_>, collector: &mut Collector) -> Vec<config::Provider> {
    let Some(selection) = &inputs.server.spec.models else { return Vec::new() };
    let namespace = namespace_of(inputs.server);
    let mut scope = collector.scope(ObjectKey::server(inputs.server));
    let selected = select::select(&mut scope, "spec.models.selector", selection, &namespace, inputs.routes);
    if selected.is_empty() && scope.clean() {
        select::report_empty(&mut scope, "spec.models.selector", "ProviderRoute", &namespace, selection);
    }
    let any = !selected.is_empty();
    let mut owners: BTreeMap<String, ObjectKey> = BTreeMap::new();
    let mut providers = Vec::new();
    for object in selected {
        let key = ObjectKey::route(object);
        let compiled = compile(object, collector).filter(|made| claim(&mut owners, made, &key, collector));
        collector.verdict(key, if compiled.is_some() { Verdict::Served } else { Verdict::Refused });
        providers.extend(compiled.into_iter().flatten());
    }
    if any && providers.is_empty() {
        let mut scope = collector.scope(ObjectKey::server(inputs.server));
        select::report_all_refused(&mut scope, "spec.models.selector", "ProviderRoute");
    }
    providers.sort_by(|a, b| a.route.cmp(&b.route));
    providers
}

/// A route is served whole or not at all: a model name that an older route has refuses all of it.
fn claim(
    owners: &mut BTreeMap<String, ObjectKey>,
    providers: &[config::Provider],
    key: &ObjectKey,
    collector: &mut Collector,
) -> bool {
    let models = || providers.iter().flat_map(|provider| &provider.models);
    if let Some((model, winner)) = models().find_map(|model| Some((model, owners.get(model)?))) {
        let message = format!("model {model:?} {}", select::owner_sentence(winner));
        let remedy = "remove it from one of them, or select only one";
        collector.scope(key.clone()).error(
            "spec.providers[].models",
            Reason::DuplicateModel,
            message,
            remedy,
        );
        return false;
    }
    owners.extend(models().map(|model| (model.clone(), key.clone())));
    true
}

/// One route, or `None` when it is refused.
pub(super) fn compile(object: &ProviderRoute, collector: &mut Collector) -> Option<Vec<config::Provider>> {
    let mut scope = collector.scope(ObjectKey::route(object));
    if object.spec.providers.len() != 1 {
        let message =
            format!("has {} providers; choosing among several is not built yet", object.spec.providers.len());
        scope.error(
            "spec.providers",
            Reason::NotSupported,
            message,
            "name exactly one provider, and use a route for each",
        );
    }
    let mut models = BTreeMap::new();
    let mut made = Vec::new();
    for provider in &object.spec.providers {
        let at = format!("spec.providers[{}]", provider.name);
        for model in &provider.models {
            if models.insert(&model.name, &provider.name).is_some() {
                let message = format!("model {:?} stands twice", model.name);
                scope.error(&format!("{at}.models"), Reason::DuplicateModel, message, "name each model once");
            }
        }
        if provider.models.is_empty() {
            scope.error(
                &format!("{at}.models"),
                Reason::NothingSelected,
                "names no model",
                "name the models that it answers for",
            );
        }
        let headers =
            auth::headers(&mut scope, &format!("{at}.auth"), provider.auth.as_ref(), Toward::Service);
        let timeout_ms = scope.millis(&format!("{at}.timeout"), &provider.timeout);
        let base_url = base_url(&mut scope, &format!("{at}.baseUrl"), &provider.base_url);
        made.extend(base_url.map(|url| provider_config(object, provider, &url, headers, timeout_ms)));
    }
    scope.clean().then_some(made)
}

fn base_url(scope: &mut Scope<'_>, field: &str, text: &str) -> Option<url::Url> {
    let url = http_url(scope, field, text)?;
    if url.query().is_some() {
        let message = format!("{text:?} has a query, and /chat/completions would become part of it");
        scope.error(field, Reason::InvalidUrl, message, "end it with the path");
    }
    Some(url)
}

fn provider_config(
    object: &ProviderRoute,
    provider: &Provider,
    base_url: &url::Url,
    headers: Vec<config::Header>,
    timeout_ms: u64,
) -> config::Provider {
    let ProviderApi::OpenAI = provider.api;
    let mut models: Vec<String> = provider.models.iter().map(|model| model.name.clone()).collect();
    models.sort();
    config::Provider {
        route: object.name_any(),
        name: provider.name.clone(),
        api: config::ProviderApi::OpenAI,
        base_url: base_url.as_str().trim_end_matches('/').to_owned(),
        headers,
        models,
        timeout_ms,
    }
}
