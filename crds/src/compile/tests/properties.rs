//! What holds for every input, however odd: nothing has passed the API server's rules here.

use super::{auths, fleets::Fleet, foreign, offers, programs};
use crate::{
    compile::{Report, Severity},
    v1alpha1::{
        Admission, AsyncCalls, Autoscaling, Backend, BodySource, DurationString, Embeddings, HttpBackend,
        HttpHeader, HttpMethod, McpServer, McpServerSpec, McpTool, McpToolSpec, Model, Provider, ProviderApi,
        ProviderRoute, ProviderRouteSpec, Redis, Remote, Scaler, SecretKeyRef, Selection, StaticBackend,
        Store, Tls, ToolExample, ToolPriority, ToolSearch, Upstream, UpstreamTools,
    },
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Value, json};

/// Words that are often right and sometimes terrible.
pub(super) fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(vec!["a", "b", "shop", "find-order", "x_y", "id"]).prop_map(String::from),
        1 => any::<String>(),
        1 => select(vec!["", "-", "..", "a/b", "ä", "\n", "A B", "{", "\u{0}"]).prop_map(String::from),
    ]
}

fn url() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => select(vec![
            "http://orders/{id}", "http://orders/{id}{?a,b*}", "https://x.example.com/mcp", "http://{host}/",
            "http://u:p@h/", "ftp://h/", "http://h/#f", "http://[::1/", "http://h/{", "",
        ]).prop_map(String::from),
        1 => any::<String>(),
        1 => "http://h/[a-z{}?&,*]{0,12}",
    ]
}

fn duration() -> impl Strategy<Value = DurationString> {
    prop_oneof![
        4 => select(vec!["5s", "250ms", "1m30s", "24h"]).prop_map(DurationString::from),
        1 => any::<String>().prop_map(DurationString),
        1 => select(vec!["", "0s", "25h", "-1s", "1e400s", "NaNs", "infh", "99999999999999999h"]).prop_map(DurationString::from),
    ]
}

