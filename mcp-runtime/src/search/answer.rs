//! What `search_tools` answers. Pure.

use super::index::Hit;
use crate::{
    call::ToolResult,
    catalog::{Entry, lists::View, merge::Target, task_tools::TaskTools},
};
use mcpfleet_protocol::Tool;
use serde_json::{Map, Value, json, value::RawValue};
use std::sync::Arc;

/// Most bytes of the definitions of one answer: a model has to read them. The best one is always there.
const MAX_BYTES: usize = 256 * 1024;
/// Longest piece of a query that an answer repeats, in characters.
const SHOWN: usize = 80;

/// By what tools are ranked.
#[derive(Clone, Debug, PartialEq)]
pub enum Ranking {
    /// By words alone.
    Words {
        /// Why, where a model should have helped.
        notice: Option<String>,
    },
    /// By words, and by meaning in this order.
    Meaning(Vec<Hit>),
}

/// What a search found.
#[derive(Debug)]
pub struct Found<'a> {
    /// The best ones, with their scores.
    pub tools: Vec<(&'a (Tool, Arc<Entry>), f64)>,
    /// How many fit.
    pub matched: usize,
    /// By what they were ranked.
    pub ranked: &'static str,
    /// Why not by all that was configured.
    pub notice: Option<String>,
    /// Names that look like the query; only where nothing was found.
    pub nearest: Vec<&'a str>,
    /// What was asked for.
    pub query: String,
}

impl Found<'_> {
    /// The result for a caller who sees tools so: structured, and the same as text (2025-06-18 and later, server/tools,
    /// "Structured Content").
    pub fn result(&self, (task_tools, view): (&TaskTools, View)) -> ToolResult {
        let mut room = MAX_BYTES;
        let mut tools = Vec::new();
        for ((tool, entry), score) in &self.tools {
            let (size, value) = described(task_tools.shown(tool, view), entry, *score);
            room = match room.checked_sub(size) {
                Some(left) => left,
                None if tools.is_empty() => 0,
                None => break,
            };
            tools.push(value);
        }
        let mut members = Map::new();
        members.insert("tools".into(), tools.into());
        members.insert("matched".into(), self.matched.into());
        members.insert("ranking".into(), self.ranked.into());
        if let Some(notice) = self.notice() {
            members.insert("notice".into(), notice.into());
        }
        if !self.nearest.is_empty() {
            members.insert("nearest".into(), json!(self.nearest));
        }
        let text = Value::Object(members.clone()).to_string();
        ToolResult { structured: Some(members), ..ToolResult::text(text) }
    }

    fn notice(&self) -> Option<String> {
        if self.matched > 0 {
            return self.notice.clone();
        }
        let query: String = self.query.chars().take(SHOWN).collect();
        let nothing = format!("no tool that you may use fits {query:?}");
        let way_on = match self.nearest.first() {
            Some(_) => {
                "; the names that look most like it are in nearest: say what it should do in other words, or \
                        search for one of them"
            }
            None => ", for there is none at all",
        };
        let why = self.notice.as_ref().map(|notice| format!(" ({notice})")).unwrap_or_default();
        Some(format!("{nothing}{way_on}{why}"))
    }
}

/// A definition with its score, and about how many bytes that is.
fn described(tool: &Tool, entry: &Entry, score: f64) -> (usize, Value) {
    let schema = tool.input_schema.as_str();
    let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let size = schema.len() + text(&tool.description) + text(&tool.title) + tool.name.len();
    let mut members = Map::from_iter([("name".to_owned(), json!(tool.name))]);
    for (key, said) in [("title", &tool.title), ("description", &tool.description)] {
        if let Some(said) = said {
            members.insert(key.into(), json!(said));
        }
    }
    members.insert("inputSchema".into(), parsed(schema));
    if let Some(hints) = &tool.annotations {
        members.insert("annotations".into(), parsed(hints.as_str()));
    }
    if let Target::Upstream { upstream, .. } = &entry.target {
        members.insert("upstream".into(), json!(upstream));
    }
    members.insert("score".into(), json!((score * 10_000.0).round() / 10_000.0));
    (size, Value::Object(members))
}

fn parsed(text: &str) -> Value {
    // It was read as an object before.
    serde_json::from_str(text).unwrap_or_else(|_| json!({}))
}

/// Arguments of `search_tools`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct Wanted {
    /// What to look for.
    pub query: String,
    /// How many at most; the server's own number without it.
    #[serde(default)]
    pub limit: Option<u32>,
}

impl Wanted {
    /// Reads arguments that fit the schema; anything else finds nothing.
    pub fn read(arguments: &Map<String, Value>) -> Self {
        let read = serde_json::from_value(Value::Object(arguments.clone()));
        read.unwrap_or_else(|_| Self { query: String::new(), limit: None })
    }
}

/// Arguments of `call_tool`.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Call {
    pub(super) name: String,
    #[serde(default)]
    pub(super) arguments: Option<Box<RawValue>>,
}
