//! Tools: each by itself, then the names among those of one server.

use super::{
    Inputs, access, asynchronous,
    auth::{self, Toward},
    guidance,
    report::{Collector, ObjectKey, Reason, Scope, Verdict, namespace_of},
    select,
    tool_names::Owners,
};
use crate::v1alpha1::{BodySource, HttpBackend, HttpMethod, McpTool};
use kube::ResourceExt;
use mcpfleet_config::{
    self as config, Header, HeaderValue, schema::ArgumentSchema, tool_name, uri_template::UriTemplate,
};

/// Most bytes of all tools of a server: the rest of a configuration is for upstreams and providers.
const MAX_TOOLS_BYTES: usize = config::MAX_BYTES - 200 * 1024;

/// Largest response that becomes a result, in bytes.
const MAX_RESPONSE_BYTES: u64 = 4 * 1024 * 1024;

/// The server's own tools, sorted by name. `offered` bytes of their room are taken by prompts and resources.
pub(super) fn select_and_compile(
    inputs: &Inputs<'_>,
    offered: usize,
    collector: &mut Collector,
) -> Vec<config::Tool> {
    let Some(selection) = &inputs.server.spec.tools else { return Vec::new() };
    let namespace = namespace_of(inputs.server);
    let mut scope = collector.scope(ObjectKey::server(inputs.server));
    let selected = select::select(&mut scope, "spec.tools.selector", selection, &namespace, inputs.tools);
    if selected.is_empty() && scope.clean() {
        select::report_empty(&mut scope, "spec.tools.selector", "McpTool", &namespace, selection);
    }
    let any = !selected.is_empty();
    let mut owners = Owners::default();
    let mut room = Room { most: MAX_TOOLS_BYTES.saturating_sub(offered), taken: 0, largest: None };
    let mut tools = Vec::new();
    for object in selected {
        let key = ObjectKey::tool(object);
        let compiled = compile(object, collector)
            .filter(|tool| owners.claim(tool, &key, collector))
            .filter(|tool| room.take(tool, &key, collector));
        collector.verdict(key, if compiled.is_some() { Verdict::Served } else { Verdict::Refused });
        tools.extend(compiled);
    }
    if any && tools.is_empty() {
        let mut scope = collector.scope(ObjectKey::server(inputs.server));
        select::report_all_refused(&mut scope, "spec.tools.selector", "McpTool");
    }
    tools.sort_by(|a, b| a.name.cmp(&b.name));
    tools
}

/// Room that is left in the configuration. Oldest tools come first, so that one more costs only itself.
struct Room {
    most: usize,
    taken: usize,
    largest: Option<(usize, String)>,
}

impl Room {
    fn take(&mut self, tool: &config::Tool, key: &ObjectKey, collector: &mut Collector) -> bool {
        let size = serde_json::to_string(tool).map_or(usize::MAX, |json| json.len());
        if self.taken.saturating_add(size) > self.most {
            let (most, name) = self.largest.clone().unwrap_or_default();
            let message = format!(
                "has {size} bytes; of the {} that the tools of this server may have together, older ones take {}, \
                 the largest of them {name} with {most}",
                self.most, self.taken
            );
            let remedy = "shorten schemas or texts, or split the server in two";
            collector.scope(key.clone()).error("spec", Reason::TooLarge, message, remedy);
            return false;
        }
        self.taken += size;
        if self.largest.as_ref().is_none_or(|(most, _)| size > *most) {
            self.largest = Some((size, tool.object.clone()));
        }
        true
    }
}

/// One tool, or `None` when it is refused.
pub(super) fn compile(object: &McpTool, collector: &mut Collector) -> Option<config::Tool> {
    let spec = &object.spec;
    let mut scope = collector.scope(ObjectKey::tool(object));
    let name = spec.name.clone().unwrap_or_else(|| object.name_any().replace('-', "_"));
    if let Some(reason) = tool_name::refusal(&name) {
        let remedy = "set spec.name to 1-128 letters, digits, '_', '-' or '.'";
        scope.error("spec.name", Reason::InvalidName, format!("{name:?} {reason}"), remedy);
    }
    if spec.description.trim().is_empty() {
        let remedy = "say what the tool does, when to use it and what comes back: a model reads nothing else";
        scope.error("spec.description", Reason::DescriptionMissing, "is empty", remedy);
    }
    check_schema(&mut scope, &spec.input_schema);
    check_annotations(&mut scope, &spec.input_schema);
    guidance::check_output(&mut scope, spec);
    let examples = guidance::examples(&mut scope, spec);
    let timeout_ms = scope.millis("spec.timeout", &spec.timeout);
    let scopes = access::scopes(&mut scope, "spec.scopes", &spec.scopes);
    let asynchronous = asynchronous::compile(&mut scope, "spec.async", spec.asynchronous.as_ref());
    if asynchronous.is_some() {
        asynchronous::check_name(&mut scope, &name);
    }
    let backend = backend(&mut scope, object)?;
    let tool = config::Tool {
        name,
        object: object.name_any(),
        title: spec.title.clone(),
        description: Some(spec.description.clone()),
        input_schema: spec.input_schema.clone(),
        output_schema: spec.output_schema.clone(),
        priority: guidance::priority(spec),
        examples,
        annotations: spec.annotations.map(|hints| config::ToolAnnotations {
            read_only_hint: hints.read_only_hint,
            destructive_hint: hints.destructive_hint,
            idempotent_hint: hints.idempotent_hint,
            open_world_hint: hints.open_world_hint,
        }),
        timeout_ms,
        backend,
        scopes,
        asynchronous,
    };
    scope.clean().then_some(tool)
}