fn schema() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => Just(json!({"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]})),
        1 => Just(json!({"type": "object", "properties": [], "required": {"id": 1}})),
        1 => Just(json!({"type": "object", "$ref": "#"})),
        1 => Just(json!({"type": "object", "properties": {"a": {"pattern": "(((("}}})),
        1 => Just(json!({"type": "object", "properties": {"a": {"$ref": "https://example.com/x"}}})),
        1 => Just(Value::Null),
        1 => Just(json!([1, "two"])),
        1 => any::<String>().prop_map(|text| json!({"type": text})),
    ]
}

fn http() -> impl Strategy<Value = HttpBackend> {
    let method = select(vec![HttpMethod::Get, HttpMethod::Post, HttpMethod::Delete]);
    let body = option::of(select(vec![BodySource::None, BodySource::Arguments]));
    (method, url(), vec((word(), word()), 0..3), option::of(auths::outgoing()), body).prop_map(
        |(method, url, headers, auth, body)| HttpBackend {
            method,
            url,
            headers: headers.into_iter().map(|(name, value)| HttpHeader { name, value }).collect(),
            auth,
            body,
        },
    )
}

fn example() -> impl Strategy<Value = ToolExample> {
    let arguments = prop_oneof![Just(json!({"id": 1})), Just(json!({"id": "x"})), Just(Value::Null)];
    (word(), arguments).prop_map(|(say, arguments)| ToolExample { say, arguments })
}

fn tool() -> BoxedStrategy<McpTool> {
    let backend = (option::of(word()), option::of(http()))
        .prop_map(|(text, http)| Backend { static_: text.map(|text| StaticBackend { text }), http });
    let metadata = (word(), any::<bool>(), 0..3_i64);
    let schemas = (schema(), option::of(schema()), vec(example(), 0..2));
    let times = (duration(), option::of(duration().prop_map(|ttl| AsyncCalls { ttl })));
    (metadata, option::of(word()), word(), schemas, backend, times, auths::scopes())
        .prop_map(
            |(
                (object, labelled, age),
                name,
                description,
                schemas,
                backend,
                (timeout, asynchronous),
                scopes,
            )| {
                let (input_schema, output_schema, examples) = schemas;
                let spec = McpToolSpec {
                    name,
                    title: None,
                    description,
                    input_schema,
                    output_schema,
                    priority: ToolPriority::Normal,
                    examples,
                    annotations: None,
                    backend,
                    timeout,
                    scopes,
                    asynchronous,
                };
                let mut tool = McpTool::new(&object, spec);
                tool.metadata.namespace = Some("agents".into());
                tool.metadata.labels = labelled.then(|| [("fleet".to_owned(), "shop".to_owned())].into());
                let time = format!("2026-01-0{}T00:00:00Z", age + 1);
                tool.metadata.creation_timestamp =
                    (age > 0).then(|| serde_json::from_value(Value::from(time)).unwrap());
                tool
            },
        )
        .boxed()
}

pub(super) fn selection() -> impl Strategy<Value = Selection> {
    let selector = prop_oneof![
        3 => Just(LabelSelector::default()),
        3 => Just(LabelSelector {
            match_labels: Some([("fleet".to_owned(), "shop".to_owned())].into()),
            ..LabelSelector::default()
        }),
        1 => (word(), word(), vec(word(), 0..2)).prop_map(|(key, operator, values)| LabelSelector {
            match_expressions: Some(vec![LabelSelectorRequirement { key, operator, values: Some(values) }]),
            match_labels: None,
        }),
    ];
    selector.prop_map(|selector| Selection { selector })
}

fn upstream() -> BoxedStrategy<Upstream> {
    let remote =
        option::of((url(), option::of(auths::outgoing())).prop_map(|(url, auth)| Remote { url, auth }));
    let references =
        (option::weighted(0.5, foreign::server_ref()), option::weighted(0.3, foreign::service_ref()));
    let stdio = prop_oneof![3 => Just(None), 1 => programs::program().prop_map(Some)];
    (word(), word(), remote, references, stdio, duration(), auths::scopes())
        .prop_map(|(name, prefix, remote, (server_ref, service_ref), stdio, timeout, scopes)| Upstream {
            name,
            prefix,
            remote,
            server_ref,
            service_ref,
            stdio,
            tools: UpstreamTools::default(),
            timeout,
            scopes,
        })
        .boxed()
}

fn autoscaling() -> impl Strategy<Value = Autoscaling> {
    let count = || prop_oneof![1..20_i32, any::<i32>()];
    (count(), count(), option::of(count()), duration(), duration()).prop_map(
        |(min_replicas, max_replicas, concurrency_per_replica, target_queue_wait, scale_down_delay)| {
            Autoscaling {
                min_replicas,
                max_replicas,
                concurrency_per_replica,
                target_queue_wait,
                scale_down_delay,
                scaler: Scaler::Native,
            }
        },
    )
}

fn tool_search() -> impl Strategy<Value = ToolSearch> {
    let embeddings = (word(), duration()).prop_map(|(model, timeout)| Embeddings { model, timeout });
    (any::<i32>(), vec(word(), 0..3), any::<i32>(), option::of(embeddings))
        .prop_map(|(above, always, results, embeddings)| ToolSearch { above, always, results, embeddings })
}

fn server() -> BoxedStrategy<McpServer> {
    let admission = (any::<i32>(), any::<i32>(), duration(), any::<i32>()).prop_map(
        |(concurrency, queue_length, queue_timeout, max_streams)| Admission {
            concurrency,
            queue_length,
            queue_timeout,
            max_streams,
        },
    );
    let admission = prop_oneof![3 => Just(Admission::default()), 1 => admission];
    let tls = option::of((word(), option::of(word())).prop_map(|(name, server_name)| Tls {
        secret_ref: crate::v1alpha1::SecretRef { name },
        server_name,
    }));
    let store = option::of(
        (word(), word())
            .prop_map(|(name, key)| Store { redis: Redis { secret_ref: SecretKeyRef { name, key } } }),
    );
    let registry = (option::of(selection()), option::of(tool_search()));
    let selections = (option::of(selection()), option::of(selection()), registry);
    let upstreams = (vec(upstream(), 0..4), option::of(foreign::upstream_selector()));
    let offers = (upstreams, vec(offers::prompt(), 0..3), vec(offers::resource(), 0..3));
    let load = (admission, option::of(autoscaling()), store);
    (word(), selections, offers, auths::incoming(), load, tls, vec(word(), 0..2))
        .prop_map(
            |(
                name,
                (tools, models, (registry, tool_search)),
                offers,
                (auth, public_url),
                (admission, autoscaling, store),
                tls,
                allowed_origins,
            )| {
                let ((upstreams, upstream_selector), prompts, resources) = offers;
                let spec = McpServerSpec {
                    replicas: 1,
                    autoscaling,
                    tools,
                    tool_search,
                    registry,
                    prompts,
                    resources,
                    upstreams,
                    upstream_selector,
                    models,
                    auth,
                    public_url,
                    admission,
                    tls,
                    store,
                    allowed_origins,
                    template: None,
                };
                let mut server = McpServer::new(&name, spec);
                server.metadata.namespace = Some("agents".into());
                server
            },
        )
        .boxed()
}

fn route() -> impl Strategy<Value = ProviderRoute> {
    let provider = (word(), url(), option::of(auths::outgoing()), vec(word(), 0..3), duration()).prop_map(
        |(name, base_url, auth, models, timeout)| Provider {
            name,
            api: ProviderApi::OpenAI,
            base_url,
            auth,
            models: models.into_iter().map(|name| Model { name }).collect(),
            timeout,
        },
    );
    (word(), vec(provider, 0..3)).prop_map(|(name, providers)| {
        let mut route = ProviderRoute::new(&name, ProviderRouteSpec { providers });
        route.metadata.namespace = Some("agents".into());
        route
    })
}

fn fleet() -> BoxedStrategy<Fleet> {
    // Names of objects of one kind are unique in a namespace.
    fn unique<T: kube::ResourceExt>(objects: Vec<T>) -> Vec<T> {
        let mut seen = std::collections::BTreeSet::new();
        objects.into_iter().filter(|object| seen.insert(object.name_any())).collect()
    }
    let ours = (server(), vec(tool(), 0..6), vec(route(), 0..3), vec(server(), 0..3));
    (ours, foreign::around())
        .prop_map(|((server, tools, routes, others), around)| {
            let neighbours =
                unique(others).into_iter().filter(|o| o.metadata.name != server.metadata.name).collect();
            Fleet { server, tools: unique(tools), routes: unique(routes), neighbours, ..around }
        })
        .boxed()
}

fn report(fleet: &Fleet) -> Report {
    fleet.compile().map_or_else(|refused| refused.report, |compiled| compiled.report)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Reaching the end is the promise: no input panics. And what is compiled, a runtime accepts.
    #[test]
    fn every_input_compiles_or_is_refused_with_an_error(fleet in fleet()) {
        match fleet.compile() {
            Ok(compiled) => {
                let read = mcpfleet_config::RuntimeConfig::decode(compiled.encoded.json.as_bytes());
                prop_assert_eq!(read, Ok(compiled.config));
            }
            Err(refused) => {
                prop_assert!(refused.report.errors().next().is_some());
                let internal = refused.report.errors().find(|f| f.reason == crate::compile::Reason::Internal);
                prop_assert_eq!(internal, None);
            }
        }
    }

    #[test]
    fn the_order_of_inputs_does_not_matter(fleet in fleet(), seed in any::<u64>()) {
        let mut shuffled = fleet.clone();
        let turn = |len: usize| if len == 0 { 0 } else { usize::try_from(seed % len as u64).unwrap() };
        shuffled.tools.reverse();
        let turned = turn(shuffled.tools.len());
        shuffled.tools.rotate_left(turned);
        shuffled.routes.reverse();
        shuffled.neighbours.reverse();
        shuffled.grants.reverse();
        shuffled.services.reverse();
        shuffled.lifecycle.reverse();
        prop_assert_eq!(report(&fleet), report(&shuffled));
        let bytes = |fleet: &Fleet| fleet.compile().map(|c| (c.encoded, c.pod)).map_err(|r| r.to_string());
        prop_assert_eq!(bytes(&fleet), bytes(&shuffled));
    }

    #[test]
    fn every_finding_names_object_field_reason_and_remedy(fleet in fleet()) {
        for finding in report(&fleet).findings {
            prop_assert!(finding.field.starts_with("spec") || finding.field == "metadata.name", "{}", finding);
            prop_assert!(!finding.message.is_empty() && !finding.remedy.is_empty(), "{}", finding);
            prop_assert!(!finding.reason.as_str().is_empty());
            prop_assert!(matches!(finding.severity, Severity::Error | Severity::Warning));
        }
    }

    #[test]
    fn a_refused_object_has_an_error_of_its_own(fleet in fleet()) {
        let report = report(&fleet);
        for (object, verdict) in &report.verdicts {
            let errors = report.about(object).filter(|f| f.severity == Severity::Error).count();
            prop_assert_eq!(*verdict == crate::compile::Verdict::Refused, errors > 0, "{}", object);
        }
    }
}
