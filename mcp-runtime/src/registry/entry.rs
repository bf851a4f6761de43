//! One server of the registry. Pure.

use crate::{catalog::Snapshot, identity::Principal};
use mcpfleet_config::Neighbour;
use serde::Serialize;
use serde_json::{Value, json};

/// The schema that `server` follows.
const SCHEMA: &str = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json";
/// Key of what is ours in `_meta`.
const OURS: &str = "dev.mcpfleet/registry";
/// Longest description of a tool, in characters; its server has the whole.
const MAX_DESCRIPTION: usize = 1_000;

/// A server as a caller sees it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// `namespace/name`.
    pub name: String,
    url: String,
    /// Sorted by name; `None` for a server that only itself can say.
    tools: Option<Vec<Listed>>,
    /// How many there are, those on other pages too.
    total: usize,
    parts: Vec<Part>,
}

/// A tool that a caller may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// By which he calls it.
    pub name: String,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// For models.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The upstream that it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream: Option<String>,
}

/// A server behind the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Part {
    name: String,
    state: Value,
    /// How many tools of it the caller may use.
    tools: usize,
}

/// Where clients reach a server of this process.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// `http` or `https`, as this process is reached.
    pub scheme: &'a str,
    /// Host and port that the request was sent to.
    pub host: &'a str,
    /// Path of the endpoint.
    pub path: &'a str,
}

impl Entry {
    /// A server of this process.
    pub fn of(snapshot: &Snapshot, caller: &Principal, place: Place<'_>) -> Self {
        let config = &snapshot.parts.config;
        let public = match &config.access {
            mcpfleet_config::Access::Restricted(restricted) => restricted.public_url.as_deref(),
            mcpfleet_config::Access::Anonymous => None,
        };
        let url = public.map_or_else(
            || format!("{}://{}{}", place.scheme, place.host, place.path),
            mcpfleet_config::mcp_endpoint,
        );
        let mut tools: Vec<Listed> =
            snapshot.usable(caller).map(|(tool, entry)| Listed::of(tool, entry)).collect();
        tools.sort_by(|a, b| a.name.cmp(&b.name));
        let parts = parts(snapshot, caller, &tools);
        Self::here(config.server.to_string(), url, tools, parts)
    }

    /// A server with these tools, sorted by name.
    pub(super) fn here(name: String, url: String, tools: Vec<Listed>, parts: Vec<Part>) -> Self {
        Self { name, url, total: tools.len(), tools: Some(tools), parts }
    }

    /// A server elsewhere: what it has, only itself knows.
    pub fn elsewhere(neighbour: &Neighbour) -> Self {
        let (name, url) = (neighbour.name.clone(), neighbour.url.clone());
        Self { name, url, tools: None, total: 0, parts: Vec::new() }
    }

    /// Leaves out the tools up to `last`.
    pub(super) fn skip_to(&mut self, last: &str) {
        if let Some(tools) = &mut self.tools {
            tools.retain(|tool| tool.name.as_str() > last);
        }
    }

    /// Keeps `most` tools, and names the last of them when there are more.
    pub(super) fn cut(&mut self, most: usize) -> Option<String> {
        let tools = self.tools.as_mut().filter(|tools| tools.len() > most)?;
        tools.truncate(most);
        tools.last().map(|last| last.name.clone())
    }

    pub(super) fn tool_count(&self) -> usize {
        self.tools.as_ref().map_or(0, Vec::len)
    }

    /// `ServerResponse` of the MCP registry.
    pub(super) fn into_json(self) -> Value {
        let description = match (&self.tools, self.total) {
            (None, _) => "MCP server; its own registry lists what it has for you".to_owned(),
            (Some(_), 1) => "MCP server with one tool for you".to_owned(),
            (Some(_), total) => format!("MCP server with {total} tools for you"),
        };
        let server = json!({
            "$schema": SCHEMA,
            "name": self.name,
            "description": description,
            "version": env!("CARGO_PKG_VERSION"),
            "remotes": [{"type": "streamable-http", "url": self.url}],
        });
        if let Some(tools) = self.tools {
            let ours = json!({"toolCount": self.total, "upstreams": self.parts});
            return json!({"server": server, "tools": tools, "_meta": {OURS: ours}});
        }
        let registry = self.url.strip_suffix("/mcp").map(|base| format!("{base}/registry"));
        json!({"server": server, "_meta": {OURS: {"registry": registry}}})
    }
}

impl Listed {
    fn of(tool: &mcpfleet_protocol::Tool, entry: &crate::catalog::Entry) -> Self {
        let upstream = match &entry.target {
            crate::catalog::merge::Target::Upstream { upstream, .. } => Some(upstream.clone()),
            _ => None,
        };
        let description = tool.description.as_ref().map(|text| text.chars().take(MAX_DESCRIPTION).collect());
        Self { name: tool.name.clone(), title: tool.title.clone(), description, upstream }
    }
}

/// The upstreams that a caller may know of: one that he may use, or would if it answered.
fn parts(snapshot: &Snapshot, caller: &Principal, tools: &[Listed]) -> Vec<Part> {
    let declared =
        snapshot.parts.config.upstreams.iter().filter(|upstream| caller.has_scopes(&upstream.scopes));
    let parts = declared.map(|upstream| {
        let status = snapshot.parts.roster.status.iter().find(|status| status.name == upstream.name);
        Part {
            name: upstream.name.clone(),
            state: status.map_or(Value::Null, |status| json!(status.state)),
            tools: tools.iter().filter(|tool| tool.upstream.as_ref() == Some(&upstream.name)).count(),
        }
    });
    // Who is limited to some tools is not told of servers that have none of them.
    parts.filter(|part| part.tools > 0 || !caller.is_limited_to_tools()).collect()
}