fn check_schema(scope: &mut Scope<'_>, schema: &serde_json::Value) {
    if let Err(error) = ArgumentSchema::new(schema) {
        let field = format!("spec.inputSchema{}", error.pointer.replace('/', "."));
        scope.error(
            &field,
            Reason::InvalidSchema,
            error.reason,
            "write a JSON Schema (2020-12) of an object",
        );
    }
}

/// Modern clients must drop a tool whose header annotations are not as the specification says.
fn check_annotations(scope: &mut Scope<'_>, schema: &serde_json::Value) {
    if schema.to_string().contains("\"x-mcp-header\"") {
        let remedy = "leave x-mcp-header out";
        scope.error("spec.inputSchema", Reason::NotSupported, "x-mcp-header is not supported yet", remedy);
    }
}

fn backend(scope: &mut Scope<'_>, object: &McpTool) -> Option<config::Backend> {
    match (&object.spec.backend.static_, &object.spec.backend.http) {
        (Some(fixed), None) => {
            Some(config::Backend::Static(config::StaticBackend { text: fixed.text.clone() }))
        }
        (None, Some(http)) => http_backend(scope, object, http).map(config::Backend::Http),
        _ => {
            scope.error(
                "spec.backend",
                Reason::BackendMissing,
                "needs exactly one of static and http",
                "set one of them",
            );
            None
        }
    }
}

fn http_backend(scope: &mut Scope<'_>, object: &McpTool, http: &HttpBackend) -> Option<config::HttpBackend> {
    const AT: &str = "spec.backend.http";
    let method = method(http.method);
    let mut headers: Vec<Header> = Vec::new();
    for (index, header) in http.headers.iter().enumerate() {
        let field = format!("{AT}.headers[{index}]");
        let name = auth::header_name(scope, &format!("{field}.name"), &header.name);
        let value = HeaderValue::Literal(auth::header_value(scope, &format!("{field}.value"), &header.value));
        headers.push(Header { name, value });
    }
    headers.extend(auth::headers(scope, &format!("{AT}.auth"), http.auth.as_ref(), Toward::Service));
    auth::refuse_repeats(scope, &format!("{AT}.headers"), &headers);
    let default_body = match http.method {
        HttpMethod::Get | HttpMethod::Delete => BodySource::None,
        HttpMethod::Post | HttpMethod::Put | HttpMethod::Patch => BodySource::Arguments,
    };
    let body = match http.body.unwrap_or(default_body) {
        BodySource::None => config::BodySource::None,
        BodySource::Arguments => config::BodySource::Arguments,
    };
    let url = match http.url.parse::<UriTemplate>() {
        Ok(url) => url,
        Err(error) => {
            let remedy = "write an absolute http(s) URL with {name} in the path or {?name} for the query";
            scope.error(&format!("{AT}.url"), Reason::InvalidUrl, error.to_string(), remedy);
            return None;
        }
    };
    check_variables(scope, &url, &object.spec.input_schema);
    Some(config::HttpBackend { method, url, headers, body, max_response_bytes: MAX_RESPONSE_BYTES })
}

/// A variable that no argument fills can never be expanded; one that is optional sometimes cannot.
fn check_variables(scope: &mut Scope<'_>, url: &UriTemplate, schema: &serde_json::Value) {
    const FIELD: &str = "spec.backend.http.url";
    let properties = schema.get("properties").and_then(serde_json::Value::as_object);
    let required: Vec<&str> = schema
        .get("required")
        .and_then(serde_json::Value::as_array)
        .map(|names| names.iter().filter_map(serde_json::Value::as_str).collect())
        .unwrap_or_default();
    for name in url.variables() {
        if !properties.is_some_and(|known| known.contains_key(name)) {
            let message = format!("uses {{{name}}}, which spec.inputSchema.properties does not declare");
            scope.error(FIELD, Reason::UnknownArgument, message, "declare the argument, or correct the name");
        } else if url.required().contains(name) && !required.contains(&name) {
            let message = format!("needs {{{name}}}, which spec.inputSchema does not require");
            scope.warning(FIELD, Reason::UnknownArgument, message, "add it to spec.inputSchema.required");
        }
    }
}

fn method(method: HttpMethod) -> config::HttpMethod {
    match method {
        HttpMethod::Get => config::HttpMethod::Get,
        HttpMethod::Post => config::HttpMethod::Post,
        HttpMethod::Put => config::HttpMethod::Put,
        HttpMethod::Patch => config::HttpMethod::Patch,
        HttpMethod::Delete => config::HttpMethod::Delete,
    }
}
